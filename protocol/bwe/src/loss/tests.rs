//! Loss of several kinds.

use super::*;

/// Sends at a rate that swings by a fifth for so long, in packets of 1,200 bytes; `lost` says which part at which rate.
struct Run {
    loss: Loss,
    now: Micros,
    /// What is due to be lost, so that parts are exact.
    owed: f64,
    kilobits: f64,
}

impl Run {
    fn new(kilobits: f64) -> Self {
        Self { loss: Loss::new(), now: 0, owed: 0.0, kilobits }
    }

    fn go(&mut self, seconds: i64, follows: bool, queue: bool, lost: impl Fn(f64) -> f64) -> f64 {
        let end = self.now + seconds * SECOND;
        let mut report_at = self.now;
        while self.now < end {
            let swing = if self.now / (2 * SECOND) % 2 == 0 { 0.8 } else { 1.2 };
            let bound = self.loss.bound().map_or(f64::INFINITY, |bound| bound.as_bps() as f64 / 1000.0);
            let rate = if follows { (self.kilobits * swing).min(bound) } else { self.kilobits * swing };
            self.now += (1200.0 * 8.0 / rate * 1000.0) as Micros;
            self.owed += lost(rate);
            let is_lost = self.owed >= 1.0;
            self.owed -= f64::from(u8::from(is_lost));
            self.loss.on_packet(self.now, 1200, is_lost);
            if self.now >= report_at {
                report_at += 50 * MILLISECOND;
                let delivered = DataRate::from_bps((rate * (1.0 - lost(rate)) * 1000.0) as u64);
                let allowed = DataRate::from_bps((self.kilobits * 1300.0) as u64);
                self.loss.update(self.now, allowed, Some(delivered), queue);
            }
        }
        self.loss.bound().map_or(f64::INFINITY, |bound| bound.as_bps() as f64 / 1000.0)
    }
}

#[test]
fn little_loss_sets_no_bound() {
    let bound = Run::new(2000.0).go(20, true, false, |_| 0.015);
    assert_eq!(bound.to_bits(), f64::INFINITY.to_bits());
}

#[test]
fn loss_at_any_rate_is_known_after_a_while() {
    let mut run = Run::new(2000.0);
    let bound = run.go(20, true, false, |_| 0.08);
    assert_eq!(bound.to_bits(), f64::INFINITY.to_bits());
    let inherent = run.loss.inherent(run.now);
    assert!((0.06..0.1).contains(&inherent), "{inherent}");
}

#[test]
fn a_bound_holds_as_long_as_packets_are_lost() {
    let mut run = Run::new(500.0);
    run.go(5, false, false, |_| 0.5);
    assert!(run.loss.is_holding());
    // Soon nothing is lost any more, and the bound is still far below what is sent.
    let bound = run.go(3, false, false, |_| 0.0);
    assert!(bound < 500.0 && !run.loss.is_holding(), "{bound}");
}

#[test]
fn loss_beyond_a_capacity_sets_a_bound_there() {
    let beyond = |rate: f64| (1.0 - 1500.0 / rate).max(0.0);
    let mut run = Run::new(2000.0);
    run.go(10, true, false, beyond);
    let mut least: f64 = f64::INFINITY;
    for _ in 0..10 {
        least = least.min(run.go(1, true, false, beyond));
    }
    assert!((1200.0..1700.0).contains(&least), "{least}");
    assert!(run.loss.part() < 0.1, "{}", run.loss.part());
}

#[test]
fn loss_beside_a_queue_is_never_chance() {
    let mut run = Run::new(2000.0);
    let bound = run.go(10, false, true, |_| 0.05);
    assert!(bound < 2000.0, "{bound}");
    assert_eq!(run.loss.inherent(run.now).to_bits(), 0.0_f64.to_bits());
}

#[test]
fn an_application_that_sends_little_does_not_lose_everything() {
    let allowed = DataRate::from_mbps(4);
    let mut loss = Loss::new();
    loss.set_limited(true);
    for index in 0..26 {
        loss.on_packet(index * 10_000, 200, index % 10 == 0);
    }
    loss.update(SECOND, allowed, Some(DataRate::from_kbps(150)), true);
    assert_eq!(loss.bound(), Some(allowed.scaled(LIMITED)));
}

#[test]
fn what_was_sent_before_a_decrease_is_answered() {
    let mut loss = Loss::new();
    loss.on_decrease(SECOND);
    for index in 0..100 {
        loss.on_packet(index * 10_000, 1200, true);
    }
    loss.update(SECOND, DataRate::from_mbps(1), None, true);
    assert!(!loss.is_bound());
}

#[test]
fn a_bound_that_meets_no_loss_is_lifted() {
    let mut run = Run::new(2000.0);
    assert!(run.go(5, false, true, |_| 0.3) < 2000.0);
    assert_eq!(run.go(20, true, false, |_| 0.0).to_bits(), f64::INFINITY.to_bits());
}
