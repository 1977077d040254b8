//! A token bucket that stores one instant (the generic cell rate algorithm).

use std::time::{Duration, Instant};

/// Admits `burst` at once and one more every `interval`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    interval: Duration,
    tolerance: Duration,
    /// When the bucket will be full again, if nothing more is taken.
    full_at: Instant,
}

impl Bucket {
    pub(crate) fn new(now: Instant, per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, tolerance: interval * burst.max(1), full_at: now }
    }

    /// Takes `cost` out, or says how long to wait until that would work.
    pub(crate) fn take(&mut self, now: Instant, cost: u32) -> Result<(), Duration> {
        let full_at = self.full_at.max(now) + self.interval * cost;
        let ahead = full_at.duration_since(now);
        if ahead > self.tolerance {
            return Err(ahead - self.tolerance);
        }
        self.full_at = full_at;
        Ok(())
    }

    /// Takes `cost` out even where that leaves a debt to wait off, at most one whole bucket of it.
    pub(crate) fn charge(&mut self, now: Instant, cost: u32) {
        let full_at = self.full_at.max(now) + self.interval * cost;
        self.full_at = full_at.min(now + 2 * self.tolerance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_every_interval() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start, 50, 200);
        for _ in 0..200 {
            assert_eq!(bucket.take(start, 1), Ok(()));
        }
        assert_eq!(bucket.take(start, 1), Err(Duration::from_millis(20)));
        let later = start + Duration::from_millis(20);
        assert_eq!(bucket.take(later, 1), Ok(()));
        assert_eq!(bucket.take(later, 1), Err(Duration::from_millis(20)));
        // A long silence refills it, and no more than that.
        let later = start + Duration::from_secs(3600);
        assert_eq!((0..300).filter(|_| bucket.take(later, 1).is_ok()).count(), 200);
    }

    #[test]
    fn a_charge_leaves_a_debt_of_at_most_one_bucket() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start, 10, 10);
        for _ in 0..100 {
            bucket.charge(start, 5);
        }
        assert_eq!(bucket.take(start, 1), Err(Duration::from_millis(1100)));
    }
}
