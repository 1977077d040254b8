//! Round-trip time and retransmission timeout (RFC 9260 §6.3.1).

use crate::config::Config;
use crate::time::{MILLISECOND, Nanos, nanos};

/// What the timeout leaves for a peer that delays its SACKs, as they all do by up to 200 ms, when the
/// measured variance is small: libwebrtc's value.
const MIN_VARIANCE: Nanos = 220 * MILLISECOND;

/// Estimates of the round trip.
#[derive(Clone, Debug)]
pub(crate) struct RoundTrip {
    smoothed: Option<Nanos>,
    variance: Nanos,
    /// The least ever measured.
    min: Nanos,
    pub(crate) latest: Nanos,
    rto: Nanos,
    backoff: u32,
    bounds: (Nanos, Nanos),
}

impl RoundTrip {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            smoothed: None,
            variance: 0,
            min: Nanos::MAX,
            latest: 0,
            rto: nanos(config.initial_rto),
            backoff: 0,
            bounds: (nanos(config.min_rto), nanos(config.max_rto)),
        }
    }

    pub(crate) fn smoothed(&self) -> Option<Nanos> {
        self.smoothed
    }

    pub(crate) fn min(&self) -> Nanos {
        self.min
    }

    /// A measurement (C2 to C5, C7).
    pub(crate) fn measured(&mut self, rtt: Nanos) {
        self.latest = rtt;
        self.min = self.min.min(rtt);
        let smoothed = match self.smoothed {
            None => {
                self.variance = rtt / 2;
                rtt
            }
            Some(smoothed) => {
                self.variance = (self.variance * 3 + smoothed.abs_diff(rtt)) / 4;
                (smoothed * 7 + rtt) / 8
            }
        };
        self.smoothed = Some(smoothed);
        self.rto = (smoothed + MIN_VARIANCE.max(4 * self.variance)).clamp(self.bounds.0, self.bounds.1);
        self.backoff = 0;
    }

    /// The timeout, doubled for each that expired in a row (E2).
    pub(crate) fn timeout(&self) -> Nanos {
        (self.rto << self.backoff.min(16)).min(self.bounds.1)
    }

    /// It expired.
    pub(crate) fn back_off(&mut self) {
        self.backoff += 1;
    }

    /// Data arrived again.
    pub(crate) fn reset_backoff(&mut self) {
        self.backoff = 0;
    }
}
