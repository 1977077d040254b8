//! The round trip, from feedback (RFC 8888 §3.1: what the newest packet took, without how long its report waited, if that
//! is known). It serves for pacing of reactions only.

use crate::time::{MILLISECOND, Micros};

/// What is assumed before anything is known.
const INITIAL: Micros = 100 * MILLISECOND;

#[derive(Debug)]
pub(crate) struct RoundTrip {
    smoothed: Option<Micros>,
    last: Micros,
}

impl RoundTrip {
    pub(crate) fn new() -> Self {
        Self { smoothed: None, last: 0 }
    }

    /// The newest packet of a feedback took so long.
    pub(crate) fn on_sample(&mut self, sample: Micros) {
        let sample = sample.max(0);
        let smoothed = self.smoothed.map_or(sample, |smoothed| (7 * smoothed + sample) / 8);
        (self.smoothed, self.last) = (Some(smoothed), sample);
    }

    /// What an answer takes at the most, as far as is known: the last one, where that took longer than most.
    pub(crate) fn longest(&self) -> Option<Micros> {
        Some(self.smoothed?.max(self.last))
    }

    pub(crate) fn smoothed(&self) -> Micros {
        self.smoothed.unwrap_or(INITIAL)
    }

    pub(crate) fn is_known(&self) -> bool {
        self.smoothed.is_some()
    }
}
