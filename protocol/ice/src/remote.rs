//! The peer's candidates: what it told (RFC 8445 §5.3, RFC 8838 §11) and what its checks showed
//! (RFC 8445 §7.3.1.3).

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;

use crate::candidate::{Address, Candidate, Foundation, Kind, TcpType, Transport};
use crate::limits;
use crate::local::is_reachable;
use crate::path::{Protocol, same};

/// Why a candidate of the peer is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It belongs to another generation than the peer's present credentials.
    OtherGeneration,
    /// A component other than 1: RTP and RTCP share one here.
    OtherComponent,
    /// Nobody can be reached there: an unspecified, multicast or broadcast address, or port 0.
    BadAddress,
    /// A name that does not end in `.local`: only those are resolved (RFC 8839 §5.1).
    NotLocalName,
    /// TCP simultaneous open, which this agent does not do.
    SimultaneousOpen,
    /// The peer said that there would be no more.
    AfterTheEnd,
    /// The agent has as many candidates, or names to resolve, as it may.
    TooMany,
    /// The agent is closed, or ICE has failed: only a restart helps.
    Over,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherGeneration => "the candidate belongs to credentials before or after a restart",
            Self::OtherComponent => "only component 1 is used: RTP and RTCP share a port",
            Self::BadAddress => "nobody can be reached at the candidate's address",
            Self::NotLocalName => "a candidate's name must end in .local",
            Self::SimultaneousOpen => "TCP simultaneous open is not done",
            Self::AfterTheEnd => "the peer said that there would be no more candidates",
            Self::TooMany => "the peer has given as many candidates as are taken",
            Self::Over => "ICE is over: restart it first",
        })
    }
}

impl Error for Refused {}

/// A candidate of the peer whose address is known.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) id: u32,
    pub(crate) address: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) kind: Kind,
    pub(crate) priority: u32,
    pub(crate) foundation: Foundation,
    pub(crate) related: Option<Address>,
    /// The name that it had in place of its address.
    pub(crate) name: Option<Box<str>>,
    /// A check or an answer that proved to be the peer's came from here.
    pub(crate) proven: bool,
}

impl Remote {
    pub(crate) fn protocol(&self) -> Protocol {
        self.transport.protocol()
    }

    pub(crate) fn describe(&self) -> Candidate {
        let port = self.address.port();
        Candidate {
            foundation: self.foundation.clone(),
            component: 1,
            transport: self.transport,
            priority: self.priority,
            address: match &self.name {
                Some(name) => Address::Name { name: name.clone(), port },
                None => Address::Ip(self.address),
            },
            kind: self.kind,
            related: self.related.clone(),
            ufrag: None,
            generation: None,
            extensions: Vec::new(),
        }
    }
}

/// All of a generation.
#[derive(Debug, Default)]
pub(crate) struct Remotes {
    all: Vec<Remote>,
    learnt: u32,
}

/// What became of a candidate that the peer told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It has this place in the list.
    New(usize),
    /// One that was learnt from a check has become what the peer says it is.
    Known(usize),
    /// Nothing new.
    Redundant,
}

impl Remotes {
    pub(crate) fn get(&self, index: usize) -> &Remote {
        &self.all[index]
    }

    pub(crate) fn all(&self) -> &[Remote] {
        &self.all
    }

    pub(crate) fn find(&self, protocol: Protocol, address: SocketAddr) -> Option<usize> {
        self.all.iter().position(|known| known.protocol() == protocol && same(known.address, address))
    }

    pub(crate) fn prove(&mut self, index: usize) {
        self.all[index].proven = true;
    }

    /// Adds what the peer told; `address` is its own, or what its name stands for.
    pub(crate) fn add(
        &mut self,
        id: u32,
        candidate: Candidate,
        address: SocketAddr,
    ) -> Result<Added, Refused> {
        // The port of one that connects to us says nothing.
        let is_active = candidate.transport == Transport::Tcp(TcpType::Active);
        let reachable = is_reachable(if is_active { SocketAddr::new(address.ip(), 9) } else { address });
        if !reachable {
            return Err(Refused::BadAddress);
        }
        let name = match candidate.address {
            Address::Name { name, .. } => Some(name),
            Address::Ip(_) => None,
        };
        let Candidate { foundation, transport, priority, kind, related, .. } = candidate;
        if let Some(index) = self.find(transport.protocol(), address) {
            let known = &mut self.all[index];
            if known.kind != Kind::PeerReflexive {
                return Ok(Added::Redundant);
            }
            (known.foundation, known.priority, known.kind) = (foundation, priority, kind);
            (known.related, known.name, known.transport) = (related, name, transport);
            return Ok(Added::Known(index));
        }
        if self.all.len() >= limits::REMOTE_CANDIDATES {
            return Err(Refused::TooMany);
        }
        self.make_room();
        self.all.push(Remote {
            id,
            address,
            transport,
            kind,
            priority,
            foundation,
            related,
            name,
            proven: false,
        });
        Ok(Added::New(self.all.len() - 1))
    }

    fn make_room(&mut self) {
        if self.all.len() < limits::FEW {
            self.all.reserve_exact(1);
        }
    }

    /// Adds what a check showed, unless there are too many of those.
    pub(crate) fn learn(
        &mut self,
        id: u32,
        protocol: Protocol,
        address: SocketAddr,
        priority: u32,
    ) -> Option<usize> {
        let full = self.learnt as usize >= limits::REMOTE_PEER_REFLEXIVE
            || self.all.len() >= limits::REMOTE_CANDIDATES;
        if full {
            return None;
        }
        self.learnt += 1;
        self.make_room();
        self.all.push(Remote {
            id,
            address,
            transport: match protocol {
                Protocol::Udp => Transport::Udp,
                Protocol::Tcp => Transport::Tcp(TcpType::Active),
            },
            kind: Kind::PeerReflexive,
            priority,
            foundation: Foundation::learnt(self.learnt),
            related: None,
            name: None,
            proven: true,
        });
        Some(self.all.len() - 1)
    }
}
