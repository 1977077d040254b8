//! A pair of candidates: a way that is tried, and what is known about it (RFC 8445 §6.1.2).

use std::time::{Duration, Instant};

use stun::TransactionId;

use crate::path::Path;

/// Names a pair among those of one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairId(pub(crate) u32);

impl PairId {
    /// As a number, for those who need another name for it.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// How far the check of a pair is (RFC 8445 §6.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PairState {
    /// Not to be checked before another one of its foundation.
    Frozen,
    /// To be checked.
    Waiting,
    /// Being checked.
    InProgress,
    /// It works.
    Succeeded,
    /// It does not.
    Failed,
}

/// How often what was sent and received on a pair, and how long answers took: webrtc-stats'
/// `RTCIceCandidatePairStats`, as far as ICE knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairStats {
    /// Checks sent, without repetitions and those for consent.
    pub requests_sent: u64,
    /// Checks received.
    pub requests_received: u64,
    /// Answers sent.
    pub responses_sent: u64,
    /// Answers received.
    pub responses_received: u64,
    /// Checks sent for consent (RFC 7675).
    pub consent_requests_sent: u64,
    /// How long the last answer took.
    pub current_round_trip: Option<Duration>,
    /// How long all answers that could be timed took together.
    pub total_round_trip: Duration,
    /// How many answers could be timed: those to checks that were not repeated.
    pub round_trips: u64,
}

#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) id: PairId,
    /// The local candidate: the base until an answer shows another (RFC 8445 §7.2.5.3.2).
    pub(crate) local: usize,
    pub(crate) remote: usize,
    pub(crate) path: Path,
    pub(crate) priority: u64,
    pub(crate) state: PairState,
    /// TCP: there is a connection; without one it is opened first.
    pub(crate) connected: bool,
    /// TCP: until when the connection must be open.
    pub(crate) connect_by: Option<Instant>,
    /// The check that is outstanding, if one is; consent checks apart.
    pub(crate) check: Option<TransactionId>,
    pub(crate) nominated: bool,
    /// The controlling agent chose it before we knew that it works (RFC 8445 §7.3.1.5).
    pub(crate) nominate_when_valid: bool,
    /// When the controlling agent last chose it.
    pub(crate) chosen: Option<Instant>,
    /// When the last answer came.
    pub(crate) answered: Option<Instant>,
    /// When the first request was sent that has had no answer since.
    pub(crate) asked: Option<Instant>,
    /// When the peer was last heard on it.
    pub(crate) heard: Option<Instant>,
    /// Consent ended: not to be used again with these credentials (RFC 7675 §5.1).
    pub(crate) expired: bool,
    pub(crate) stats: PairStats,
}

impl Pair {
    pub(crate) fn new(id: PairId, (local, remote): (usize, usize), path: Path, priority: u64) -> Self {
        Self {
            id,
            local,
            remote,
            path,
            priority,
            state: PairState::Frozen,
            connected: false,
            connect_by: None,
            check: None,
            nominated: false,
            nominate_when_valid: false,
            chosen: None,
            answered: None,
            asked: None,
            heard: None,
            expired: false,
            stats: PairStats::default(),
        }
    }

    /// Whether data may be sent on it.
    pub(crate) fn is_valid(&self) -> bool {
        self.state == PairState::Succeeded && !self.expired
    }

    /// Whether its check may still change what is known.
    pub(crate) fn is_unsettled(&self) -> bool {
        matches!(self.state, PairState::Frozen | PairState::Waiting | PairState::InProgress)
    }

    /// How long an answer may take before it is missed: at least `least`.
    pub(crate) fn patience(&self, least: Duration) -> Duration {
        least + self.stats.current_round_trip.unwrap_or_default() * 2
    }

    /// Since when an answer is missed, if by now one is.
    pub(crate) fn missed(&self, least: Duration) -> Option<Instant> {
        self.asked.map(|asked| asked + self.patience(least))
    }

    pub(crate) fn was_asked(&mut self, now: Instant) {
        self.asked.get_or_insert(now);
    }

    pub(crate) fn was_answered(&mut self, now: Instant, round_trip: Option<Duration>) {
        self.answered = Some(now);
        self.asked = None;
        self.stats.responses_received += 1;
        if let Some(round_trip) = round_trip {
            self.stats.current_round_trip = Some(round_trip);
            self.stats.total_round_trip += round_trip;
            self.stats.round_trips += 1;
        }
    }
}
