//! Candidates come in, from the caller and from the peer, in any order (RFC 8445 §5, RFC 8838 §8 to §14).

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::consent::CONSENT;
use super::{Agent, RemoteParameters, Role};
use crate::candidate::{Address, Candidate, TcpType, Transport};
use crate::limits;
use crate::local::{LocalCandidate, NotAdded};
use crate::pair::PairState;
use crate::path::same;
use crate::remote::{Added, Refused};
use crate::session::{EarlyCheck, Session};

/// The peer's credentials are others than before, and ours are not: call [`Agent::restart`] first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeedsRestart;

impl fmt::Display for NeedsRestart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the peer has restarted ICE: restart with fresh credentials first")
    }
}

impl Error for NeedsRestart {}

impl Agent {
    /// Adds what the caller gathered, and returns how to tell it to the peer.
    pub fn add_local(&mut self, now: Instant, candidate: LocalCandidate) -> Result<Candidate, NotAdded> {
        let id = self.fresh_id();
        let index = self.session.locals.add(id, candidate)?;
        self.session.pair_local(self.role, index, &mut self.next_id);
        self.settle(now);
        let mut told = self.session.locals.describe(index);
        told.ufrag = Some(self.session.credentials.ufrag.clone());
        Ok(told)
    }

    /// Whether the caller is done gathering for the present generation. It is not, at first.
    pub fn set_gathered(&mut self, now: Instant, gathered: bool) {
        self.session.gathered = gathered;
        self.settle(now);
    }

    /// The socket at `base` is gone, or the relay is: so are all candidates and pairs that use it. Where that leaves no
    /// path, the peer is disconnected until there is one, and given up after 30 seconds.
    pub fn remove_local(&mut self, now: Instant, base: SocketAddr) {
        for session in std::iter::once(&mut self.session).chain(self.previous.as_deref_mut()) {
            let gone: Vec<usize> = session
                .locals
                .iter()
                .filter(|(_, local)| same(local.given.base, base))
                .map(|(index, _)| index)
                .collect();
            gone.iter().for_each(|index| session.locals.remove(*index));
            for pair in &mut session.pairs {
                if gone.contains(&pair.local) || same(pair.path.local, base) {
                    pair.state = PairState::Failed;
                    pair.expired = true;
                    if let Some(id) = pair.check.take() {
                        self.datagrams.cancel(id);
                        self.frames.cancel(id);
                    }
                }
            }
        }
        let is_gone = |session: &Session| session.selected().is_some_and(|pair| pair.expired);
        if self.carrier().is_some_and(is_gone) {
            // Another interface may come up: that the peer is given up takes as long as where it falls silent.
            self.session.bereft = true;
            self.session.patient_until = self.session.patient_until.max(Some(now + CONSENT));
        }
        self.forget_expired(now);
        self.settle(now);
    }

    /// Takes what the peer's description says, once per generation. Checks begin.
    ///
    /// The same credentials again change nothing. Others mean that the peer has restarted: call
    /// [`restart`](Self::restart) first.
    pub fn set_remote(&mut self, now: Instant, remote: &RemoteParameters) -> Result<(), NeedsRestart> {
        match &self.session.remote {
            _ if self.closed => return Ok(()),
            Some(known) if known.ufrag == remote.credentials.ufrag => return Ok(()),
            Some(_) => return Err(NeedsRestart),
            None => {}
        }
        let renomination = remote.renomination && self.config.renomination;
        self.session.set_remote(remote, renomination);
        self.session.patient_until = Some(now + self.config.patience);
        // RFC 8445 §6.1.1: of a full and a lite agent, the full one decides.
        match (self.config.lite, remote.lite) {
            (false, true) => self.take_role(Role::Controlling),
            (true, false) => self.take_role(Role::Controlled),
            (true, true) => self.take_role(self.config.role),
            (false, false) => {}
        }
        let ended = std::mem::take(&mut self.session.ended);
        for candidate in std::mem::take(&mut self.session.early_candidates) {
            // What cannot be used is left out, as it would have been now.
            let _ = self.add_remote(now, candidate);
        }
        self.session.ended = ended;
        for early in std::mem::take(&mut self.session.early_checks) {
            if early.ufrag == remote.credentials.ufrag {
                self.take_early(now, early);
            }
        }
        self.settle(now);
        Ok(())
    }

    fn take_early(&mut self, now: Instant, early: EarlyCheck) {
        self.tell_all_embedded(early.embedded);
        // There is room for as many as are remembered.
        let _ = self.take_check(now, early.path, early.priority, early.nomination);
    }

    /// Takes a candidate that the peer told. One that is not used has a reason, and does no harm.
    pub fn add_remote(&mut self, now: Instant, candidate: Candidate) -> Result<(), Refused> {
        self.is_welcome(&candidate)?;
        if self.session.remote.is_none() {
            if self.session.early_candidates.len() >= limits::REMOTE_CANDIDATES {
                return Err(Refused::TooMany);
            }
            self.session.early_candidates.push(candidate);
            return Ok(());
        }
        match &candidate.address {
            Address::Ip(address) => {
                let address = *address;
                self.pair_up(candidate, address)?;
            }
            Address::Name { .. } => self.resolve(candidate)?,
        }
        self.settle(now);
        Ok(())
    }

    fn is_welcome(&self, candidate: &Candidate) -> Result<(), Refused> {
        if self.closed || self.session.failed {
            return Err(Refused::Over);
        }
        if let (Some(ufrag), Some(remote)) = (&candidate.ufrag, &self.session.remote)
            && *ufrag != remote.ufrag
        {
            return Err(Refused::OtherGeneration);
        }
        if self.session.ended && self.session.remote.is_some() {
            return Err(Refused::AfterTheEnd);
        }
        if candidate.component != 1 {
            return Err(Refused::OtherComponent);
        }
        if candidate.transport == Transport::Tcp(TcpType::SimultaneousOpen) {
            return Err(Refused::SimultaneousOpen);
        }
        Ok(())
    }

    pub(super) fn pair_up(&mut self, candidate: Candidate, address: SocketAddr) -> Result<(), Refused> {
        let id = self.fresh_id();
        match self.session.remotes.add(id, candidate, address)? {
            Added::New(index) => self.session.pair_remote(self.role, index, &mut self.next_id),
            Added::Known(index) => {
                self.session.reprioritise(self.role);
                if let Some(pair) = self.session.selected().filter(|pair| pair.remote == index) {
                    self.tell_selected(pair.id);
                }
            }
            Added::Redundant => {}
        }
        Ok(())
    }

    /// The peer told all of its candidates (RFC 8838 §14).
    pub fn end_of_remote_candidates(&mut self, now: Instant) {
        self.session.ended = true;
        self.settle(now);
    }

    pub(super) fn take_role(&mut self, role: Role) {
        if self.role == role {
            return;
        }
        self.role = role;
        for session in std::iter::once(&mut self.session).chain(self.previous.as_deref_mut()) {
            session.reprioritise(role);
            session.nominating = None;
        }
        self.events.push_back(super::Event::Role(role));
    }
}

/// The one address that a name stands for: draft-ietf-mmusic-mdns-ice-candidates §3.2.1 wants exactly one,
/// IPv6 first.
pub(super) fn choose(addresses: &[IpAddr]) -> Option<IpAddr> {
    addresses.iter().find(|address| address.is_ipv6()).or(addresses.first()).copied()
}
