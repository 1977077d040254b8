//! Checks go out (RFC 8445 §6.1.4.2, §7.2).

use std::time::{Duration, Instant};

use stun::transaction::Schedule;
use stun::{Class, Method, TransactionId, Writer, attribute::Username};

use super::{Agent, Role};
use crate::attribute::{IceControlled, IceControlling, Nomination, Priority, UseCandidate};
use crate::limits;
use crate::pair::{PairId, PairState};
use crate::path::Protocol;

/// Ti of RFC 8489 §6.2.2, for checks over TCP, and for opening the connection.
pub(super) const STREAM_TIMEOUT: Duration = Duration::from_millis(39_500);
/// Rm of RFC 8489 §6.2.1.
const LAST_WAIT: u32 = 16;

/// What a check is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To see whether the pair works.
    Check,
    /// To choose it (RFC 8445 §8.1.1).
    Nomination,
    /// To ask for consent: sent once (RFC 7675 §5.1).
    Consent,
}

/// A check that is outstanding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    pub(super) id: TransactionId,
    pub(super) generation: u32,
    pub(super) pair: PairId,
    pub(super) purpose: Purpose,
    /// The role that it claims.
    pub(super) role: Role,
}

impl Agent {
    /// Starts every check that may be sent by now.
    pub(super) fn schedule(&mut self, now: Instant) {
        if !self.may_check() {
            return;
        }
        while self.pacer.may_send(now, limits::TRIGGERED_BURST)
            && let Some((pair, purpose)) = self.session.triggered.pop_front()
        {
            self.start(now, pair, purpose);
        }
        while self.pacer.may_send(now, limits::ORDINARY_BURST)
            && let Some(pair) = self.session.next_ordinary()
        {
            self.start(now, pair, Purpose::Check);
        }
    }

    /// When the next check may be sent, if one waits.
    pub(super) fn next_check(&self) -> Option<Instant> {
        if !self.may_check() {
            return None;
        }
        let triggered = !self.session.triggered.is_empty();
        let triggered = triggered.then(|| self.pacer.ready(limits::TRIGGERED_BURST)).flatten();
        let ordinary = || self.session.has_ordinary().then(|| self.pacer.ready(limits::ORDINARY_BURST));
        triggered.into_iter().chain(ordinary().flatten()).min()
    }

    fn may_check(&self) -> bool {
        let session = &self.session;
        let has_room = self.datagrams.len().max(self.frames.len()) < limits::CHECKS;
        has_room && !self.config.lite && !session.failed && session.remote.is_some()
    }

    /// Queues a triggered check, or a nomination in its place (RFC 8445 §6.1.4.1).
    pub(super) fn trigger(&mut self, pair: PairId, purpose: Purpose) {
        let queue = &mut self.session.triggered;
        match queue.iter_mut().find(|(queued, _)| *queued == pair) {
            Some((_, queued)) if purpose == Purpose::Nomination => *queued = purpose,
            Some(_) => {}
            None => queue.push_back((pair, purpose)),
        }
    }

    /// Checks a pair of the present generation; over TCP, has it connected first.
    fn start(&mut self, now: Instant, id: PairId, mut purpose: Purpose) {
        let Some(pair) = self.session.pair_mut(id) else { return };
        if pair.expired {
            pair.state = PairState::Failed;
            return;
        }
        if pair.path.protocol == Protocol::Tcp && !pair.connected {
            self.connect(now, id);
            return;
        }
        if pair.state != PairState::Succeeded {
            pair.state = PairState::InProgress;
        }
        if let Some(before) = pair.check.take() {
            // RFC 8445 §7.3.1.4: not repeated any more, but its answer still counts.
            let (path, wait) = (pair.path, self.config.rto * LAST_WAIT);
            let transactions = self.transactions(path.protocol);
            if transactions.get(before).is_some_and(|check| check.purpose == Purpose::Nomination) {
                purpose = Purpose::Nomination;
            }
            transactions.hold(now, before, wait);
        }
        let schedule = self.schedule_of(id);
        let generation = self.session.generation;
        if let Some(check) = self.send_check(now, generation, id, purpose, schedule)
            && let Some(pair) = self.session.pair_mut(id)
        {
            pair.check = Some(check);
            pair.stats.requests_sent += 1;
        }
        self.pacer.sent(now);
    }

    fn schedule_of(&self, id: PairId) -> Schedule {
        let pair = self.session.pair(id);
        if pair.is_some_and(|pair| pair.path.protocol == Protocol::Tcp) {
            return Schedule::Stream { timeout: STREAM_TIMEOUT };
        }
        let is_open = |state| matches!(state, PairState::Waiting | PairState::InProgress);
        let open = self.session.pairs.iter().filter(|pair| is_open(pair.state)).count();
        // RFC 8445 §14.3, with the one checklist there is.
        let rto = self.config.rto.max(self.config.pacing * open as u32);
        Schedule::Datagrams { rto, requests: self.config.requests, last_wait: LAST_WAIT }
    }

    /// Sends a check on a pair of any generation that still has its credentials.
    pub(super) fn send_check(
        &mut self,
        now: Instant,
        generation: u32,
        pair: PairId,
        purpose: Purpose,
        schedule: Schedule,
    ) -> Option<TransactionId> {
        let id = self.random.transaction();
        let role = self.role;
        let request = self.write_check(generation, pair, purpose, id)?;
        let session = self.session_mut(generation)?;
        let path = session.pair(pair)?.path;
        let check = Check { id, generation, pair, purpose, role };
        let ends = (path.local, path.remote);
        self.transactions(path.protocol).begin(id, ends, schedule, request, check).ok()?;
        if let Some(pair) = self.session_mut(generation).and_then(|session| session.pair_mut(pair)) {
            pair.was_asked(now);
        }
        Some(id)
    }

    /// RFC 8445 §7.1, §7.2.2.
    fn write_check(
        &mut self,
        generation: u32,
        id: PairId,
        purpose: Purpose,
        transaction: TransactionId,
    ) -> Option<Vec<u8>> {
        let mut sessions = std::iter::once(&self.session).chain(self.previous.as_deref());
        let session = sessions.find(|session| session.generation == generation)?;
        let (remote, pair) = (session.remote.as_ref()?, session.pair(id)?);
        let mut request = Vec::with_capacity(128);
        let mut writer = Writer::new(&mut request, Class::Request, Method::BINDING, transaction);
        writer.add(&Username(&remote.username));
        match self.role {
            Role::Controlling => writer.add(&IceControlling(self.tiebreaker)),
            Role::Controlled => writer.add(&IceControlled(self.tiebreaker)),
        };
        // What was agreed is said again with each question for consent: where two choices overtook each other,
        // the peer learns which one stands.
        let is_choice = purpose == Purpose::Nomination || session.nominated == Some(id);
        if is_choice && self.role == Role::Controlling {
            match remote.renomination {
                true => writer.add(&Nomination(session.nominations)),
                false => writer.add(&UseCandidate),
            };
        }
        writer.add(&Priority(session.locals.get(pair.local).reflexive_priority()));
        if let Some(embedding) = &mut self.embedding {
            embedding.write(&mut writer);
        }
        writer.integrity_sha1(&remote.key).fingerprint();
        Some(request)
    }
}
