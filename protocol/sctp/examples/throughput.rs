//! How much processor time a packet costs, end by end: two associations in one thread, without DTLS, sockets
//! or delay (RFC 9260). `cargo run --release -p twocan-sctp --example throughput`
//!
//! A driver's batches are imitated: up to 16 packets go over before the other end answers.

use std::time::{Duration, Instant};

use bytes::Bytes;
use twocan_sctp::{Association, Config, Event, Options};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const BATCH: usize = 16;
const BYTES: u64 = 1 << 30;

struct Meter {
    spent: Duration,
}

impl Meter {
    fn run<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = clock();
        let result = work();
        self.spent += clock() - start;
        result
    }
}

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn clock() -> Instant {
    Instant::now()
}

struct Bench {
    a: Association,
    b: Association,
    now: Instant,
    packets: Vec<Vec<u8>>,
    meters: [Meter; 2],
    counts: [u64; 2],
    received: u64,
}

impl Bench {
    fn new(zero_checksum: bool) -> Self {
        let now = clock();
        let config = Config { zero_checksum, ..Config::default() };
        let mut a = Association::new(now, config.clone(), 1);
        let b = Association::new(now, config, 2);
        a.connect(now);
        let packets = (0..BATCH).map(|_| Vec::with_capacity(2048)).collect();
        let meters = [(); 2].map(|()| Meter { spent: Duration::ZERO });
        Self { a, b, now, packets, meters, counts: [0; 2], received: 0 }
    }

    /// A batch each way.
    fn turn(&mut self) {
        // A path of 100 us, as a loopback with its queues has.
        self.now += Duration::from_micros(50);
        let Self { a, b, now, packets, meters, counts, received } = self;
        counts[0] += carry(a, b, *now, packets, meters);
        meters[1].run(|| {
            while let Some(event) = b.poll_event() {
                if let Event::Message(message) = event {
                    *received += message.data.len() as u64;
                    b.recycle(message.data);
                }
            }
        });
        let [first, second] = meters;
        let mut swapped = [Meter { spent: second.spent }, Meter { spent: first.spent }];
        counts[1] += carry(b, a, *now, packets, &mut swapped);
        (first.spent, second.spent) = (swapped[1].spent, swapped[0].spent);
        meters[0].run(|| while a.poll_event().is_some() {});
        for (end, meter) in [a, b].into_iter().zip(meters) {
            if end.poll_timeout().is_some_and(|(time, _)| time <= *now) {
                meter.run(|| end.handle_timeout(*now));
            }
        }
    }

    /// Sends messages of `length` bytes until `bytes` have arrived.
    fn transfer(&mut self, message: &Bytes, bytes: u64) {
        let target = self.received + bytes;
        while self.received < target {
            self.meters[0].run(|| {
                while self.a.buffered_amount(0) < 4 << 20
                    && self.a.send(self.now, 0, 51, message.clone(), Options::default()).is_ok()
                {
                }
            });
            self.turn();
        }
    }
}

/// Up to a batch of packets from one end to the other. How many there were.
fn carry(
    from: &mut Association,
    to: &mut Association,
    now: Instant,
    packets: &mut [Vec<u8>],
    meters: &mut [Meter; 2],
) -> u64 {
    let mut count = 0;
    meters[0].run(|| {
        for packet in packets.iter_mut() {
            packet.clear();
            if from.poll_transmit(now, packet).is_none() {
                break;
            }
            count += 1;
        }
    });
    meters[1].run(|| {
        for packet in &packets[..count] {
            to.handle_packet(now, packet).expect("nothing is wrong with it");
        }
    });
    count as u64
}

fn main() {
    println!(
        "message   packets     ns a data packet (sender, receiver)   SACKs   MB/s both   allocations a packet"
    );
    for (length, zero_checksum) in [(65_536, true), (16_384, true), (1024, true), (65_536, false)] {
        if !zero_checksum {
            println!("with checksums:");
        }
        let mut bench = Bench::new(zero_checksum);
        let message = Bytes::from(vec![7; length]);
        // Windows, rings and pools find their size.
        bench.transfer(&message, BYTES / 8);
        bench.meters = [(); 2].map(|()| Meter { spent: Duration::ZERO });
        bench.counts = [0; 2];
        let start = bench.received;
        bench.transfer(&message, BYTES);
        let [sender, receiver] = [0, 1].map(|side| bench.meters[side].spent);
        let packets = bench.counts[0];
        let per_packet = |spent: Duration| spent.as_nanos() as u64 / packets;
        let rate = (bench.received - start) as f64 / (sender + receiver).as_secs_f64() / 1e6;

        let sacks = bench.counts[1];
        let profiler = dhat::Profiler::builder().testing().build();
        bench.counts = [0; 2];
        bench.transfer(&message, BYTES / 16);
        let blocks = dhat::HeapStats::get().total_blocks;
        drop(profiler);
        println!(
            "{length:>7} {packets:>9}     {:>6} {:>6} {:>34} {rate:>11.0} {:>12.5}",
            per_packet(sender),
            per_packet(receiver),
            sacks,
            blocks as f64 / bench.counts[0] as f64,
        );
    }
}
