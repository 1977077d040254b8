//! Time within an association: nanoseconds, which cost less than `Instant` to compare and to keep
//! (the timers are those of RFC 9260 §6.3).

use std::time::{Duration, Instant};

/// A span of time in nanoseconds.
pub(crate) type Nanos = u64;

pub(crate) const MILLISECOND: Nanos = 1_000_000;
pub(crate) const SECOND: Nanos = 1_000_000_000;

/// Nanoseconds since a little before the association was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(u64);

impl Time {
    /// Later than everything.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) fn since(self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0)
    }

    pub(crate) fn plus(self, span: Nanos) -> Self {
        Self(self.0.saturating_add(span))
    }

    pub(crate) fn minus(self, span: Nanos) -> Self {
        Self(self.0.saturating_sub(span))
    }

    pub(crate) fn to_nanos(self) -> u64 {
        self.0
    }

    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
}

/// Translates between the caller's instants and [`Time`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch: Instant,
}

/// Where `Time` begins, so that zero can stand for "never happened".
const BEGINNING: Nanos = SECOND;

impl Clock {
    pub(crate) fn new(now: Instant) -> Self {
        Self { epoch: now }
    }

    /// An instant before the association was made counts as its beginning.
    #[inline]
    pub(crate) fn time(&self, now: Instant) -> Time {
        Time(BEGINNING + nanos(now.saturating_duration_since(self.epoch)))
    }

    pub(crate) fn instant(&self, time: Time) -> Instant {
        let span = Duration::from_nanos(time.0.saturating_sub(BEGINNING));
        // A deadline beyond what an `Instant` can hold is as good as a century away.
        self.epoch.checked_add(span).unwrap_or_else(|| self.epoch + Duration::from_secs(86_400 * 365 * 100))
    }
}

/// A `Duration` as nanoseconds; 584 years at most.
#[inline]
pub(crate) fn nanos(duration: Duration) -> Nanos {
    duration.as_secs().saturating_mul(SECOND).saturating_add(u64::from(duration.subsec_nanos()))
}
