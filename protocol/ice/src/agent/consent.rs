//! Whether the peer still wants what we send (RFC 7675), whether it is still there, and keepalives where
//! nobody asks (RFC 8445 §11).

use std::time::{Duration, Instant};

use stun::transaction::Schedule;

use super::nomination::SUSPICION;
use super::{Agent, Event, Purpose, Reason};
use crate::pair::{Pair, PairId, PairState};
use crate::session::Session;

/// How long an answer is good for (RFC 7675 §5.1).
pub(super) const CONSENT: Duration = Duration::from_secs(30);
/// How often consent is asked for, give or take a fifth (RFC 7675 §5.1).
const PERIOD: Duration = Duration::from_secs(5);
/// Tr (RFC 8445 §11).
const KEEPALIVE: Duration = Duration::from_secs(15);
/// An answer missed for so long (and twice the round trip) has the pair, and others, checked.
const DOUBT: Duration = Duration::from_millis(500);
/// For so long an answer must be missed before the peer counts as disconnected: three repetitions.
const MISSED: Duration = Duration::from_secs(3);
/// A peer that has not answered for so long is disconnected, if it was asked often enough.
const DISCONNECTION: Duration = Duration::from_secs(5);
/// The same where we only listen: a peer asks every 4 to 6 seconds.
const SILENCE: Duration = Duration::from_secs(10);
/// Checks that have been unanswered for so long when consent ends will not be answered.
const HOPELESS: Duration = Duration::from_secs(8);

impl Agent {
    pub(super) fn consent_period(&self) -> Duration {
        if self.config.consent && !self.config.lite { PERIOD } else { KEEPALIVE }
    }

    /// What is due on the pair that carries data.
    pub(super) fn tend(&mut self, now: Instant) {
        let Some((generation, pair)) =
            self.carrier().and_then(|session| Some((session.generation, session.selected()?)))
        else {
            return;
        };
        let id = pair.id;
        if self.expires(pair).is_some_and(|expires| expires <= now) {
            self.expire(now, generation, id);
            return;
        }
        let is_doubted = self.is_watching() && pair.missed(DOUBT).is_some_and(|missed| missed <= now);
        let is_suspected = pair.missed(SUSPICION).is_some_and(|missed| missed <= now);
        if self.disconnects(pair).is_some_and(|disconnects| disconnects <= now)
            && let Some(session) = self.session_mut(generation)
        {
            session.disconnected = true;
        }
        if is_suspected && let Some(session) = self.session_mut(generation) {
            session.suspected = true;
        }
        if is_doubted {
            self.doubt(now, generation, id);
        }
        self.ask(now, generation, id);
    }

    /// Asks for consent, or keeps the way open.
    fn ask(&mut self, now: Instant, generation: u32, id: PairId) {
        let due = self.session_mut(generation).and_then(|session| session.next_consent);
        if due.is_none_or(|due| due > now) {
            return;
        }
        let next = now + self.random.around(self.consent_period());
        if !self.is_watching() {
            self.keep_alive(generation, id);
        } else {
            // Sent once, and answered any time before consent ends.
            let schedule = Schedule::Datagrams { rto: CONSENT, requests: 1, last_wait: 1 };
            let sent = self.send_check(now, generation, id, Purpose::Consent, schedule).is_some();
            if let Some(pair) = self.session_mut(generation).and_then(|session| session.pair_mut(id)) {
                pair.stats.consent_requests_sent += u64::from(sent);
            }
        }
        if let Some(session) = self.session_mut(generation) {
            session.next_consent = Some(next);
        }
    }

    /// Whether answers tell us that the peer is there.
    fn is_watching(&self) -> bool {
        self.config.consent && !self.config.lite
    }

    /// When consent ends.
    fn expires(&self, pair: &Pair) -> Option<Instant> {
        let proof = if self.config.lite { pair.heard } else { pair.answered };
        proof.filter(|_| self.config.consent).map(|proof| proof + CONSENT)
    }

    /// When the peer counts as disconnected.
    fn disconnects(&self, pair: &Pair) -> Option<Instant> {
        if !self.config.consent {
            return None;
        }
        if self.config.lite {
            return pair.heard.map(|heard| heard + SILENCE);
        }
        let missed = pair.missed(MISSED)?;
        pair.answered.map(|answered| missed.max(answered + DISCONNECTION))
    }

