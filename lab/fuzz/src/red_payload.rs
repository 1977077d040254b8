//! Reading RED and writing it again (RFC 2198 §3): it says the same.

use rtp::red::{self, MAX_REDUNDANT, Red};
use rtp::{Packet, Timestamp};

pub(super) fn run(bytes: &[u8]) {
    let mut packet = bytes.to_vec();
    if let Some(plain) = red::unwrap_single(&mut packet) {
        assert_eq!(plain.len() + 1, bytes.len());
        assert!(Packet::parse(plain).is_ok());
    }
    let Ok(red) = Red::parse(bytes) else { return };
    let blocks: Vec<_> = red.redundant().collect();
    assert!(blocks.len() <= MAX_REDUNDANT);
    for block in &blocks {
        assert_eq!(Timestamp(5).ahead_of(block.timestamp(Timestamp(5))), i32::from(block.offset));
    }
    let mut written = Vec::new();
    let earlier = blocks.iter().map(|block| (u32::from(block.offset), block.bytes));
    red::write(&mut written, red.primary.payload_type, earlier, red.primary.bytes);
    let again = Red::parse(&written).expect("it was written");
    assert_eq!(again.primary, red.primary);
    let said = |block: &red::Block<'_>| (block.offset, block.bytes.to_vec());
    assert!(again.redundant().map(|block| said(&block)).eq(blocks.iter().map(said)));
}
