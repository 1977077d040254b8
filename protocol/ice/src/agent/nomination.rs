//! Which pair data goes by, and which one the two agents agree on (RFC 8445 §8.1, §7.3.1.5;
//! draft-thatcher-ice-renomination).
//!
//! Data goes by the best valid pair from the moment there is one; agreement comes later.

use std::time::{Duration, Instant};

use super::consent::CONSENT;
use super::{Agent, Event, Purpose, Role, Selected};
use crate::candidate::Kind;
use crate::pair::{Pair, PairId, PairState};

/// An answer missed for so long (and twice the round trip) makes another pair the better one.
pub(super) const SUSPICION: Duration = Duration::from_secs(2);

/// A choice this old gives way to one of lower priority: within it, a peer without `ice2` may nominate every
/// pair that works and mean the best (RFC 8445 §8.1.1 on RFC 5245's aggressive nomination).
const CHOICE: Duration = Duration::from_secs(2);

impl Agent {
    /// Sends data by the best pair there is. Whether it is another one than before.
    pub(super) fn select(&mut self, now: Instant) -> bool {
        let best = self.best(now);
        let before = self.session.selected;
        if best != before {
            self.session.selected = best;
            (self.session.disconnected, self.session.suspected) = (false, false);
            match best {
                Some(id) => {
                    self.follow(now, id);
                    self.announce(now, id);
                }
                None if self.carrier().is_none() => {
                    self.session.next_consent = None;
                    self.events.push_back(Event::Lost);
                }
                None => {}
            }
        }
        let generations = [Some(self.session.generation), self.previous.as_ref().map(|it| it.generation)];
        for generation in generations.into_iter().flatten() {
            let well = self.sessions().any(|it| it.generation == generation && self.is_well(now, it));
            if well && let Some(session) = self.session_mut(generation) {
                (session.reopened, session.suspected, session.disconnected) = (false, false, false);
            }
        }
        best != before
    }

    /// Controlled: the pair that took the place of a dead one was chosen by the peer, too.
    fn follow(&mut self, now: Instant, id: PairId) {
        let was_chosen = self.session.pair(id).is_some_and(|pair| pair.chosen.is_some());
        if self.role == Role::Controlled && was_chosen && self.session.nominated.is_some() {
            self.session.nominated = Some(id);
            self.conclude(now);
        }
    }

    /// Says which way data goes, and what is known of it.
    pub(super) fn tell_selected(&mut self, id: PairId) {
        let Some(pair) = self.session.pair(id) else { return };
        let selected = Selected {
            pair: id,
            path: pair.path,
            local: self.session.locals.describe(pair.local),
            remote: self.session.remotes.get(pair.remote).describe(),
        };
        self.events.push_back(Event::Selected(Box::new(selected)));
    }

    fn announce(&mut self, now: Instant, id: PairId) {
        self.tell_selected(id);
        let Some(pair) = self.session.pair(id) else { return };
        let first = now + self.random.around(self.consent_period());
        // On a pair that was last heard of long ago, consent may be about to end: it is asked for at once.
        let is_fresh = pair.answered.is_none_or(|answered| now < answered + self.consent_period());
        self.session.next_consent =
            if is_fresh { self.session.next_consent.or(Some(first)) } else { Some(now) };
        // A peer that was found needs no more patience to be found.
        self.session.patient_until = None;
        self.session.bereft = false;
        self.retire_previous(now);
    }

    fn best(&self, now: Instant) -> Option<PairId> {
        let session = &self.session;
        if self.config.lite {
            return session.nominated.filter(|id| session.pair(*id).is_some_and(Pair::is_valid));
        }
        let agreed = if self.follows_priority() { None } else { session.nominating.or(session.nominated) };
        let usable = session.pairs.iter().filter(|pair| pair.is_valid() && self.has_consent(now, pair));
        let best = usable.max_by_key(|pair| {
            let trusted = !is_suspect(now, pair);
            // Among pairs that all seem dead, nothing is gained by a change.
            let kept = if trusted { Some(pair.id) == agreed } else { Some(pair.id) == session.selected };
            (trusted, kept, pair.priority)
        });
        best.map(|pair| pair.id)
    }

    /// Whether we may choose as often as we like.
    fn follows_priority(&self) -> bool {
        self.role == Role::Controlling && self.session.is_choice_open()
    }

    pub(super) fn has_consent(&self, now: Instant, pair: &Pair) -> bool {
        !self.config.consent || pair.answered.is_some_and(|answered| now < answered + CONSENT)
    }

    /// Controlling: proposes the selected pair to the peer, once nothing better is to be expected soon.
    pub(super) fn nominate(&mut self, now: Instant) {
        if self.next_nomination().is_none_or(|due| due > now) {
            return;
        }
        let Some(id) = self.session.selected else { return };
        if let Some(before) = self.session.nominating.replace(id) {
            self.withdraw(now, before);
        }
        self.session.nominations += 1;
        self.trigger(id, Purpose::Nomination);
    }

    /// A choice that was not answered is not repeated: it would overtake the one that follows.
    fn withdraw(&mut self, now: Instant, id: PairId) {
        let Some(pair) = self.session.pair(id) else { return };
        let (path, check) = (pair.path, pair.check);
        if let Some(check) = check {
            let wait = self.config.rto * 16;
            self.transactions(path.protocol).hold(now, check, wait);
        }
        self.session.triggered.retain(|(queued, _)| *queued != id);
    }

