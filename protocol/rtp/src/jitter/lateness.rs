//! How late packets come: by how unevenly they do (RFC 3550 appendix A.8), and how long it takes to have one sent again
//! (RFC 4588 §6.3).

use std::time::{Duration, Instant};

use crate::number::Timestamp;

/// One that was merely overtaken comes within that, where all else is even.
const OVERTAKEN: Duration = Duration::from_millis(20);

#[derive(Clone, Debug)]
pub(super) struct Lateness {
    clock_rate: u32,
    /// Mean deviation, with a sixteenth of each new one.
    jitter: Duration,
    last: Option<(Instant, Timestamp)>,
    /// From missing a packet to its repair: goes up at once, and down slowly.
    repair: Option<Duration>,
}

impl Lateness {
    pub(super) fn new(clock_rate: u32) -> Self {
        Self { clock_rate, jitter: Duration::ZERO, last: None, repair: None }
    }

    /// A packet came that was not sent again.
    pub(super) fn arrived(&mut self, now: Instant, timestamp: Timestamp) {
        let Some((before, earlier)) = self.last.replace((now, timestamp)) else { return };
        let apart = now.saturating_duration_since(before).as_nanos().cast_signed();
        let sent =
            i128::from(timestamp.ahead_of(earlier)) * 1_000_000_000 / i128::from(self.clock_rate.max(1));
        // Silence, and a sender that begins anew, are no jitter.
        let uneven = (apart - sent).unsigned_abs().min(1_000_000_000) as u64;
        self.jitter = self.jitter * 15 / 16 + Duration::from_nanos(uneven) / 16;
    }

    /// A packet that was missed so long was sent again.
    pub(super) fn repaired(&mut self, after: Duration) {
        let slowly = self.repair.map_or(after, |known| known * 7 / 8 + after / 8);
        self.repair = Some(after.max(slowly));
    }

    /// How long it pays to wait; none where that is not known yet.
    pub(super) fn expected(&self, repairs: bool) -> Option<Duration> {
        let uneven = OVERTAKEN + self.jitter * 4;
        match (repairs, self.repair) {
            (false, _) => Some(uneven),
            // The first request may be lost, too.
            (true, Some(repair)) => Some(repair * 2 + uneven),
            (true, None) => None,
        }
    }
}
