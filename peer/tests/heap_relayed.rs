//! What is taken from the heap for a packet that goes through a relay: nothing, at the client and in the relay's state
//! machine. One test, since it counts for the process.

#![expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use twocan_peer::Kind;

#[path = "../examples/relayed/world.rs"]
mod world;

use world::World;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// In virtual time.
const PATIENCE: Duration = Duration::from_secs(60);

fn transfer(world: &mut World, bytes: usize, buffer: &mut Vec<u8>, message: &Bytes) {
    let (target, deadline) = (world.received + bytes, world.now + PATIENCE);
    while world.received < target {
        assert!(world.now < deadline, "{} of {target} bytes arrive", world.received);
        let (now, channel) = (world.now, world.channel.unwrap());
        while world.ends[0].buffered_amount(channel) < 1 << 20 {
            world.ends[0].send(now, channel, Kind::Binary, message.clone()).unwrap();
        }
        world.turn(buffer);
        world.now += Duration::from_micros(100);
    }
}

fn main() {
    // Below what is tested, so that a queue does not grow in the middle of it.
    let mut world = World::new(Instant::now(), true, |configuration| configuration.send_buffer = 2 << 20);
    world.connect();
    let mut buffer = Vec::with_capacity(65_536);
    let deadline = world.now + PATIENCE;
    while world.channel.is_none() {
        assert!(world.now < deadline, "it never opens");
        world.turn(&mut buffer);
        world.now += Duration::from_micros(100);
    }
    assert!(world.ends[0].ice().selected().is_some_and(|pair| pair.local.kind == ice::Kind::Relayed));
    let message = Bytes::from(vec![7; 65_536]);
    transfer(&mut world, 8 << 20, &mut buffer, &message);
    let profiler = dhat::Profiler::builder().testing().build();
    transfer(&mut world, 4 << 20, &mut buffer, &message);
    let blocks = dhat::HeapStats::get().total_blocks;
    drop(profiler);
    assert_eq!(blocks, 0, "allocations while sending through a relay");
}