    /// Whether the peer has answered, or where we only listen, was heard.
    pub(super) fn is_well(&self, now: Instant, session: &Session) -> bool {
        session.selected().is_some_and(|pair| {
            pair.asked.is_none() && (!self.config.lite || self.disconnects(pair).is_none_or(|at| at > now))
        })
    }

    /// Checks the pair in earnest, and the others with it.
    fn doubt(&mut self, now: Instant, generation: u32, id: PairId) {
        let Some(session) = self.session_mut(generation) else { return };
        if std::mem::replace(&mut session.reopened, true) {
            return;
        }
        if generation == self.session.generation {
            self.trigger(id, Purpose::Check);
            self.recheck(now);
        } else {
            let schedule =
                Schedule::Datagrams { rto: self.config.rto, requests: self.config.requests, last_wait: 16 };
            self.send_check(now, generation, id, Purpose::Check, schedule);
        }
    }

    /// Has every pair checked again that might do in place of the selected one.
    pub(super) fn recheck(&mut self, now: Instant) {
        self.session.reopened = true;
        let selected = self.session.selected;
        let mut fresh = Vec::new();
        for index in 0..self.session.pairs.len() {
            let pair = &self.session.pairs[index];
            if Some(pair.id) == selected || pair.expired || pair.check.is_some() {
                continue;
            }
            if pair.is_valid() && self.has_consent(now, pair) {
                fresh.push(pair.id);
            } else if pair.connect_by.is_none() {
                self.session.pairs[index].state = PairState::Waiting;
            }
        }
        fresh.into_iter().for_each(|id| self.trigger(id, Purpose::Check));
    }

    /// Consent ended, or was taken back: nothing more is sent on this pair, ever (RFC 7675 §5.1).
    pub(super) fn expire(&mut self, now: Instant, generation: u32, id: PairId) {
        let Some(pair) = self.session_mut(generation).and_then(|session| session.pair_mut(id)) else {
            return;
        };
        pair.expired = true;
        self.forget_expired(now);
    }

    /// Takes expired pairs out of use.
    pub(super) fn forget_expired(&mut self, now: Instant) {
        let is_gone = |session: &Session, id: PairId| session.pair(id).is_none_or(|pair| pair.expired);
        let mut lost = false;
        if let Some(previous) = self.previous.as_deref_mut()
            && let Some(id) = previous.selected
            && is_gone(previous, id)
        {
            previous.selected = None;
            lost = self.session.selected.is_none();
        }
        let session = &mut self.session;
        let was_selected = session.selected.is_some_and(|id| is_gone(session, id));
        session.nominated = session.nominated.filter(|id| !is_gone(session, *id));
        session.nominating = session.nominating.filter(|id| !is_gone(session, *id));
        let gone: Vec<PairId> =
            session.pairs.iter().filter(|pair| pair.expired).map(|pair| pair.id).collect();
        session.triggered.retain(|(id, _)| !gone.contains(id));
        for pair in session.pairs.iter_mut().filter(|pair| pair.expired) {
            pair.state = PairState::Failed;
            pair.nominated = false;
        }
        if was_selected {
            for pair in session.pairs.iter_mut().filter(|pair| pair.is_unsettled()) {
                if pair.asked.is_some_and(|asked| asked + HOPELESS <= now) {
                    pair.state = PairState::Failed;
                    pair.check = None;
                }
            }
            if !session.reopened {
                self.recheck(now);
            }
        }
        if lost {
            self.events.push_back(Event::Lost);
        }
    }

    /// The next thing that is due on the pair that carries data.
    pub(super) fn next_tending(&self) -> Option<(Instant, Reason)> {
        let session = self.carrier()?;
        let pair = session.selected()?;
        let doubt = pair.missed(DOUBT).filter(|_| self.is_watching() && !session.reopened);
        let suspicion = pair.missed(SUSPICION).filter(|_| self.is_watching() && !session.suspected);
        let disconnection = self.disconnects(pair).filter(|_| !session.disconnected);
        let all = [
            (session.next_consent, Reason::Consent),
            (doubt, Reason::Doubt),
            (suspicion, Reason::Doubt),
            (disconnection, Reason::Disconnection),
            (self.expires(pair), Reason::Expiry),
        ];
        all.into_iter().filter_map(|(at, reason)| Some((at?, reason))).min()
    }
}