    /// When the selected pair is to be nominated, if it is.
    pub(super) fn next_nomination(&self) -> Option<Instant> {
        let session = &self.session;
        let pair = session.selected().filter(|_| self.role == Role::Controlling && !self.config.lite)?;
        let done = [session.nominated, session.nominating];
        if done.contains(&Some(pair.id)) {
            return None;
        }
        let due = self.settled_at(pair)?;
        // RFC 8445 §8.1.1 has one nomination. While its pair is alive it stays, unless the choice is open;
        // when it has died, another beats a dead call.
        let agreed = session.nominating.or(session.nominated).and_then(|id| session.pair(id));
        match agreed {
            Some(agreed) if agreed.is_valid() && !self.follows_priority() => {
                agreed.missed(SUSPICION).map(|missed| missed.max(due))
            }
            Some(_) if !self.follows_priority() => session.first_valid,
            _ => Some(due),
        }
    }

    /// When a better pair than this one is no longer waited for.
    fn settled_at(&self, pair: &Pair) -> Option<Instant> {
        let session = &self.session;
        let first_valid = session.first_valid?;
        let (local, remote) = (session.locals.get(pair.local), session.remotes.get(pair.remote));
        let is_relayed = local.given.kind == Kind::Relayed || remote.kind == Kind::Relayed;
        // What was learnt from a check may turn out to be a relay's address.
        let is_unclear = is_relayed || remote.kind == Kind::PeerReflexive;
        let is_final = session.gathered && session.ended;
        let is_best = !session.is_better_unsettled(pair.priority);
        let patience = self.config.nomination_patience;
        let least = match (is_best, is_relayed) {
            // A lite peer sends nothing before it is told where.
            _ if session.remote.as_ref().is_some_and(|remote| remote.lite) => return Some(first_valid),
            (true, _) if is_final => return Some(first_valid),
            // Host candidates come together: only stragglers are waited for.
            (true, false) if !is_unclear => patience / 5,
            (_, false) => patience,
            (_, true) => patience * 4,
        };
        Some(first_valid + pair.patience(least))
    }

    /// Controlled: the peer chose a pair.
    pub(super) fn be_told(&mut self, now: Instant, id: PairId, number: u32) {
        let renomination = self.session.remote.as_ref().is_some_and(|remote| remote.renomination);
        if renomination {
            if number <= self.session.remote_nomination {
                return;
            }
            self.session.remote_nomination = number;
            self.session.pairs.iter_mut().for_each(|pair| pair.nominate_when_valid = false);
        }
        let Some(pair) = self.session.pair_mut(id) else { return };
        pair.chosen = Some(now);
        if pair.is_valid() {
            self.accept_choice(now, id);
        } else if !pair.expired {
            pair.nominate_when_valid = true;
        }
    }

    /// The chosen pair works.
    pub(super) fn accept_choice(&mut self, now: Instant, id: PairId) {
        if self.session.nominated == Some(id) {
            return;
        }
        let renomination = self.session.remote.as_ref().is_some_and(|remote| remote.renomination);
        if renomination || self.outranks(now, id) {
            self.session.nominated = Some(id);
            self.conclude(now);
        }
    }

    /// Whether a pair that was chosen takes the place of the one that was chosen before.
    fn outranks(&self, now: Instant, id: PairId) -> bool {
        let session = &self.session;
        let Some(before) = session.nominated.filter(|before| *before != id) else { return true };
        let (Some(new), Some(old)) = (session.pair(id), session.pair(before)) else { return true };
        let is_final = session.remote.as_ref().is_some_and(|remote| remote.ice2);
        let is_recent = !is_final && old.chosen.is_some_and(|chosen| now < chosen + CHOICE);
        new.priority > old.priority || !old.is_valid() || !is_recent
    }

    /// Lite: the peer's choice is all there is (RFC 8445 §7.3.2, §8.2).
    pub(super) fn choose_lite(&mut self, now: Instant, id: PairId) {
        let Some(pair) = self.session.pair_mut(id) else { return };
        if pair.expired {
            return;
        }
        (pair.chosen, pair.state) = (Some(now), PairState::Succeeded);
        self.accept_choice(now, id);
    }

    /// Between two lite agents nobody checks: each takes its best pair (RFC 8445 §8.2).
    pub(super) fn settle_lites(&mut self, now: Instant) {
        let session = &self.session;
        let both = self.config.lite && session.remote.as_ref().is_some_and(|remote| remote.lite);
        if !both || session.nominated.is_some() {
            return;
        }
        let usable = session.pairs.iter().filter(|pair| !pair.expired);
        if let Some(id) = usable.max_by_key(|pair| pair.priority).map(|pair| pair.id) {
            self.choose_lite(now, id);
        }
    }

    /// There is an agreed pair: the others' checks end (RFC 8445 §8.1.2), unless a better one may be chosen yet.
    pub(super) fn conclude(&mut self, now: Instant) {
        let Some(id) = self.session.nominated else { return };
        self.session.pairs.iter_mut().for_each(|pair| pair.nominated = pair.id == id);
        if self.session.is_choice_open() {
            return;
        }
        self.session.triggered.clear();
        let wait = self.config.rto * 16;
        for pair in &self.session.pairs {
            let check = pair.check.filter(|_| pair.state == PairState::InProgress);
            if let Some(check) = check {
                match pair.path.protocol {
                    crate::path::Protocol::Udp => self.datagrams.hold(now, check, wait),
                    crate::path::Protocol::Tcp => self.frames.hold(now, check, wait),
                }
            }
        }
    }
}

fn is_suspect(now: Instant, pair: &Pair) -> bool {
    pair.missed(SUSPICION).is_some_and(|missed| missed <= now)
}
