//! What is taken from the heap: nothing for a packet in steady state, and little by a connection that idles. One test,
//! since it counts for the process.

#![expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use twocan_peer::{Kind, PeerConnection};

#[path = "../examples/connect/pair.rs"]
mod pair;

use pair::{Pair, certificates};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Ends that are connected for this comparison.
const PAIRS: usize = 50;
/// In virtual time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than both transfers.
const CALM: Duration = Duration::from_secs(1);
/// Heap of an idle end with a channel, its own size included, in bytes.
const IDLE: usize = 20 << 10;

/// One that is connected and has been left alone for a while.
fn connected(number: u64, certificates: &[Arc<dtls::Certificate>; 2]) -> Pair {
    // Below what is tested, so that a queue does not grow in the middle of it.
    let mut pair = Pair::new(number, certificates, |configuration| configuration.send_buffer = 2 << 20);
    pair.describe();
    pair.connect();
    pair.pass(Duration::from_secs(10));
    pair
}

/// Lets time pass until neither end has anything to do by itself for a while. The question for consent (RFC 7675 §5.1) is
/// written on the heap, each five seconds: it is no packet of the application's.
fn calm(pair: &mut Pair) {
    let deadline = pair.now + PATIENCE;
    let mut due = pair.now;
    while due < pair.now + CALM {
        assert!(pair.now < deadline, "there is always something due");
        pair.wait(pair.now + CALM);
        pair.exchange();
        let timeouts = pair.ends.iter().filter_map(|end| end.peer.poll_timeout());
        due = timeouts.map(|(at, _)| at).min().unwrap_or(deadline);
    }
}

fn transfer(pair: &mut Pair, message: &Bytes, bytes: usize) {
    let channel = pair.ends[0].channel.unwrap();
    let (target, deadline) = (pair.ends[1].received + bytes, pair.now + PATIENCE);
    while pair.ends[1].received < target {
        assert!(pair.now < deadline, "{} of {target} bytes arrive", pair.ends[1].received);
        let now = pair.now;
        while pair.ends[0].peer.buffered_amount(channel) < 1 << 20 {
            pair.ends[0].peer.send(now, channel, Kind::Binary, message.clone()).unwrap();
        }
        pair.exchange();
        pair.wait(now + Duration::from_micros(100));
    }
}

fn main() {
    let certificates = certificates(1);
    // What is made once per process.
    drop(connected(0, &certificates));

    let profiler = dhat::Profiler::builder().testing().build();
    let idle: Vec<Pair> = (0..PAIRS).map(|number| connected(number as u64, &certificates)).collect();
    let buffers = PAIRS * (65_536 + size_of::<Pair>());
    let heap = (dhat::HeapStats::get().curr_bytes - buffers) / PAIRS / 2;
    let own = size_of::<PeerConnection>();
    println!("idle, with a channel: {heap} bytes of heap and {own} of its own");
    assert!(heap + own <= IDLE, "an idle connection takes {heap} + {own} bytes");
    drop(idle);
    drop(profiler);

    for length in [65_536, 1000] {
        let mut pair = connected(7, &certificates);
        let message = Bytes::from(vec![7; length]);
        calm(&mut pair);
        let until = pair.now + CALM;
        transfer(&mut pair, &message, 16 << 20);
        let profiler = dhat::Profiler::builder().testing().build();
        transfer(&mut pair, &message, 8 << 20);
        let blocks = dhat::HeapStats::get().total_blocks;
        drop(profiler);
        assert!(pair.now < until, "a question for consent may be among what is counted");
        assert_eq!(blocks, 0, "allocations while sending messages of {length} bytes");
    }
}
