//! Whole estimators over paths that are made up.

use super::*;
use crate::packet::{Ecn, ProbeId};

const MS: Duration = Duration::from_millis(1);

/// A sender of packets at the target, over a path of 20 ms; reports every 50 ms.
struct Run {
    start: Instant,
    now: Duration,
    estimator: Estimator,
    sequence: u64,
    under_way: Vec<Arrival>,
    probes: Vec<Probe>,
    /// Bits owed to the rate.
    owed: f64,
    /// When the bottleneck has sent everything so far.
    free_at: Duration,
}

impl Run {
    fn new(config: Config) -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]
        let start = Instant::now();
        Self {
            start,
            now: Duration::ZERO,
            estimator: Estimator::new(start, config),
            sequence: 0,
            under_way: Vec::new(),
            probes: Vec::new(),
            owed: 0.0,
            free_at: Duration::ZERO,
        }
    }

    fn send(&mut self, bytes: u64, probe: Option<ProbeId>, capacity: DataRate, ecn: Ecn, arrives: bool) {
        let (sequence, size) = (self.sequence, DataSize::from_bytes(bytes));
        self.sequence += 1;
        let at = self.start + self.now;
        self.estimator.on_sent(&Sent { sequence, size, at, kind: Kind::Media, probe });
        self.free_at = self.free_at.max(self.now) + size.at(capacity);
        let at = arrives.then_some(self.free_at + 20 * MS);
        self.under_way.push(Arrival { sequence, at, ecn });
    }

    /// Milliseconds pass; `part` of the target is used.
    fn go(
        &mut self,
        milliseconds: u32,
        part: f64,
        capacity: DataRate,
        ecn: impl Fn(u64) -> Ecn,
        reports: bool,
    ) {
        for _ in 0..milliseconds {
            self.now += MS;
            self.owed += self.estimator.target().as_bps() as f64 * part / 1000.0;
            while self.owed >= 9600.0 {
                self.owed -= 9600.0;
                self.send(1200, None, capacity, ecn(self.sequence), reports);
            }
            self.tick(capacity, &ecn, reports);
        }
    }

    /// Milliseconds pass; an application sends frames, thirty a second, at a rate that is its own, until the target is below
    /// this one.
    fn show(&mut self, milliseconds: u32, rate: DataRate, capacity: DataRate, below: DataRate) {
        for _ in 0..milliseconds {
            self.now += MS;
            if self.now.as_millis().is_multiple_of(33) {
                let packets = rate.over(33 * MS).as_bytes() / 1200;
                (0..packets).for_each(|_| self.send(1200, None, capacity, Ecn::NotEct, true));
            }
            self.tick(capacity, &plain, true);
            if self.estimator.target() < below {
                return;
            }
        }
    }

    /// What a millisecond has beside media.
    fn tick(&mut self, capacity: DataRate, ecn: &impl Fn(u64) -> Ecn, reports: bool) {
        let now = self.start + self.now;
        for probe in std::mem::take(&mut self.probes) {
            // As the pacer would, but all in this millisecond's slots.
            let count = probe.size.as_bytes().div_ceil(300).max(u64::from(probe.packets));
            let gap = DataSize::from_bytes(300).at(probe.rate);
            for _ in 0..count {
                self.send(300, Some(probe.id), capacity, ecn(self.sequence), reports);
                self.now += gap;
            }
        }
        self.estimator.handle_timeout(now);
        if self.now.as_millis().is_multiple_of(50) && reports {
            let until = self.now - 20 * MS;
            let there = |arrival: &Arrival| arrival.at.is_none_or(|at| at <= until);
            let (reported, rest): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.under_way).into_iter().partition(there);
            self.under_way = rest;
            self.estimator.on_feedback(self.start + self.now, reported);
        }
        while let Some(event) = self.estimator.poll_event() {
            if let Event::Probe(probe) = event {
                self.probes.push(probe);
            }
        }
    }
}

fn plain(_: u64) -> Ecn {
    Ecn::NotEct
}

#[test]
fn the_target_finds_the_capacity() {
    let mut run = Run::new(Config::default());
    run.go(3000, 1.0, DataRate::from_mbps(2), plain, true);
    let part = run.estimator.target().part_of(DataRate::from_mbps(2));
    assert!((0.8..1.05).contains(&part), "{}", run.estimator.target());
}

#[test]
fn marks_keep_the_target_below_the_capacity() {
    let config = Config { start: DataRate::from_mbps(2), ..Config::default() };
    let run = |marked: bool| {
        let mut run = Run::new(config);
        let ecn = |sequence: u64| {
            if marked && sequence.is_multiple_of(4) { Ecn::Ce } else { Ecn::Ect1 }
        };
        run.go(3000, 1.0, DataRate::from_mbps(50), ecn, true);
        run.estimator.target()
    };
    assert!(run(true) < DataRate::from_mbps(1), "{}", run(true));
    assert!(run(false) > DataRate::from_mbps(2), "{}", run(false));
}

