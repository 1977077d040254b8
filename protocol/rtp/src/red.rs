//! RED: a packet that carries earlier frames once more beside its own (RFC 2198 §3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |1|   block PT  |  timestamp offset         |   block length    |  for each earlier one
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0|   block PT  |  for its own; and behind it the blocks in the same order
//! +-+-+-+-+-+-+-+-+
//! ```

use wire::Reader;

use crate::number::{PayloadType, Timestamp};
use crate::packet::Packet;

/// Earlier frames of a packet: more are a fault. Senders have one or two, and nine at most.
pub const MAX_REDUNDANT: usize = 16;
const MAX_OFFSET: u32 = (1 << 14) - 1;
const MAX_LEN: usize = (1 << 10) - 1;

wire::faults! {
    /// Why a payload is no RED.
    pub enum RedFault {
        /// It ends before its blocks do.
        Truncated => "red_truncated",
        /// It has more blocks than anybody sends.
        TooMany => "red_too_many",
    }
}

impl From<wire::Truncated> for RedFault {
    fn from(_: wire::Truncated) -> Self {
        Self::Truncated
    }
}

/// A payload of RED, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Red<'a> {
    /// Four bytes for each earlier frame.
    headers: &'a [[u8; 4]],
    redundant: &'a [u8],
    /// The packet's own frame.
    pub primary: Block<'a>,
}

/// A frame in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// What it is.
    pub payload_type: PayloadType,
    /// How many ticks before the packet's timestamp it is from: at most 16,383, and 0 for the packet's own.
    pub offset: u16,
    /// The frame's payload; of an earlier one at most 1,023 bytes.
    pub bytes: &'a [u8],
}

impl<'a> Red<'a> {
    /// Reads a payload.
    pub fn parse(payload: &'a [u8]) -> Result<Self, RedFault> {
        let count =
            (0..).take_while(|index| payload.get(4 * index).is_some_and(|byte| byte & 0x80 != 0)).count();
        if count > MAX_REDUNDANT {
            return Err(RedFault::TooMany);
        }
        let mut reader = Reader::new(payload);
        let (headers, _) = reader.bytes(4 * count)?.as_chunks();
        let payload_type = PayloadType::of_byte(reader.u8()?);
        let len = headers.iter().map(block_len).sum();
        let redundant = reader.bytes(len)?;
        Ok(Self { headers, redundant, primary: Block { payload_type, offset: 0, bytes: reader.rest() } })
    }

    /// The earlier frames, in their order: at most [`MAX_REDUNDANT`]. Some may be empty.
    pub fn redundant(&self) -> impl Iterator<Item = Block<'a>> + use<'a> {
        let mut reader = Reader::new(self.redundant);
        self.headers.iter().map_while(move |header| {
            let &[kind, high, low, _] = header;
            let offset = u16::from_be_bytes([high, low]) >> 2;
            let bytes = reader.bytes(block_len(header)).ok()?;
            Some(Block { payload_type: PayloadType::of_byte(kind), offset, bytes })
        })
    }
}

impl Block<'_> {
    /// The timestamp that it had in a packet of its own.
    pub const fn timestamp(&self, packet: Timestamp) -> Timestamp {
        Timestamp(packet.0.wrapping_sub(self.offset as u32))
    }
}

fn block_len(&[_, _, high, low]: &[u8; 4]) -> usize {
    usize::from(u16::from_be_bytes([high, low])) & MAX_LEN
}

