//! What is taken from the heap for media: nothing for a packet in steady state. One test, since it counts for the process.

#![expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rtp::Timestamp;
use twocan_peer::{
    Direction, MediaCapabilities, MediaKind, OutgoingPacket, Prefix, TransceiverId, TransceiverInit,
};

#[path = "../examples/connect/pair.rs"]
mod pair;

use pair::{Pair, certificates};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const FRAME: Duration = Duration::from_millis(10);
/// Of a frame.
const PACKETS: u32 = 8;

/// A second of pictures of 6 Mbit/s; the packets that came.
fn stream(pair: &mut Pair, id: TransceiverId, payload: &Bytes, frames: std::ops::Range<u32>) -> u32 {
    let agreement = pair.ends[0].peer.transceiver(id).unwrap().agreement().unwrap();
    let payload_type = agreement.preferred().unwrap().send;
    let mut came = 0;
    for frame in frames {
        for place in 0..PACKETS {
            let packet = OutgoingPacket {
                payload_type,
                marker: place + 1 == PACKETS,
                timestamp: Timestamp(frame * 900),
                sequence_number: None,
                prefix: Prefix::default(),
                payload: payload.clone(),
            };
            let now = pair.now;
            // Until the target has risen to the stream, not all of it finds room.
            let _ = pair.ends[0].peer.send_packet(now, id, 0, packet, |_, _| ());
        }
        let until = pair.now + FRAME;
        while pair.now < until {
            pair.exchange();
            while pair.ends[1].peer.poll_packet().is_some() {
                came += 1;
            }
            pair.wait(pair.now + Duration::from_millis(1));
        }
    }
    came
}

fn main() {
    let certificates = certificates(1);
    let mut pair = Pair::new(3, &certificates, |configuration| {
        configuration.media = Some(Arc::new(MediaCapabilities::default()));
    });
    let init = TransceiverInit { direction: Direction::SendOnly, ..TransceiverInit::default() };
    let id = pair.ends[0].peer.add_transceiver(MediaKind::Video, init).unwrap();
    pair.describe();
    pair.connect();
    pair.pass(Duration::from_secs(1));
    let payload = Bytes::from(vec![7; 1000]);
    // What is kept for retransmissions, and what waits for the pacer, grows to its size; the target rises above the stream.
    stream(&mut pair, id, &payload, 0..2_000);
    let profiler = dhat::Profiler::builder().testing().build();
    let came = stream(&mut pair, id, &payload, 2_000..2_400);
    let blocks = dhat::HeapStats::get().total_blocks;
    drop(profiler);
    assert!(came > 400 * PACKETS * 9 / 10, "{came} packets came");
    // Reports, each second, and the question for consent, each five, are no packets of media.
    assert!(blocks <= 40, "{blocks} allocations for {came} packets");
}
