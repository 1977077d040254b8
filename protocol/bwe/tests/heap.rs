//! What is taken from the heap: nothing for a packet in steady state. One test, since it counts for the process.

use std::time::{Duration, Instant};

use twocan_bwe::{
    Arrival, Config, DataRate, DataSize, Ecn, Estimator, Event, Kind, Pacer, PacerConfig, Priority, Release,
    Sent,
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// A sender whose path takes 20 ms and carries everything.
struct Sender {
    start: Instant,
    now: Duration,
    estimator: Estimator,
    pacer: Pacer<u32>,
    sequence: u64,
    reported: u64,
    arrivals: Vec<Arrival>,
}

impl Sender {
    fn new(start: Instant) -> Self {
        let rate = DataRate::from_mbps(10);
        let config = Config { start: rate, max: rate, ..Config::default() };
        Self {
            start,
            now: Duration::ZERO,
            estimator: Estimator::new(start, config),
            pacer: Pacer::new(start, rate, PacerConfig::default()),
            sequence: 0,
            reported: 0,
            arrivals: Vec::with_capacity(1024),
        }
    }

    fn run(&mut self, milliseconds: u32) {
        for _ in 0..milliseconds {
            self.now += Duration::from_millis(1);
            let (now, at) = (self.start + self.now, self.now + Duration::from_millis(20));
            if self.now.as_millis().is_multiple_of(33) {
                for item in 0..33 {
                    let stream = u64::from(item % 3);
                    let size = DataSize::from_bytes(1200);
                    self.pacer.push(now, stream, Priority::Video, size, item).unwrap();
                }
            }
            while let Some(release) = self.pacer.poll_release(now) {
                let (size, kind, probe) = match release {
                    Release::Packet { size, probe, .. } => (size, Kind::Media, probe),
                    Release::Padding { size, probe } => (size, Kind::Padding, probe),
                };
                let sequence = self.sequence;
                self.estimator.on_sent(&Sent { sequence, size, at: now, kind, probe });
                // One in a hundred is lost.
                let at = (!sequence.is_multiple_of(100)).then_some(at);
                self.arrivals.push(Arrival { sequence, at, ecn: Ecn::NotEct });
                self.sequence += 1;
            }
            self.estimator.handle_timeout(now);
            if self.now.as_millis().is_multiple_of(50) {
                self.reported += self.arrivals.len() as u64;
                self.estimator.on_feedback(now, self.arrivals.drain(..));
            }
            while let Some(event) = self.estimator.poll_event() {
                match event {
                    Event::Target(target) => self.pacer.set_target(now, target),
                    Event::Probe(probe) => self.pacer.probe(probe),
                }
            }
        }
    }
}

fn main() {
    #[expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]
    let mut sender = Sender::new(Instant::now());
    sender.run(10_000);
    let before = sender.reported;
    let profiler = dhat::Profiler::builder().testing().build();
    sender.run(10_000);
    let blocks = dhat::HeapStats::get().total_blocks;
    drop(profiler);
    assert!(sender.reported - before > 9000, "{}", sender.reported - before);
    assert_eq!(blocks, 0, "allocations for {} packets", sender.reported - before);
    // A leg that idles is small.
    let profiler = dhat::Profiler::builder().testing().build();
    #[expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]
    let mut sender = Sender::new(Instant::now());
    sender.arrivals = Vec::new();
    let heap = dhat::HeapStats::get().curr_bytes + size_of::<Estimator>() + size_of::<Pacer<u32>>();
    drop(profiler);
    println!("{heap} bytes");
    assert!(heap <= 8 << 10, "an idle pair takes {heap} bytes");
}
