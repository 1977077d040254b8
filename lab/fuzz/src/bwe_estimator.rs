//! An estimator whose reports come from somebody hostile, on a clock that may leap (RFC 8888, draft-ietf-rmcat-gcc-02): the
//! target stays within its bounds, nothing overflows, and it never wants to be called again and again without time
//! passing.

use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use bwe::{Arrival, Config, DataRate, DataSize, Ecn, Estimator, Event, Kind, ProbeId, Sent};

/// Calls that one moment may take.
const PATIENCE: usize = 16;
/// Packets in a report.
const MOST: usize = 512;

#[derive(Arbitrary, Debug)]
enum Command {
    /// Packets leave, so many microseconds apart.
    Send {
        count: u8,
        gap: u16,
        size: u16,
        kind: u8,
        skip: u8,
    },
    /// One of any size, with any number.
    SendOdd {
        sequence: u64,
        size: u64,
        probe: Option<u32>,
    },
    /// A report on the last packets, as a path would shape it.
    Report {
        count: u8,
        delay: u16,
        spread: i16,
        lost: u32,
        ecn: u8,
    },
    /// A report on anything.
    Lie {
        arrivals: Vec<(u64, Option<u64>, u8)>,
    },
    Wait {
        milliseconds: u16,
    },
    /// To the next deadline.
    Wake,
    /// The clock goes back.
    Back {
        milliseconds: u16,
    },
    Wanted {
        rate: u64,
    },
    Bounds {
        min: u64,
        max: u64,
    },
}

struct World {
    start: Instant,
    now: Instant,
    estimator: Estimator,
    bounds: (DataRate, DataRate),
    next: u64,
    /// Numbers and times of what was sent last.
    sent: Vec<(u64, Duration)>,
    probe: Option<ProbeId>,
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok((start, min, max)) = input.arbitrary::<(u32, u32, u32)>() else { return };
    let rate = |rate: u32| DataRate::from_bps(u64::from(rate));
    let config = Config { start: rate(start), min: rate(min), max: rate(max), ..Config::default() };
    let now = Instant::now();
    let mut world = World {
        start: now,
        now: now + Duration::from_secs(100),
        estimator: Estimator::new(now, config),
        bounds: (config.min, config.max.max(config.min)),
        next: 0,
        sent: Vec::new(),
        probe: None,
    };
    while !input.is_empty() {
        let Ok(command) = input.arbitrary() else { break };
        world.obey(command);
        world.settle();
    }
}

fn ecn(code: u8) -> Ecn {
    [Ecn::NotEct, Ecn::Ect1, Ecn::Ect0, Ecn::Ce][usize::from(code % 4)]
}

impl World {
    fn obey(&mut self, command: Command) {
        match command {
            Command::Send { count, gap, size, kind, skip } => {
                let kind = [Kind::Media, Kind::Retransmission, Kind::Padding][usize::from(kind % 3)];
                for _ in 0..count {
                    self.send(self.next.saturating_add(u64::from(skip)), u64::from(size), kind, self.probe);
                    self.now += Duration::from_micros(u64::from(gap));
                }
                self.probe = None;
            }
            Command::SendOdd { sequence, size, probe } => {
                self.send(sequence, size, Kind::Media, probe.map(ProbeId));
            }
            Command::Report { count, delay, spread, lost, ecn: code } => {
                self.report(count, delay, spread, lost, code);
            }
            Command::Lie { arrivals } => {
                let arrivals = arrivals.into_iter().take(MOST).map(|(sequence, at, code)| Arrival {
                    sequence,
                    at: at.map(Duration::from_nanos),
                    ecn: ecn(code),
                });
                self.estimator.on_feedback(self.now, arrivals);
            }
            Command::Wait { milliseconds } => self.now += Duration::from_millis(u64::from(milliseconds)),
            Command::Wake => {
                if let Some((at, _)) = self.estimator.poll_timeout() {
                    self.now = self.now.max(at.min(self.now + Duration::from_secs(3600)));
                }
            }
            Command::Back { milliseconds } => {
                let back = self.now.checked_sub(Duration::from_millis(u64::from(milliseconds)));
                self.now = back.unwrap_or(self.start).max(self.start);
            }
            Command::Wanted { rate } => self.estimator.set_wanted(self.now, DataRate::from_bps(rate)),
            Command::Bounds { min, max } => {
                let (min, max) = (DataRate::from_bps(min), DataRate::from_bps(max));
                self.estimator.set_bounds(self.now, min, max);
                self.bounds = (min, max.max(min));
            }
        }
    }

    fn send(&mut self, sequence: u64, size: u64, kind: Kind, probe: Option<ProbeId>) {
        let size = DataSize::from_bytes(size);
        self.estimator.on_sent(&Sent { sequence, size, at: self.now, kind, probe });
        if sequence >= self.next {
            self.next = sequence.saturating_add(1);
            self.sent.push((sequence, self.now.saturating_duration_since(self.start)));
            let old = self.sent.len().saturating_sub(MOST);
            self.sent.drain(..old);
        }
    }

    fn report(&mut self, count: u8, delay: u16, spread: i16, lost: u32, code: u8) {
        let skip = self.sent.len().saturating_sub(usize::from(count));
        let arrivals = self.sent.iter().skip(skip).enumerate().map(|(index, (sequence, sent_at))| {
            let shift = i64::from(spread) * index as i64 * 10 + i64::from(delay) * 100;
            let at = sent_at.as_micros() as i64 + shift;
            let is_lost = lost >> (index % 32) & 1 == 1;
            let at = (!is_lost).then(|| Duration::from_micros(u64::try_from(at).unwrap_or(0)));
            Arrival { sequence: *sequence, at, ecn: ecn(code) }
        });
        self.estimator.on_feedback(self.now, arrivals);
    }

    /// Nothing is due any more, and all is as it should be.
    fn settle(&mut self) {
        for _ in 0..PATIENCE {
            self.estimator.handle_timeout(self.now);
            for _ in 0..PATIENCE {
                match self.estimator.poll_event() {
                    Some(Event::Probe(probe)) => {
                        assert!(probe.rate <= self.bounds.1 && probe.packets > 0);
                        self.probe = Some(probe.id);
                    }
                    Some(Event::Target(target)) => assert_eq!(target, self.estimator.target()),
                    None => break,
                }
            }
            assert_eq!(self.estimator.poll_event(), None, "talks for ever");
            let target = self.estimator.target();
            assert!((self.bounds.0..=self.bounds.1).contains(&target), "{target}: {:?}", self.bounds);
            let stats = self.estimator.stats();
            assert!((0.0..=1.0).contains(&stats.lost), "{stats:?}");
            if self.estimator.poll_timeout().is_none_or(|(at, _)| at > self.now) {
                return;
            }
        }
        panic!("time stands still: {:?}", self.estimator.poll_timeout());
    }
}
