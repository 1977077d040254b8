//! Chunks before their type is looked at (RFC 9260 §3.2).

use wire::Reader;

use super::{CHUNK_HEADER_LEN, Malformed};

/// A chunk's type, flags and value (RFC 9260 §3.2).
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// |  Chunk Type   |  Chunk Flags  |         Chunk Length          |
/// +---------------+---------------+-------------------------------+
/// \                          Chunk Value                          \
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawChunk<'a> {
    /// The chunk's type.
    pub kind: u8,
    /// Flags, whose meaning depends on the type.
    pub flags: u8,
    /// The value, without padding.
    pub value: &'a [u8],
}

impl<'a> RawChunk<'a> {
    /// The value, where the chunk is of this type.
    pub(super) fn expect(&self, kind: u8) -> Result<Reader<'a>, Malformed> {
        if self.kind == kind { Ok(Reader::new(self.value)) } else { Err(Malformed) }
    }
}

/// The chunks of a packet, in order; see [`super::Packet::chunks`].
#[derive(Clone, Copy, Debug)]
pub struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<RawChunk<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&[kind, flags, high, low], _) = self.rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(value) = self.rest.get(CHUNK_HEADER_LEN..length) else {
            self.rest = &[];
            return Some(Err(Malformed));
        };
        // The padding may be missing behind the last chunk: RFC 9260 §3.2 tells receivers to bear it.
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Ok(RawChunk { kind, flags, value }))
    }
}