/// Appends a payload of frames: earlier ones, each with its ticks before the packet's own, which comes last. Those are left
/// out that are too long or too old to be said, and those beyond [`MAX_REDUNDANT`].
pub fn write<'a>(
    out: &mut Vec<u8>,
    payload_type: PayloadType,
    earlier: impl IntoIterator<Item = (u32, &'a [u8]), IntoIter: Clone>,
    primary: &[u8],
) {
    let fits = |(offset, bytes): &(u32, &[u8])| *offset <= MAX_OFFSET && bytes.len() <= MAX_LEN;
    let earlier = earlier.into_iter().filter(fits).take(MAX_REDUNDANT);
    for (offset, bytes) in earlier.clone() {
        let rest = offset << 10 | bytes.len() as u32;
        let [_, a, b, c] = rest.to_be_bytes();
        out.extend_from_slice(&[0x80 | payload_type.number(), a, b, c]);
    }
    out.push(payload_type.number());
    earlier.for_each(|(_, bytes)| out.extend_from_slice(bytes));
    out.extend_from_slice(primary);
}

/// Makes a packet of RED with one block, where it lies, the packet that it was without: so video is sent beside ULPFEC. None
/// where it has more blocks, or is none.
pub fn unwrap_single(packet: &mut [u8]) -> Option<&mut [u8]> {
    let parsed = Packet::parse(packet).ok()?;
    let header_len = parsed.header().len();
    let first = *parsed.payload().first().filter(|byte| **byte & 0x80 == 0)?;
    packet.copy_within(..header_len, 1);
    let packet = &mut packet[1..];
    packet[1] = packet[1] & 0x80 | first;
    Some(packet)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPUS: PayloadType = PayloadType::new(111).unwrap();

    #[test]
    fn blocks_are_where_their_figure_has_them() {
        let mut out = Vec::new();
        let earlier: [(u32, &[u8]); 4] = [(1920, b"ab"), (20_000, b"old"), (960, b"c"), (1, &[0; 1024])];
        write(&mut out, OPUS, earlier, b"now");
        assert_eq!(out, [0xEF, 0x1E, 0x00, 2, 0xEF, 0x0F, 0x00, 1, 0x6F, b'a', b'b', b'c', b'n', b'o', b'w']);
        let red = Red::parse(&out).unwrap();
        let block = |offset, bytes| Block { payload_type: OPUS, offset, bytes };
        assert_eq!(red.redundant().collect::<Vec<_>>(), [block(1920, b"ab"), block(960, b"c")]);
        assert_eq!(red.primary, block(0, b"now"));
        assert_eq!(block(1920, b"").timestamp(Timestamp(1000)), Timestamp(u32::MAX - 919));
        for end in 0..12 {
            assert_eq!(Red::parse(&out[..end]), Err(RedFault::Truncated), "{end}");
        }
        assert_eq!(Red::parse(&[0x80; 100]), Err(RedFault::TooMany));
    }

    #[test]
    fn a_single_block_is_unwrapped_where_it_lies() {
        let mut packet = vec![0x80, 0x80 | 100, 0, 1, 0, 0, 0, 5, 0, 0, 0, 8, 96, 1, 2];
        let plain = unwrap_single(&mut packet).unwrap();
        assert_eq!(plain, [0x80, 0x80 | 96, 0, 1, 0, 0, 0, 5, 0, 0, 0, 8, 1, 2]);
        let mut two = vec![0x80, 100, 0, 1, 0, 0, 0, 5, 0, 0, 0, 8, 0x80 | 96, 0, 0, 0, 96];
        assert_eq!(unwrap_single(&mut two), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            earlier in proptest::collection::vec((0_u32..16_384, proptest::collection::vec(any::<u8>(), 0..100)), 0..9),
            primary in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let mut out = Vec::new();
            write(&mut out, OPUS, earlier.iter().map(|(offset, bytes)| (*offset, &bytes[..])), &primary);
            let red = Red::parse(&out).unwrap();
            let read: Vec<_> = red.redundant().map(|block| (u32::from(block.offset), block.bytes.to_vec())).collect();
            prop_assert_eq!(read, earlier);
            prop_assert_eq!(red.primary.bytes, &primary[..]);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(red) = Red::parse(&bytes) {
                let total: usize = red.redundant().map(|block| block.bytes.len() + 4).sum();
                prop_assert_eq!(total + 1 + red.primary.bytes.len(), bytes.len());
            }
        }
    }
}
