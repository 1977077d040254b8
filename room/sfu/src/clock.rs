//! How the clocks of a sender's encodings stand to each other: each counts from a random beginning (RFC 3550 §5.1).

use std::time::{Duration, Instant};

use rtp::Timestamp;

/// A jump of so many seconds is a clock that begins anew.
const JUMP: i32 = 5;
/// By one in so many a path's growing delay is followed; its shrinking at once.
const LEAK: i32 = 1024;

/// What must be added to a source's timestamps to have the times of arrival, in ticks: over the path when it is quickest,
/// so that frames that were taken at the same time agree.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    lag: Option<u32>,
}

impl Clock {
    /// A packet came this long after the room began; what to add.
    pub(crate) fn update(&mut self, since: Duration, timestamp: Timestamp, rate: u32) -> u32 {
        let ticks = (since.as_micros() as u64).wrapping_mul(u64::from(rate)) / 1_000_000;
        let now = (ticks as u32).wrapping_sub(timestamp.0);
        let Some(before) = self.lag else {
            self.lag = Some(now);
            return now;
        };
        let more = now.wrapping_sub(before).cast_signed();
        let jump = JUMP.saturating_mul(rate.cast_signed());
        let lag =
            if more < 0 || more > jump { now } else { before.wrapping_add((more / LEAK).cast_unsigned()) };
        self.lag = Some(lag);
        lag
    }

    pub(crate) fn lag(&self) -> u32 {
        self.lag.unwrap_or(0)
    }
}

/// Time since a beginning; none passes backwards.
pub(crate) fn since(beginning: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_packet_says_how_clocks_stand() {
        let mut clock = Clock::default();
        let mut lag = |ms: u64, ticks: u32| clock.update(Duration::from_millis(ms), Timestamp(ticks), 90_000);
        assert_eq!(lag(1_000, 50_000), 40_000);
        assert_eq!(lag(1_040, 53_000), 40_000, "7 ms late: hardly followed");
        assert_eq!(lag(1_060, 56_000), 39_400, "sooner");
        assert_eq!(lag(1_100, 4_000_000_000), 99_000_u32.wrapping_sub(4_000_000_000), "it begins anew");
    }
}
