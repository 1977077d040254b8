//! One generation of an agent: everything that an ICE restart begins anew (RFC 8445 §2.4, §9).

use std::collections::VecDeque;
use std::time::Instant;

use stun::Key;

use crate::agent::{Purpose, RemoteParameters, Role};
use crate::candidate::Candidate;
use crate::credentials::{Credentials, Ufrag};
use crate::local::Locals;
use crate::pair::{Pair, PairId};
use crate::path::Path;
use crate::remote::Remotes;

mod checklist;
#[cfg(test)]
mod tests;

/// The peer's side of a generation, as its description says.
#[derive(Debug)]
pub(crate) struct RemoteSide {
    pub(crate) ufrag: Ufrag,
    pub(crate) key: Key,
    /// USERNAME of checks to the peer: its fragment and ours (RFC 8445 §7.2.2).
    pub(crate) username: Box<str>,
    pub(crate) lite: bool,
    pub(crate) renomination: bool,
    pub(crate) ice2: bool,
}

/// A check that came before the peer's credentials (RFC 8445 §7.3).
#[derive(Debug)]
pub(crate) struct EarlyCheck {
    pub(crate) ufrag: Ufrag,
    pub(crate) path: Path,
    pub(crate) priority: u32,
    pub(crate) nomination: Option<u32>,
    /// What it carried, and others on the same path.
    pub(crate) embedded: Vec<(u16, Box<[u8]>)>,
}

/// A name that the caller resolves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResolveId(pub(crate) u32);

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) generation: u32,
    pub(crate) credentials: Credentials,
    /// Of our own password: what checks to us are made with.
    pub(crate) key: Key,
    pub(crate) remote: Option<RemoteSide>,
    pub(crate) locals: Locals,
    pub(crate) remotes: Remotes,
    pub(crate) pairs: Vec<Pair>,
    /// RFC 8445 §6.1.4.1, with the nominations.
    pub(crate) triggered: VecDeque<(PairId, Purpose)>,
    /// Where data goes.
    pub(crate) selected: Option<PairId>,
    /// What the controlling agent chose, once both know it.
    pub(crate) nominated: Option<PairId>,
    /// What we, controlling, are choosing.
    pub(crate) nominating: Option<PairId>,
    /// How often we nominated; the highest number that the peer did.
    pub(crate) nominations: u32,
    pub(crate) remote_nomination: u32,
    /// The caller will add no more local candidates.
    pub(crate) gathered: bool,
    /// The peer will tell no more.
    pub(crate) ended: bool,
    /// Since when checks could begin (RFC 8863 §4); until when failure must wait.
    pub(crate) patient_until: Option<Instant>,
    pub(crate) first_valid: Option<Instant>,
    /// The selected pair is in doubt: others are checked again although ICE had concluded.
    pub(crate) reopened: bool,
    /// It has missed an answer for so long that another one is preferred.
    pub(crate) suspected: bool,
    /// When consent is asked for next, or a keepalive is due.
    pub(crate) next_consent: Option<Instant>,
    pub(crate) disconnected: bool,
    /// The local end of the path is gone, and there was no other path since.
    pub(crate) bereft: bool,
    pub(crate) failed: bool,
    pub(crate) resolving: Vec<(ResolveId, Candidate)>,
    /// Candidates and checks that came before the peer's credentials.
    pub(crate) early_candidates: Vec<Candidate>,
    pub(crate) early_checks: Vec<EarlyCheck>,
}

impl Session {
    pub(crate) fn new(generation: u32, credentials: Credentials) -> Self {
        Self {
            generation,
            key: Key::short_term(credentials.password.as_str()),
            credentials,
            remote: None,
            locals: Locals::default(),
            remotes: Remotes::default(),
            pairs: Vec::new(),
            triggered: VecDeque::new(),
            selected: None,
            nominated: None,
            nominating: None,
            nominations: 0,
            remote_nomination: 0,
            gathered: false,
            ended: false,
            patient_until: None,
            first_valid: None,
            reopened: false,
            suspected: false,
            next_consent: None,
            disconnected: false,
            bereft: false,
            failed: false,
            resolving: Vec::new(),
            early_candidates: Vec::new(),
            early_checks: Vec::new(),
        }
    }

    /// Takes the peer's description; `renomination` is what both say.
    pub(crate) fn set_remote(&mut self, remote: &RemoteParameters, renomination: bool) {
        let RemoteParameters { credentials, lite, ice2, .. } = remote;
        self.remote = Some(RemoteSide {
            username: format!("{}:{}", credentials.ufrag, self.credentials.ufrag).into(),
            ufrag: credentials.ufrag.clone(),
            key: Key::short_term(credentials.password.as_str()),
            lite: *lite,
            renomination,
            ice2: *ice2,
        });
    }

    pub(crate) fn pair(&self, id: PairId) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.id == id)
    }

    pub(crate) fn pair_mut(&mut self, id: PairId) -> Option<&mut Pair> {
        self.pairs.iter_mut().find(|pair| pair.id == id)
    }

    pub(crate) fn pair_on(&self, path: &Path) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.path.is(path))
    }

    pub(crate) fn selected(&self) -> Option<&Pair> {
        self.selected.and_then(|id| self.pair(id))
    }

    /// The local candidate that packets to `path.local` reach.
    pub(crate) fn base(&self, path: &Path) -> Option<usize> {
        if let Some(pair) = self.pair_on(path) {
            return Some(pair.local);
        }
        self.locals.base(path.protocol, path.local)
    }

    pub(crate) fn priority(&self, role: Role, local: u32, remote: u32) -> u64 {
        match role {
            Role::Controlling => crate::priority::pair_priority(local, remote),
            Role::Controlled => crate::priority::pair_priority(remote, local),
        }
    }

    /// After a change of role, or of what a candidate is (RFC 8445 §7.2.5.1).
    pub(crate) fn reprioritise(&mut self, role: Role) {
        for index in 0..self.pairs.len() {
            let Pair { local, remote, .. } = self.pairs[index];
            let (local, remote) = (self.locals.get(local).priority, self.remotes.get(remote).priority);
            self.pairs[index].priority = self.priority(role, local, remote);
        }
    }
}
