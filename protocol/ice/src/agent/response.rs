//! Answers come in (RFC 8445 §7.2.5).

use std::time::{Duration, Instant};

use stun::attribute::{ErrorCode, XorMappedAddress};
use stun::{Class, Message};

use super::{Agent, Check, Fault, Purpose};
use crate::pair::{PairId, PairState};
use crate::path::Path;

impl Agent {
    pub(super) fn handle_response(
        &mut self,
        now: Instant,
        path: Path,
        message: &Message<'_>,
    ) -> Result<(), Fault> {
        let id = message.transaction();
        let transactions = self.transactions(path.protocol);
        let check = *transactions.get(id).ok_or(Fault::UnknownTransaction)?;
        let ends = transactions.path(id);
        let session = self.sessions().find(|session| session.generation == check.generation);
        let remote = session.and_then(|session| session.remote.as_ref()).ok_or(Fault::UnknownTransaction)?;
        // RFC 8489 §9.1.4: one that proves nothing never came, errors included.
        message.verify(&remote.key).map_err(|_| Fault::BadIntegrity)?;
        let Some(finished) = self.transactions(path.protocol).finish(now, id) else {
            return Err(Fault::UnknownTransaction);
        };
        let sent = ends.map(|(local, remote)| Path { protocol: path.protocol, local, remote });
        if !sent.is_some_and(|sent| sent.is(&path)) {
            self.fail(&check);
            return Err(Fault::Asymmetric);
        }
        if message.unknown(crate::attribute::KNOWN).next().is_some() {
            self.fail(&check);
            return Err(Fault::UnknownAttribute);
        }
        match message.class() {
            Class::Success => {
                let Ok(Some(XorMappedAddress(mapped))) = message.get() else {
                    self.fail(&check);
                    return Err(Fault::BadAnswer);
                };
                self.tell_embedded(message);
                self.succeed(now, &check, mapped, finished.round_trip);
                Ok(())
            }
            _ => self.handle_error(now, &check, message),
        }
    }

    fn handle_error(&mut self, now: Instant, check: &Check, message: &Message<'_>) -> Result<(), Fault> {
        let Ok(Some(error)) = message.get::<ErrorCode<'_>>() else {
            self.fail(check);
            return Err(Fault::BadAnswer);
        };
        if let Some(pair) =
            self.session_mut(check.generation).and_then(|session| session.pair_mut(check.pair))
        {
            pair.stats.responses_received += 1;
        }
        match error.code() {
            487 => self.give_way(check),
            // RFC 7675 §5.2: the peer takes its consent back.
            403 => self.expire(now, check.generation, check.pair),
            _ => self.fail(check),
        }
        Ok(())
    }

    /// RFC 8445 §7.2.5.1. A conflict that was repaired since the check was sent is none any more.
    fn give_way(&mut self, check: &Check) {
        if check.role == self.role {
            self.take_role(self.role.other());
            self.tiebreaker = self.random.u64();
        }
        if check.generation != self.session.generation {
            return;
        }
        if let Some(pair) = self.session.pair_mut(check.pair) {
            if pair.check == Some(check.id) {
                pair.check = None;
            }
            if pair.state == PairState::InProgress {
                pair.state = PairState::Waiting;
            }
        }
        self.trigger(check.pair, Purpose::Check);
    }

    /// RFC 8445 §7.2.5.2.
    pub(super) fn fail(&mut self, check: &Check) {
        let Some(session) = self.session_mut(check.generation) else { return };
        let Some(pair) = session.pair_mut(check.pair) else { return };
        // A consent check is repeated by the next one; of a held check, the one after it decides.
        if check.purpose == Purpose::Consent || pair.check != Some(check.id) {
            return;
        }
        pair.check = None;
        pair.nominate_when_valid = false;
        pair.state = PairState::Failed;
        if session.nominating == Some(check.pair) {
            session.nominating = None;
        }
    }

    /// RFC 8445 §7.2.5.3.
    fn succeed(
        &mut self,
        now: Instant,
        check: &Check,
        mapped: std::net::SocketAddr,
        round_trip: Option<Duration>,
    ) {
        let Some(session) = self.session_mut(check.generation) else { return };
        let Some(pair) = session.pair_mut(check.pair) else { return };
        // RFC 7675 §5.1: an answer after consent has ended does not bring it back.
        if pair.expired {
            return;
        }
        pair.was_answered(now, round_trip);
        let (remote, path) = (pair.remote, pair.path);
        if pair.check == Some(check.id) {
            pair.check = None;
        }
        let outstanding = pair.check;
        session.remotes.prove(remote);
        if let Some(other) = outstanding {
            self.hold_redundant(now, check.pair, path, other);
        }
        if check.generation != self.session.generation {
            return;
        }
        let was_valid = self.session.pair(check.pair).is_some_and(|pair| pair.state == PairState::Succeeded);
        if !was_valid {
            self.validate(now, check.pair, mapped);
        }
        if check.purpose == Purpose::Nomination && self.session.nominating == Some(check.pair) {
            self.session.nominating = None;
            self.session.nominated = Some(check.pair);
            self.conclude(now);
        }
    }

    /// One check of a pair was answered: another one that is under way need not be repeated, unless it nominates.
    fn hold_redundant(&mut self, now: Instant, pair: PairId, path: Path, other: stun::TransactionId) {
        let wait = self.config.rto * 16;
        let transactions = self.transactions(path.protocol);
        if transactions.get(other).is_some_and(|check| check.purpose == Purpose::Check) {
            transactions.hold(now, other, wait);
            if let Some(pair) = self.session.pair_mut(pair) {
                pair.check = None;
            }
        }
    }

    /// The pair works: it, or the one that the answer shows it to be, is valid (RFC 8445 §7.2.5.3.1 to
    /// §7.2.5.3.4).
    fn validate(&mut self, now: Instant, id: PairId, mapped: std::net::SocketAddr) {
        let Some(pair) = self.session.pair(id) else { return };
        let (base, remote) = (pair.local, pair.remote);
        let local = match self.session.locals.reflected(base, mapped) {
            Some(local) => local,
            None => {
                let id = self.fresh_id();
                self.session.locals.learn(id, mapped, base).unwrap_or(base)
            }
        };
        let priorities = (self.session.locals.get(local).priority, self.session.remotes.get(remote).priority);
        let priority = self.session.priority(self.role, priorities.0, priorities.1);
        self.session.first_valid.get_or_insert(now);
        self.session.thaw(id);
        let Some(pair) = self.session.pair_mut(id) else { return };
        (pair.local, pair.priority, pair.state) = (local, priority, PairState::Succeeded);
        if std::mem::take(&mut pair.nominate_when_valid) {
            self.accept_choice(now, id);
        }
    }
}
