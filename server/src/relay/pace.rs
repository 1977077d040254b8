//! When to let datagrams gather before reading them.
//!
//! Waking up costs more than relaying a datagram. At a few datagrams a second that does not matter, and each
//! is relayed at once. At full load it does not matter either: there always is more to read. In between,
//! with many calls that each send now and then, a short rest lets several datagrams be served for one
//! wake-up, as network cards do with their interrupts.

use std::time::{Duration, Instant};

/// The longest that a datagram waits because of a rest: inaudible, a fiftieth of a frame of sound.
pub(super) const REST: Duration = Duration::from_micros(200);

/// Datagrams a second from which rests are taken.
const MIN_RATE: f64 = 4_000.0;

/// As many datagrams in one turn show that there is no need to rest for more.
const FULL_TURN: u64 = 48;

/// Over which the rate is averaged.
const HORIZON: Duration = Duration::from_millis(20);

/// Watches how much there is to do.
pub(super) struct Pace {
    last: Instant,
    rate: f64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now, rate: 0.0 }
    }

    /// Notes a turn that handled so many datagrams; says how long to rest before the next one.
    pub(super) fn turn(&mut self, now: Instant, datagrams: u64) -> Option<Duration> {
        let elapsed = now.saturating_duration_since(self.last);
        self.last = now;
        // An exponential average over time: a turn weighs as much as the time it stands for.
        let weight = (elapsed.as_secs_f64() / HORIZON.as_secs_f64()).min(1.0);
        let present = datagrams as f64 / elapsed.as_secs_f64().max(1e-6);
        self.rate += (present - self.rate) * weight;
        (self.rate >= MIN_RATE && datagrams < FULL_TURN).then_some(REST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rest after a second of turns at this rate.
    fn rest_at(turns_a_second: u32, datagrams: u64) -> Option<Duration> {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut rest = None;
        for turn in 1..=turns_a_second {
            rest = pace.turn(start + Duration::from_secs(1) * turn / turns_a_second, datagrams);
        }
        rest
    }

    #[test]
    fn it_rests_only_between_idle_and_full_load() {
        assert_eq!(rest_at(50, 1), None);
        assert_eq!(rest_at(1_000, 1), None);
        assert_eq!(rest_at(20_000, 1), Some(REST));
        assert_eq!(rest_at(4_000, 5), Some(REST));
        assert_eq!(rest_at(4_000, 64), None);
    }

    #[test]
    fn a_lull_ends_it() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for turn in 1..=1000 {
            pace.turn(start + Duration::from_micros(50) * turn, 1);
        }
        assert_eq!(pace.turn(start + Duration::from_millis(100), 1), None);
    }
}