#[test]
fn silence_lowers_the_target_and_its_end_brings_it_back() {
    let config = Config { start: DataRate::from_mbps(2), ..Config::default() };
    let mut run = Run::new(config);
    run.go(3000, 1.0, DataRate::from_mbps(4), plain, true);
    let before = run.estimator.target();
    run.go(2000, 1.0, DataRate::from_mbps(4), plain, false);
    assert!(run.estimator.target() < before.scaled(0.3), "{}", run.estimator.target());
    run.go(1000, 1.0, DataRate::from_mbps(4), plain, true);
    assert!(run.estimator.target() > before.scaled(0.8), "{} {before}", run.estimator.target());
}

#[test]
fn silence_before_any_feedback_is_nothing() {
    let mut run = Run::new(Config::default());
    run.go(10_000, 1.0, DataRate::from_mbps(4), plain, false);
    assert_eq!(run.estimator.target(), Config::default().start);
}

#[test]
fn an_application_that_sends_little_is_probed_for() {
    let config = Config { wanted: DataRate::from_mbps(4), ..Config::default() };
    let mut run = Run::new(config);
    run.go(1000, 0.2, DataRate::from_mbps(5), plain, true);
    assert!(run.estimator.target() > DataRate::from_mbps(1), "{}", run.estimator.target());
    run.go(8000, 0.1, DataRate::from_mbps(5), plain, true);
    assert!(run.estimator.target() > DataRate::from_mbps(3), "{}", run.estimator.target());
    assert!(run.estimator.stats().is_application_limited);
}

#[test]
fn who_knows_only_later_what_to_send_is_probed_for_at_once() {
    let (little, much) = (DataRate::from_kbps(47), DataRate::from_kbps(3200));
    let mut run = Run::new(Config { start: DataRate::from_mbps(1), wanted: little, ..Config::default() });
    run.estimator.handle_timeout(run.start);
    // A picture is there, and no report yet.
    run.estimator.set_wanted(run.start, much);
    let rate = DataRate::from_kbps(2500);
    run.show(200, rate, DataRate::from_mbps(100), DataRate::ZERO);
    assert!(run.estimator.target() >= rate, "{}", run.estimator.target());
}

#[test]
fn what_was_never_sent_is_counted_and_left_aside() {
    let mut run = Run::new(Config::default());
    let now = run.start;
    let lie = |sequence| Arrival { sequence, at: Some(MS), ecn: Ecn::NotEct };
    run.estimator.on_feedback(now, [lie(1), lie(u64::MAX)]);
    run.send(1200, None, DataRate::from_mbps(1), Ecn::NotEct, true);
    run.estimator.on_feedback(now + 50 * MS, [lie(0), lie(0)]);
    run.sequence = 0;
    run.send(1200, None, DataRate::from_mbps(1), Ecn::NotEct, true);
    let expected = Faults { unknown: 2, repeated: 1, disordered: 1 };
    assert_eq!(run.estimator.faults(), expected);
}

#[test]
fn bounds_hold() {
    let (min, max) = (DataRate::from_kbps(500), DataRate::from_mbps(1));
    let mut run = Run::new(Config { min, max, ..Config::default() });
    assert_eq!(run.estimator.target(), min);
    run.go(3000, 1.0, DataRate::from_mbps(10), plain, true);
    assert_eq!(run.estimator.target(), max);
    run.go(3000, 1.0, DataRate::from_kbps(200), plain, true);
    assert_eq!(run.estimator.target(), min);
    let now = run.start + run.now;
    run.estimator.set_bounds(now, max, DataRate::from_mbps(2));
    assert_eq!(run.estimator.target(), max);
}

/// Before, the way carried twice what is sent: the target says nothing of what is.
#[test]
fn a_way_that_narrows_is_found_out_within_a_few_reports() {
    let (sent, target) = (DataRate::from_kbps(1900), DataRate::from_kbps(600));
    for capacity in [200, 400, 600].map(DataRate::from_kbps) {
        let mut run = Run::new(Config::default());
        run.show(3000, sent, DataRate::from_mbps(10), DataRate::ZERO);
        assert!(run.estimator.target() > sent.scaled(1.5), "{}", run.estimator.target());
        let began = run.now;
        run.show(3000, sent, capacity, target);
        let (took, found) = (run.now - began, run.estimator.target());
        assert!(took <= 300 * MS, "{capacity}: {found} after {took:?}");
        assert!(found > capacity.scaled(0.5), "{capacity}: {found}");
    }
}
