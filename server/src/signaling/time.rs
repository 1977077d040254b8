//! The time that every call of the hub is given.

use std::time::{Duration, Instant};

/// One moment, on both clocks: the monotonic one for deadlines, and the wall's for what is written into
/// messages and signed tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// For deadlines.
    pub(crate) instant: Instant,
    /// Since the Unix epoch.
    pub(crate) unix: Duration,
}

impl Now {
    /// Milliseconds since the Unix epoch.
    pub(crate) fn unix_millis(&self) -> u64 {
        u64::try_from(self.unix.as_millis()).unwrap_or(u64::MAX)
    }

    /// Whole seconds since the Unix epoch.
    pub(crate) fn unix_seconds(&self) -> u64 {
        self.unix.as_secs()
    }
}
