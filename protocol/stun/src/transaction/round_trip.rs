//! How long an answer takes, and so when to ask again (RFC 8489 §6.2.1, RFC 6298).

use std::time::{Duration, Instant};

/// The first retransmission timeout over the open Internet is never shorter (RFC 8489 §6.2.1).
const MIN_RTO: Duration = Duration::from_millis(500);
const MAX_RTO: Duration = Duration::from_secs(60);
/// An estimate this old says nothing about the path any more (RFC 8489 §6.2.1).
const STALE: Duration = Duration::from_secs(600);

/// The retransmission timeout to one server, estimated from how long answers took (RFC 6298 §2).
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundTrip {
    estimate: Option<Estimate>,
}

#[derive(Clone, Copy, Debug)]
struct Estimate {
    smoothed: Duration,
    variation: Duration,
    measured: Instant,
}

impl RoundTrip {
    /// Learns from an answer that took `sample`, from a request that was sent once.
    pub fn measured(&mut self, now: Instant, sample: Duration) {
        let (smoothed, variation) = match self.fresh(now) {
            None => (sample, sample / 2),
            Some(estimate) => (
                (estimate.smoothed * 7 + sample) / 8,
                (estimate.variation * 3 + estimate.smoothed.abs_diff(sample)) / 4,
            ),
        };
        self.estimate = Some(Estimate { smoothed, variation, measured: now });
    }

    /// The smoothed round trip time, if one was measured in the last ten minutes.
    pub fn smoothed(&self, now: Instant) -> Option<Duration> {
        self.fresh(now).map(|estimate| estimate.smoothed)
    }

    /// What to use as the next request's first interval: 500 ms to 60 s.
    pub fn rto(&self, now: Instant) -> Duration {
        self.fresh(now)
            .map_or(MIN_RTO, |estimate| (estimate.smoothed + estimate.variation * 4).clamp(MIN_RTO, MAX_RTO))
    }

    fn fresh(&self, now: Instant) -> Option<Estimate> {
        self.estimate.filter(|estimate| now.saturating_duration_since(estimate.measured) < STALE)
    }
}
