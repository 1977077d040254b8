//! How fast attempts begin (RFC 8445 §14.2): one per Ta in the long run, the first few at once, as ICE's own checks.

use std::time::{Duration, Instant};

/// How many may begin at once.
const BURST: u32 = ice::limits::ORDINARY_BURST;

#[derive(Clone, Copy, Debug)]
pub(super) struct Pacer {
    interval: Duration,
    booked: Option<Instant>,
}

impl Pacer {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, booked: None }
    }

    /// When the next one may begin; none: now.
    pub(super) fn ready(&self) -> Option<Instant> {
        self.booked.and_then(|booked| booked.checked_sub(self.interval * (BURST - 1)))
    }

    pub(super) fn may_begin(&self, now: Instant) -> bool {
        self.ready().is_none_or(|ready| ready <= now)
    }

    pub(super) fn began(&mut self, now: Instant) {
        self.booked = Some(self.booked.map_or(now, |booked| booked.max(now)) + self.interval);
    }
}
