//! Checks come in (RFC 8445 §7.3).

use std::time::Instant;

use stun::attribute::Username;
use stun::{IntegrityError, Message};

use super::{Agent, Fault, Purpose, Role};
use crate::attribute::{IceControlled, IceControlling, KNOWN, Nomination, Priority, UseCandidate};
use crate::limits;
use crate::pair::{PairId, PairState};
use crate::path::{Path, Protocol};
use crate::session::EarlyCheck;

/// What a check says, once it is proven to be the peer's.
struct Said {
    priority: u32,
    role: Role,
    tiebreaker: u64,
    /// USE-CANDIDATE counts as the first nomination (libwebrtc does so, too).
    nomination: Option<u32>,
}

impl Agent {
    pub(super) fn handle_request(
        &mut self,
        now: Instant,
        path: Path,
        message: &Message<'_>,
    ) -> Result<(), Fault> {
        let Ok(Some(Username(username))) = message.get::<Username<'_>>() else {
            self.turn_away(path, message, 400);
            return Err(Fault::BadRequest);
        };
        let (ours, theirs) = username.split_once(':').unwrap_or((username, ""));
        let Some(generation) = self.generation_of(ours) else {
            self.turn_away(path, message, 401);
            return Err(Fault::UnknownUfrag);
        };
        self.prove(path, message, generation)?;
        if message.unknown(KNOWN).next().is_some() {
            self.refuse(path, message, generation, 420);
            return Err(Fault::UnknownAttribute);
        }
        let Some(said) = said(message) else {
            self.refuse(path, message, generation, 400);
            return Err(Fault::BadRequest);
        };
        let session = self.sessions().find(|session| session.generation == generation);
        let known = session.and_then(|session| session.base(&path));
        if known.is_none() {
            return Err(Fault::UnknownLocal);
        }
        if !self.settle_roles(&said) {
            self.refuse(path, message, generation, 487);
            return Err(Fault::RoleConflict);
        }
        if self.session.failed && generation == self.session.generation {
            // What has failed stays so until a restart, and must not look alive to the peer.
            return Err(Fault::Over);
        }
        self.grant(path, message, generation)?;
        if generation != self.session.generation {
            self.tell_embedded(message);
            self.hear(now, generation, &path);
            return Ok(());
        }
        match &self.session.remote {
            Some(remote) if remote.ufrag.as_str() == theirs => {
                self.tell_embedded(message);
                self.take_check(now, path, said.priority, said.nomination)
            }
            // The peer is a generation ahead of its description, or it is another one that has our offer: what it
            // embeds counts only if the description is its own.
            _ => self.remember(path, theirs, &said, message),
        }
    }

    /// RFC 8489 §9.1.3.
    fn prove(&mut self, path: Path, message: &Message<'_>, generation: u32) -> Result<(), Fault> {
        let session = self.sessions().find(|session| session.generation == generation);
        match session.map(|session| message.verify(&session.key)) {
            Some(Ok(())) => Ok(()),
            Some(Err(IntegrityError::Missing)) => {
                self.turn_away(path, message, 400);
                Err(Fault::BadRequest)
            }
            _ => {
                self.turn_away(path, message, 401);
                Err(Fault::BadIntegrity)
            }
        }
    }

    /// RFC 8445 §7.3.1.1: whether the check may be accepted.
    fn settle_roles(&mut self, said: &Said) -> bool {
        if said.role != self.role {
            return true;
        }
        let keeps =
            self.config.lite || (self.tiebreaker >= said.tiebreaker) == (self.role == Role::Controlling);
        if !keeps {
            self.take_role(self.role.other());
            return true;
        }
        // A lite agent stays controlled, and so does not mind what its peer believes.
        self.config.lite
    }

    /// Keeps a check until the peer's credentials come (RFC 8445 §7.3: it was answered already).
    fn remember(&mut self, path: Path, ufrag: &str, said: &Said, message: &Message<'_>) -> Result<(), Fault> {
        let Ok(ufrag) = ufrag.parse() else { return Err(Fault::BadRequest) };
        let embedded = self.embedded_in(message);
        let early = &mut self.session.early_checks;
        let known = early.iter_mut().find(|known| known.ufrag == ufrag && known.path.is(&path));
        if let Some(known) = known {
            known.nomination = known.nomination.max(said.nomination);
            for attribute in embedded {
                if known.embedded.len() < limits::EARLY_EMBEDDED && !known.embedded.contains(&attribute) {
                    known.embedded.push(attribute);
                }
            }
            return Ok(());
        }
        if early.len() >= limits::EARLY_CHECKS {
            return Err(Fault::Overload);
        }
        let (priority, nomination) = (said.priority, said.nomination);
        early.push(EarlyCheck { ufrag, path, priority, nomination, embedded });
        Ok(())
    }

    /// What a check of the present generation means for the pair it came on (RFC 8445 §7.3.1.3 to §7.3.1.5).
    pub(super) fn take_check(
        &mut self,
        now: Instant,
        path: Path,
        priority: u32,
        nomination: Option<u32>,
    ) -> Result<(), Fault> {
        let id = self.pair_of(path, priority).ok_or(Fault::TooManyLearnt)?;
        let Some(pair) = self.session.pair_mut(id) else { return Ok(()) };
        pair.heard = Some(now);
        pair.stats.requests_received += 1;
        pair.stats.responses_sent += 1;
        let remote = pair.remote;
        self.session.remotes.prove(remote);
        if self.config.lite {
            if nomination.is_some() {
                self.choose_lite(now, id);
            }
            return Ok(());
        }
        let chosen = nomination.filter(|_| self.role == Role::Controlled);
        self.check_back(now, id, chosen.is_some());
        if let Some(number) = chosen {
            self.be_told(now, id, number);
        }
        Ok(())
    }

    /// The pair that a check came on; it, and the candidate, may be new.
    fn pair_of(&mut self, path: Path, priority: u32) -> Option<PairId> {
        if let Some(pair) = self.session.pair_on(&path) {
            return Some(pair.id);
        }
        let local = self.session.locals.base(path.protocol, path.local)?;
        let remote = match self.session.remotes.find(path.protocol, path.remote) {
            Some(remote) => remote,
            None => {
                let id = self.fresh_id();
                self.session.remotes.learn(id, path.protocol, path.remote, priority)?
            }
        };
        let id = self.session.insert(self.role, (local, remote), path, &mut self.next_id)?;
        // Whoever connected to us is connected.
        if path.protocol == Protocol::Tcp
            && let Some(pair) = self.session.pair_mut(id)
        {
            pair.connected = true;
        }
        Some(id)
    }

    /// A triggered check (RFC 8445 §7.3.1.4). Once there is an agreed pair, only on a better one that may take its place,
    /// and where the peer wants the pair.
    fn check_back(&mut self, now: Instant, id: PairId, wanted: bool) {
        let floor = self.session.floor();
        let is_stale = self.session.pair(id).is_some_and(|pair| !self.has_consent(now, pair));
        let Some(pair) = self.session.pair_mut(id) else { return };
        if pair.state == PairState::Succeeded && is_stale {
            // It worked once; whether it still does must be seen before it is used.
            pair.state = PairState::Waiting;
        }
        let is_wanted = wanted || floor.is_some_and(|floor| pair.priority > floor);
        if pair.expired || pair.state == PairState::Succeeded || !is_wanted {
            return;
        }
        if pair.state != PairState::InProgress {
            pair.state = PairState::Waiting;
        }
        if pair.path.protocol == Protocol::Tcp && pair.state == PairState::InProgress {
            // Nothing is lost on a connection, so nothing is gained by asking again.
            return;
        }
        self.trigger(id, Purpose::Check);
    }

    /// A check of the generation before.
    fn hear(&mut self, now: Instant, generation: u32, path: &Path) {
        let Some(session) = self.session_mut(generation) else { return };
        if let Some(pair) = session.pairs.iter_mut().find(|pair| pair.path.is(path)) {
            pair.heard = Some(now);
            pair.stats.requests_received += 1;
            pair.stats.responses_sent += 1;
        }
    }
}

fn said(message: &Message<'_>) -> Option<Said> {
    let Priority(priority) = message.get().ok()??;
    let controlling = message.get::<IceControlling>().ok()?.map(|role| (Role::Controlling, role.0));
    let controlled = message.get::<IceControlled>().ok()?.map(|role| (Role::Controlled, role.0));
    let (role, tiebreaker) = controlling.or(controlled)?;
    let used = message.get::<UseCandidate>().ok()?.map(|_| 1);
    let nomination = message.get::<Nomination>().ok()?.map(|nomination| nomination.0).or(used);
    Some(Said { priority, role, tiebreaker, nomination })
}
