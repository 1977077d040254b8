//! What a relay costs its client: data from one end to another directly, then with the sender behind a relay, in one
//! thread and without sockets: `cargo run --release -p twocan-peer --example relayed`.
//!
//! CPU time is that of both ends and, in the second line, of the relay's state machine.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::time::{Duration, Instant};

use twocan_peer::Kind;

mod world;

use world::World;

fn main() {
    for is_relayed in [false, true] {
        let mut world = World::new(Instant::now(), is_relayed, |_| {});
        world.connect();
        let mut buffer = Vec::new();
        while world.channel.is_none() {
            world.now = Instant::now();
            world.turn(&mut buffer);
        }
        let channel = world.channel.expect("open");
        let message = bytes::Bytes::from(vec![7; 64 << 10]);
        let (begun, start) = (cpu(), Instant::now());
        while start.elapsed() < Duration::from_secs(3) {
            world.now = Instant::now();
            while world.ends[0].buffered_amount(channel) < 4 << 20
                && world.ends[0].send(world.now, channel, Kind::Binary, message.clone()).is_ok()
            {}
            world.turn(&mut buffer);
        }
        let way = if is_relayed { "relayed" } else { "direct" };
        let per_packet = (cpu() - begun).as_secs_f64() * 1e9 / (world.received as f64 / 1120.0);
        let rate = world.received as f64 / 1e6 / (cpu() - begun).as_secs_f64();
        println!("{way:>8}: {rate:.0} MB per CPU-second, about {per_packet:.0} ns a packet");
    }
}

/// CPU time of this process.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID);
    time.map_or(Duration::ZERO, Duration::from)
}
