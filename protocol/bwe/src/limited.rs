//! Whether the application sends less than it may (libwebrtc's `AlrDetector`: application-limited region; RFC 8836 §2
//! asks that what was not tried is not taken for granted).

use crate::rate::DataRate;
use crate::time::{MILLISECOND, Micros};

/// Who uses less of the target than this is limited by the application.
const USAGE: f64 = 0.65;
/// The budget, in time at that rate.
const WINDOW: f64 = 500.0 * MILLISECOND as f64;
/// Part of the budget that must be left for the phase to begin, and to last.
const BEGIN: f64 = 0.8;
const END: f64 = 0.5;

/// What the application sends is smoothed over this time.
const SMOOTHING: f64 = 250.0 * MILLISECOND as f64;

#[derive(Debug)]
pub(crate) struct Limited {
    /// Time that is left in the budget, in microseconds: it grows with time and shrinks by what is sent.
    left: f64,
    updated_at: Micros,
    /// Bits that were sent of late, the older ones in part.
    recent: f64,
    since: Option<Micros>,
}

impl Limited {
    pub(crate) fn new(now: Micros) -> Self {
        Self { left: 0.0, updated_at: now, recent: 0.0, since: None }
    }

    /// Time goes on.
    pub(crate) fn update(&mut self, now: Micros) {
        self.pass(now);
        self.judge(now);
    }

    /// Something was sent that was not made for measuring.
    pub(crate) fn on_sent(&mut self, now: Micros, bytes: u64, target: DataRate) {
        let rate = target.as_bps().max(1) as f64 * USAGE;
        let cost = bytes as f64 * 8.0 * 1_000_000.0 / rate;
        self.pass(now);
        self.left = (self.left - cost).max(-WINDOW);
        self.recent += bytes as f64 * 8.0;
        self.judge(now);
    }

    fn pass(&mut self, now: Micros) {
        // Packets of a frame leave at one time, of which nothing has passed.
        if now == self.updated_at && self.left <= WINDOW {
            return;
        }
        let passed = (now - self.updated_at).max(0) as f64;
        self.updated_at = now;
        self.left = (self.left + passed).min(WINDOW);
        self.recent *= SMOOTHING / (SMOOTHING + passed);
    }

    fn judge(&mut self, now: Micros) {
        if self.left > WINDOW * BEGIN && self.since.is_none() {
            self.since = Some(now);
        } else if self.left < WINDOW * END {
            self.since = None;
        }
    }

    /// What the application sends.
    pub(crate) fn rate(&self) -> DataRate {
        DataRate::from_bps((self.recent * 1_000_000.0 / SMOOTHING) as u64)
    }

    /// Since when the application is the limit, if it is.
    pub(crate) fn since(&self) -> Option<Micros> {
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_target_is_a_limit_and_four_fifths_are_none() {
        let target = DataRate::from_mbps(1);
        let run = |bytes: u64| {
            let mut limited = Limited::new(0);
            (0..500).for_each(|tick| limited.on_sent(tick * 10_000, bytes, target));
            limited.since().is_some()
        };
        assert!(run(625));
        assert!(!run(1000));
    }

    #[test]
    fn nothing_at_all_is_a_limit_too() {
        let mut limited = Limited::new(0);
        limited.update(500_000);
        assert!(limited.since().is_some());
    }
}
