//! FORWARD-TSN: what will not come any more (RFC 3758 §3.2).

use super::{Malformed, RawChunk, writer};

/// A FORWARD-TSN (RFC 3758 §3.2), as a view.
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// |  Type = 192   |  Flags = 0x00 |       Length = Variable       |
/// +---------------+---------------+-------------------------------+
/// |                      New Cumulative TSN                       |
/// +-------------------------------+-------------------------------+
/// |           Stream-1            |       Stream Sequence-1       |
/// +-------------------------------+-------------------------------+
/// \                              ...                              \
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ForwardTsn<'a> {
    /// The receiver shall behave as if it had everything up to this TSN.
    pub new_cumulative_tsn: u32,
    skipped: &'a [[u8; 4]],
}

impl<'a> ForwardTsn<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 192;

    /// Reads the chunk.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        let mut reader = raw.expect(Self::KIND)?;
        let new_cumulative_tsn = reader.u32()?;
        let (skipped, rest) = reader.rest().as_chunks();
        if rest.is_empty() { Ok(Self { new_cumulative_tsn, skipped }) } else { Err(Malformed) }
    }

    /// Streams with the largest stream sequence number that was skipped in each.
    pub fn skipped(&self) -> impl ExactSizeIterator<Item = (u16, u16)> + 'a {
        self.skipped
            .iter()
            .map(|&[s0, s1, n0, n1]| (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([n0, n1])))
    }

    /// Appends a FORWARD-TSN of these parts.
    pub fn write(out: &mut Vec<u8>, new_cumulative_tsn: u32, skipped: impl IntoIterator<Item = (u16, u16)>) {
        let start = writer::begin_chunk(out, Self::KIND, 0);
        out.extend_from_slice(&new_cumulative_tsn.to_be_bytes());
        for (stream, ssn) in skipped {
            out.extend_from_slice(&stream.to_be_bytes());
            out.extend_from_slice(&ssn.to_be_bytes());
        }
        writer::end_chunk(out, start);
    }
}

impl std::fmt::Debug for ForwardTsn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FORWARD-TSN {}", self.new_cumulative_tsn)?;
        self.skipped().try_for_each(|(stream, ssn)| write!(f, " stream {stream} ssn {ssn}"))
    }
}
