//! Time within an estimator: microseconds, signed, so that differences in either direction are plain (RFC 8888 and
//! transport-wide feedback are coarser than that).

use std::time::{Duration, Instant};

/// Microseconds: a span, or a time since the beginning.
pub(crate) type Micros = i64;

pub(crate) const MILLISECOND: Micros = 1000;
pub(crate) const SECOND: Micros = 1_000_000;

/// Times beyond this, a century, count as this: sums of a few of them stay far from overflow.
const MAX: Micros = 86_400 * 365 * 100 * SECOND;

/// Before everything.
pub(crate) const NEVER: Micros = -MAX;

/// A `Duration` in microseconds, a century at most.
pub(crate) fn micros(duration: Duration) -> Micros {
    // In 64 bits: each packet is asked for some times.
    let seconds = duration.as_secs().min((MAX / SECOND) as u64) as Micros;
    (seconds * SECOND + Micros::from(duration.subsec_micros())).min(MAX)
}

/// The same the other way round; nothing below zero.
pub(crate) fn duration(micros: Micros) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// In milliseconds, with fractions.
pub(crate) fn milliseconds(micros: Micros) -> f64 {
    micros as f64 / 1000.0
}

/// Translates between the caller's instants and microseconds since the beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch: Instant,
    /// What was asked for last: all packets of a frame leave at one time.
    last: (Instant, Micros),
}

impl Clock {
    pub(crate) fn new(now: Instant) -> Self {
        Self { epoch: now, last: (now, 0) }
    }

    /// An instant before the beginning counts as the beginning.
    #[inline]
    pub(crate) fn time(&mut self, now: Instant) -> Micros {
        if self.last.0 != now {
            self.last = (now, micros(now.saturating_duration_since(self.epoch)));
        }
        self.last.1
    }

    pub(crate) fn instant(&self, time: Micros) -> Instant {
        self.epoch.checked_add(duration(time.min(MAX))).unwrap_or(self.epoch)
    }
}
