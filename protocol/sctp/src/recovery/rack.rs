//! Loss detection by time: RACK (RFC 8985 §6), and when to probe for a lost tail (RFC 8985 §7).
//!
//! A packet is lost when one that left later has arrived and the time in which it could have been merely
//! reordered is over. That time starts at a quarter of the least round trip (§6.2 step 4) and grows with
//! the reordering that is seen: by what a late packet would have needed, and by duplicates that the
//! peer reports (§6.2's DSACK rule).

use super::round_trip::RoundTrip;
use crate::time::{MILLISECOND, Nanos, Time};

/// Losses repaired until a grown window shrinks back (§6.2 step 4: 16 recoveries).
const PERSISTENCE: u32 = 16;
/// How much reordering is borne on paths with a shorter round trip than that.
const MAX_ON_SHORT_PATHS: Nanos = 20 * MILLISECOND;
/// The least time before a probe for the tail.
const MIN_PROBE_TIMEOUT: Nanos = 10 * MILLISECOND;
/// How long the peer may hold back its SACK for a single packet (RFC 9260 §6.2).
const PEER_SACK_DELAY: Nanos = 200 * MILLISECOND;

#[derive(Debug, Default)]
pub(crate) struct Rack {
    /// The packet that left last of those that arrived.
    newest: Option<(u64, Time)>,
    /// Its round trip.
    rtt: Nanos,
    /// The reordering seen lately.
    seen: Nanos,
    /// Quarters of the least round trip, as duplicates taught us.
    multiplier: u64,
    persistence: u32,
    /// TSN that ends the round trip in which duplicates raised the multiplier last.
    raised_until: u64,
}

impl Rack {
    /// A packet arrived (§6.2 steps 1 and 2).
    #[inline]
    pub(crate) fn arrived(&mut self, number: u64, sent_at: Time, rtt: Nanos) {
        if self.newest.is_none_or(|newest| number > newest.0) {
            self.newest = Some((number, sent_at));
            self.rtt = rtt;
        }
    }

    /// A packet arrived that had left before one that arrived earlier: `rtt` is what it took (step 3).
    pub(crate) fn arrived_late(&mut self, rtt: Nanos) {
        let needed = rtt.saturating_sub(self.rtt);
        if needed > self.seen {
            self.seen = needed;
            self.persistence = PERSISTENCE;
        }
    }

    /// Whether this packet left before one that arrived already.
    pub(crate) fn is_late(&self, number: u64) -> bool {
        self.newest.is_some_and(|newest| number < newest.0)
    }

    /// The peer reported duplicates: something was sent again needlessly. At most once a round trip.
    pub(crate) fn duplicates_seen(&mut self, cumulative: u64, next_tsn: u64) {
        if cumulative >= self.raised_until {
            self.raised_until = next_tsn;
            self.multiplier = (self.multiplier + 1).min(8);
            self.persistence = PERSISTENCE;
        }
    }

    /// All that was lost was repaired.
    pub(crate) fn recovered(&mut self) {
        self.persistence = self.persistence.saturating_sub(1);
        if self.persistence == 0 {
            self.multiplier = 0;
            self.seen = 0;
        }
    }

    /// How much later than others a packet may arrive.
    fn reordering_window(&self, round_trip: &RoundTrip) -> Nanos {
        let min = round_trip.min();
        if min == Nanos::MAX {
            return 0;
        }
        // A round trip (§6.2 step 4); on short paths more, since reordering there can take longer.
        let most = round_trip.smoothed().unwrap_or(min).max(MAX_ON_SHORT_PATHS);
        let window = (min / 4 * (self.multiplier + 1)).max(self.seen + self.seen / 4);
        // Below a millisecond drivers and schedulers reorder, not networks.
        window.clamp(MILLISECOND, most)
    }

    /// When a packet counts as lost (§6.2 step 5); `None` where nothing that left later has arrived.
    #[inline]
    pub(crate) fn loss_time(&self, number: u64, sent_at: Time, round_trip: &RoundTrip) -> Option<Time> {
        let (newest, _) = self.newest?;
        (number < newest).then(|| sent_at.plus(self.rtt + self.reordering_window(round_trip)))
    }

    /// How long after the last packet left a probe for the tail is due (§7.2).
    pub(crate) fn probe_timeout(round_trip: &RoundTrip, expects_delayed_sack: bool) -> Option<Nanos> {
        let timeout = (2 * round_trip.smoothed()?).max(MIN_PROBE_TIMEOUT);
        Some(if expects_delayed_sack { timeout + PEER_SACK_DELAY } else { timeout })
    }
}
