//! How fast checks go out (RFC 8445 §14): one per Ta in the long run, the first few at once.

use std::time::{Duration, Instant};

/// A virtual schedule: each check books Ta, and may be so many bookings early.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pacer {
    interval: Duration,
    booked: Option<Instant>,
}

impl Pacer {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, booked: None }
    }

    /// When the next check may be sent, of those that may be `burst` at once; `None` is now.
    pub(super) fn ready(&self, burst: u32) -> Option<Instant> {
        self.booked.and_then(|booked| booked.checked_sub(self.interval * (burst - 1)))
    }

    pub(super) fn may_send(&self, now: Instant, burst: u32) -> bool {
        self.ready(burst).is_none_or(|ready| ready <= now)
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.booked = Some(self.booked.map_or(now, |booked| booked.max(now)) + self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_per_interval() {
        let interval = Duration::from_millis(5);
        let mut pacer = Pacer::new(interval);
        #[expect(clippy::disallowed_methods, reason = "an origin for virtual time")]
        let start = Instant::now();
        for _ in 0..3 {
            assert!(pacer.may_send(start, 3));
            pacer.sent(start);
        }
        assert!(!pacer.may_send(start, 3));
        assert!(pacer.may_send(start, 4), "those with a larger burst have a reserve");
        assert_eq!(pacer.ready(3), Some(start + interval));
        for step in 1..10 {
            let now = start + interval * step;
            assert!(pacer.may_send(now, 3));
            pacer.sent(now);
            assert!(!pacer.may_send(now, 3));
        }
        assert!(pacer.may_send(start + interval * 100, 1), "an idle agent may send at once");
    }
}
