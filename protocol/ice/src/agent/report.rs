//! What is known about candidates and pairs, as W3C webrtc-stats wants it (`RTCIceCandidatePairStats`,
//! `RTCIceCandidateStats`). Bytes and packets of data are the caller's to count.

use std::net::SocketAddr;

use super::{Agent, Selected};
use crate::candidate::Candidate;
use crate::local::RelayProtocol;
use crate::pair::{PairId, PairState, PairStats};
use crate::path::Path;

/// A pair of the present generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairReport {
    /// Which one.
    pub id: PairId,
    /// Our candidate's [`CandidateReport::id`].
    pub local: u32,
    /// The peer's candidate's.
    pub remote: u32,
    /// Where its packets go.
    pub path: Path,
    /// How far its check is.
    pub state: PairState,
    /// Whether it is the one that both agreed on.
    pub nominated: bool,
    /// What it is worth (RFC 8445 §6.1.2.3).
    pub priority: u64,
    /// Counts and times.
    pub stats: PairStats,
}

/// A candidate of the present generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateReport {
    /// Names it among all candidates of the agent.
    pub id: u32,
    /// As it is told to the peer; a hidden address stays hidden.
    pub candidate: Candidate,
    /// Where it really is.
    pub address: SocketAddr,
    /// How its relay is reached.
    pub relay_protocol: Option<RelayProtocol>,
    /// Which server it was learnt from.
    pub url: Option<Box<str>>,
    /// Whether its interface went away.
    pub removed: bool,
}

impl Agent {
    /// The pairs of the present generation.
    pub fn pairs(&self) -> impl Iterator<Item = PairReport> + '_ {
        let session = &self.session;
        session.pairs.iter().map(|pair| PairReport {
            id: pair.id,
            local: session.locals.get(pair.local).id,
            remote: session.remotes.get(pair.remote).id,
            path: pair.path,
            state: pair.state,
            nominated: pair.nominated,
            priority: pair.priority,
            stats: pair.stats,
        })
    }

    /// Our candidates of the present generation.
    pub fn local_candidates(&self) -> impl Iterator<Item = CandidateReport> + '_ {
        let locals = &self.session.locals;
        locals.all().iter().enumerate().map(|(index, local)| CandidateReport {
            id: local.id,
            candidate: locals.describe(index),
            address: local.given.address,
            relay_protocol: local.given.via,
            url: local.given.url.clone(),
            removed: local.removed,
        })
    }

    /// The peer's candidates of the present generation whose address is known.
    pub fn remote_candidates(&self) -> impl Iterator<Item = CandidateReport> + '_ {
        self.session.remotes.all().iter().map(|remote| CandidateReport {
            id: remote.id,
            candidate: remote.describe(),
            address: remote.address,
            relay_protocol: None,
            url: None,
            removed: false,
        })
    }

    /// The pair that data goes by, of whichever generation.
    pub fn selected(&self) -> Option<Selected> {
        let session = self.carrier()?;
        let pair = session.selected()?;
        Some(Selected {
            pair: pair.id,
            path: pair.path,
            local: session.locals.describe(pair.local),
            remote: session.remotes.get(pair.remote).describe(),
        })
    }

    /// Where data goes: what [`selected`](Self::selected) says, for those who ask often.
    pub fn path(&self) -> Option<Path> {
        self.carrier()?.selected().map(|pair| pair.path)
    }
}
