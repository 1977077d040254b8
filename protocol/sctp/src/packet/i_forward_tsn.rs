//! I-FORWARD-TSN: what will not come any more, with interleaving (RFC 8260 §2.3.1).

use super::{Malformed, RawChunk, writer};

/// An I-FORWARD-TSN (RFC 8260 §2.3.1), as a view.
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// |  Type = 194   |  Flags = 0x00 |       Length = Variable       |
/// +---------------+---------------+-------------------------------+
/// |                      New Cumulative TSN                       |
/// +-------------------------------+-----------------------------+-+
/// |       Stream Identifier       |          Reserved           |U|
/// +-------------------------------+-----------------------------+-+
/// |                      Message Identifier                       |
/// +---------------------------------------------------------------+
/// \                              ...                              \
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IForwardTsn<'a> {
    /// The receiver shall behave as if it had everything up to this TSN.
    pub new_cumulative_tsn: u32,
    skipped: &'a [[u8; 8]],
}

/// The largest message identifier that was skipped in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkippedMessage {
    /// The stream.
    pub stream: u16,
    /// Whether `mid` counts unordered messages.
    pub unordered: bool,
    /// The message identifier.
    pub mid: u32,
}

impl<'a> IForwardTsn<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 194;

    /// Reads the chunk.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        let mut reader = raw.expect(Self::KIND)?;
        let new_cumulative_tsn = reader.u32()?;
        let (skipped, rest) = reader.rest().as_chunks();
        if rest.is_empty() { Ok(Self { new_cumulative_tsn, skipped }) } else { Err(Malformed) }
    }

    /// What was skipped, stream by stream.
    pub fn skipped(&self) -> impl ExactSizeIterator<Item = SkippedMessage> + 'a {
        self.skipped.iter().map(|&[s0, s1, _, flags, m0, m1, m2, m3]| SkippedMessage {
            stream: u16::from_be_bytes([s0, s1]),
            unordered: flags & 1 != 0,
            mid: u32::from_be_bytes([m0, m1, m2, m3]),
        })
    }

    /// Appends an I-FORWARD-TSN of these parts.
    pub fn write(
        out: &mut Vec<u8>,
        new_cumulative_tsn: u32,
        skipped: impl IntoIterator<Item = SkippedMessage>,
    ) {
        let start = writer::begin_chunk(out, Self::KIND, 0);
        out.extend_from_slice(&new_cumulative_tsn.to_be_bytes());
        for message in skipped {
            out.extend_from_slice(&message.stream.to_be_bytes());
            out.extend_from_slice(&[0, u8::from(message.unordered)]);
            out.extend_from_slice(&message.mid.to_be_bytes());
        }
        writer::end_chunk(out, start);
    }
}

impl std::fmt::Debug for IForwardTsn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "I-FORWARD-TSN {}", self.new_cumulative_tsn)?;
        self.skipped().try_for_each(|SkippedMessage { stream, unordered, mid }| {
            write!(f, " stream {stream} {}mid {mid}", if unordered { "U " } else { "" })
        })
    }
}
