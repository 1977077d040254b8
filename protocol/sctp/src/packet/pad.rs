//! PAD: bytes that make a packet longer (RFC 4820 §3).

/// A PAD chunk (RFC 4820 §3), which its receiver ignores.
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// |  Type = 0x84  |   Flags = 0   |            Length             |
/// +---------------+---------------+-------------------------------+
/// \                         Padding Data                          \
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pad {
    /// Bytes of the whole chunk: at least 4, rounded up to a multiple of 4.
    pub length: u16,
}

impl Pad {
    /// The chunk's type.
    pub const KIND: u8 = 0x84;

    /// Appends the chunk.
    pub fn write(self, out: &mut Vec<u8>) {
        let length = self.length.clamp(4, u16::MAX - 3).next_multiple_of(4);
        let end = out.len() + usize::from(length);
        out.extend_from_slice(&[Self::KIND, 0]);
        out.extend_from_slice(&length.to_be_bytes());
        out.resize(end, 0);
    }
}
