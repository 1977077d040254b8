//! A pacer under any load and any rate (RFC 8836 §2): what goes in comes out once, in the order of its stream, in bounded
//! time; padding and probes do not run away.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use bwe::{DataRate, DataSize, Pacer, PacerConfig, Priority, Probe, ProbeId, QUEUE_LIMIT, Release};

/// Everything leaves within this time.
const END: Duration = Duration::from_secs(30);
/// What may leave at one moment beside what waits: padding, and four probes of 255 packets without a size.
const MOST_PADDING: usize = 1200;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Command {
    Push { stream: u8, priority: u8, size: u16, count: u8 },
    Target { rate: u64 },
    Padding { rate: u32 },
    CanPad { can: bool },
    Probe { rate: u32, size: u16, packets: u8 },
    DropStream { stream: u8 },
    Wait { microseconds: u32 },
    Wake,
    Back { milliseconds: u16 },
}

struct World {
    now: Instant,
    start: Instant,
    /// The latest that it ever was: the clock may go back.
    latest: Instant,
    pacer: Pacer<(u64, u32)>,
    /// What waits, by stream.
    waiting: BTreeMap<u64, VecDeque<u32>>,
    next: u32,
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok((target, paces_audio)) = input.arbitrary::<(u32, bool)>() else { return };
    let config = PacerConfig { paces_audio, ..PacerConfig::default() };
    let now = Instant::now();
    let pacer = Pacer::new(now, DataRate::from_bps(u64::from(target)), config);
    let mut world = World { now, start: now, latest: now, pacer, waiting: BTreeMap::new(), next: 0 };
    while !input.is_empty() {
        let Ok(command) = input.arbitrary() else { break };
        world.obey(command);
        world.drain();
    }
    world.end();
}

impl World {
    fn obey(&mut self, command: Command) {
        match command {
            Command::Push { stream, priority, size, count } => {
                // Each stream has one priority, so that its order is known.
                let stream = u64::from(stream) * 4 + u64::from(priority % 4);
                let of = [Priority::Audio, Priority::Retransmission, Priority::Video, Priority::Repair];
                let priority = of[usize::from(priority % 4)];
                for _ in 0..count {
                    let item = (stream, self.next);
                    self.next += 1;
                    let size = DataSize::from_bytes(u64::from(size));
                    match self.pacer.push(self.now, stream, priority, size, item) {
                        Ok(()) => self.waiting.entry(stream).or_default().push_back(item.1),
                        Err(full) => assert_eq!(full.0, item),
                    }
                }
            }
            Command::Target { rate } => self.pacer.set_target(self.now, DataRate::from_bps(rate)),
            Command::Padding { rate } => {
                self.pacer.set_padding(self.now, DataRate::from_bps(u64::from(rate)));
            }
            Command::CanPad { can } => self.pacer.set_can_pad(can),
            Command::Probe { rate, size, packets } => self.pacer.probe(Probe {
                id: ProbeId(7),
                rate: DataRate::from_bps(u64::from(rate)),
                size: DataSize::from_bytes(u64::from(size)),
                packets: u32::from(packets),
            }),
            Command::DropStream { stream } => {
                let stream = u64::from(stream);
                let waited = self.waiting.remove(&stream).unwrap_or_default();
                let mut dropped = Vec::new();
                self.pacer.drop_stream(stream, |item| dropped.push(item.1));
                assert!(dropped.iter().eq(&waited), "{dropped:?} {waited:?}");
            }
            Command::Wait { microseconds } => self.now += Duration::from_micros(u64::from(microseconds)),
            Command::Wake => self.wake(),
            Command::Back { milliseconds } => {
                let back = self.now.checked_sub(Duration::from_millis(u64::from(milliseconds)));
                self.now = back.unwrap_or(self.start).max(self.start);
            }
        }
    }

    fn wake(&mut self) {
        if let Some((at, _)) = self.pacer.poll_timeout() {
            self.now = self.now.max(at);
        }
    }

    /// Takes all that may leave now.
    fn drain(&mut self) {
        self.latest = self.latest.max(self.now);
        let most = self.pacer.waiting() + MOST_PADDING;
        for _ in 0..=most {
            match self.pacer.poll_release(self.now) {
                Some(Release::Packet { item: (stream, number), .. }) => {
                    let first = self.waiting.get_mut(&stream).and_then(VecDeque::pop_front);
                    assert_eq!(first, Some(number), "out of order");
                }
                Some(Release::Padding { size, .. }) => assert!(size <= DataSize::from_bytes(1200)),
                None => {
                    let count: usize = self.waiting.values().map(VecDeque::len).sum();
                    assert_eq!(self.pacer.waiting(), count);
                    assert!(count <= QUEUE_LIMIT);
                    let due = self.pacer.poll_timeout().is_some_and(|(at, _)| at <= self.now);
                    assert!(!due, "time stands still: {:?}", self.pacer.poll_timeout());
                    return;
                }
            }
        }
        panic!("releases for ever");
    }

    /// Nothing comes any more, and everything leaves.
    fn end(&mut self) {
        self.now = self.latest;
        self.pacer.set_padding(self.now, DataRate::ZERO);
        self.drain();
        let end = self.now + END;
        while self.pacer.waiting() > 0 {
            self.wake();
            assert!(self.now < end, "{} packets wait", self.pacer.waiting());
            self.drain();
        }
    }
}
