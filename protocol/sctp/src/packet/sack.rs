//! SACK: what arrived (RFC 9260 §3.3.4).

use super::{Malformed, RawChunk};

/// A SACK (RFC 9260 §3.3.4), as a view: gap blocks and duplicates stay in the packet.
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// |   Type = 3    |  Chunk Flags  |         Chunk Length          |
/// +---------------+---------------+-------------------------------+
/// |                      Cumulative TSN Ack                       |
/// +---------------------------------------------------------------+
/// |          Advertised Receiver Window Credit (a_rwnd)           |
/// +-------------------------------+-------------------------------+
/// | Number of Gap Ack Blocks = N  |  Number of Duplicate TSNs = M |
/// +-------------------------------+-------------------------------+
/// |    Gap Ack Block #1 Start     |     Gap Ack Block #1 End      |
/// +-------------------------------+-------------------------------+
/// \                              ...                              \
/// +---------------------------------------------------------------+
/// |                        Duplicate TSN 1                        |
/// +---------------------------------------------------------------+
/// \                              ...                              \
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sack<'a> {
    /// The last TSN before the first gap.
    pub cumulative_tsn_ack: u32,
    /// Receive window, in bytes.
    pub a_rwnd: u32,
    blocks: &'a [[u8; 4]],
    duplicates: &'a [[u8; 4]],
}

/// TSNs that arrived behind a gap, as offsets to the cumulative TSN ack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapBlock {
    /// Offset of the first; at least 2 in an honest SACK.
    pub start: u16,
    /// Offset of the last; not below `start`.
    pub end: u16,
}

impl<'a> Sack<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 3;
    /// Bytes without gap blocks and duplicates.
    pub const MIN_LEN: usize = 16;

    /// Reads the chunk.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        let mut reader = raw.expect(Self::KIND)?;
        let (cumulative_tsn_ack, a_rwnd) = (reader.u32()?, reader.u32()?);
        let (blocks, duplicates) = (usize::from(reader.u16()?), usize::from(reader.u16()?));
        let blocks = reader.bytes(blocks * 4)?.as_chunks().0;
        let duplicates = reader.bytes(duplicates * 4)?.as_chunks().0;
        Ok(Self { cumulative_tsn_ack, a_rwnd, blocks, duplicates })
    }

    /// The gap blocks, as the peer ordered them.
    pub fn gap_blocks(&self) -> impl ExactSizeIterator<Item = GapBlock> + 'a {
        self.blocks.iter().map(|&[s0, s1, e0, e1]| GapBlock {
            start: u16::from_be_bytes([s0, s1]),
            end: u16::from_be_bytes([e0, e1]),
        })
    }

    /// TSNs that arrived more than once since the last SACK.
    pub fn duplicates(&self) -> impl ExactSizeIterator<Item = u32> + 'a {
        self.duplicates.iter().copied().map(u32::from_be_bytes)
    }

    /// Appends a SACK of these parts. At most 16,000 of both together.
    pub fn write(
        out: &mut Vec<u8>,
        (cumulative_tsn_ack, a_rwnd): (u32, u32),
        blocks: &[GapBlock],
        duplicates: &[u32],
    ) {
        let count = |items: usize| u16::try_from(items).unwrap_or(u16::MAX).to_be_bytes();
        let length = Self::MIN_LEN + 4 * (blocks.len() + duplicates.len());
        out.extend_from_slice(&[Self::KIND, 0]);
        out.extend_from_slice(&count(length));
        out.extend_from_slice(&cumulative_tsn_ack.to_be_bytes());
        out.extend_from_slice(&a_rwnd.to_be_bytes());
        out.extend_from_slice(&count(blocks.len()));
        out.extend_from_slice(&count(duplicates.len()));
        for block in blocks {
            out.extend_from_slice(&block.start.to_be_bytes());
            out.extend_from_slice(&block.end.to_be_bytes());
        }
        for duplicate in duplicates {
            out.extend_from_slice(&duplicate.to_be_bytes());
        }
    }
}

impl std::fmt::Debug for Sack<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SACK {} window {}", self.cumulative_tsn_ack, self.a_rwnd)?;
        for block in self.gap_blocks() {
            write!(f, " +{}..{}", block.start, block.end)?;
        }
        for duplicate in self.duplicates() {
            write!(f, " again {duplicate}")?;
        }
        Ok(())
    }
}
