//! One side of a test: its agent, what became of it, and what befalls it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use twocan_ice::{
    Agent, Candidate, Config, ConnectionId, Kind, LocalCandidate, RemoteParameters, ResolveId, Role,
    Selected, State,
};
use wire::Transmit;

/// What arrives by signaling, or happens on its own.
#[derive(Clone)]
pub(crate) enum Step {
    Remote(RemoteParameters),
    Candidate(Candidate),
    End,
    Local(LocalCandidate),
    Gathered,
    Resolved(ResolveId, Vec<IpAddr>),
    Connected(ConnectionId, SocketAddr),
    ConnectFailed(ConnectionId),
}

pub(crate) struct Side {
    pub(crate) agent: Agent,
    pub(crate) states: Vec<(Duration, State)>,
    pub(crate) selected: Vec<(Duration, Selected)>,
    pub(crate) roles: Vec<Role>,
    pub(crate) embedded: Vec<Vec<(u16, Box<[u8]>)>>,
    pub(crate) lost: Vec<Duration>,
    /// Every STUN message it sent, and when.
    pub(crate) sent: Vec<(Duration, Transmit, Vec<u8>)>,
    pub(crate) names: BTreeMap<Box<str>, Vec<IpAddr>>,
    pub(crate) listens: Vec<SocketAddr>,
    pub(crate) renomination: bool,
    pub(crate) lite: bool,
    pub(crate) ice2: bool,
    pub(crate) next_port: u16,
}

impl Side {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            renomination: config.renomination,
            lite: config.lite,
            ice2: true,
            agent: Agent::new(config),
            states: Vec::new(),
            selected: Vec::new(),
            roles: Vec::new(),
            embedded: Vec::new(),
            lost: Vec::new(),
            sent: Vec::new(),
            names: BTreeMap::new(),
            listens: Vec::new(),
            next_port: 50_000,
        }
    }

    pub(crate) fn parameters(&self) -> RemoteParameters {
        RemoteParameters {
            credentials: self.agent.credentials().clone(),
            lite: self.lite,
            renomination: self.renomination,
            ice2: self.ice2,
        }
    }

    pub(crate) fn kinds(&self) -> Option<(Kind, Kind)> {
        self.agent.selected().map(|selected| (selected.local.kind, selected.remote.kind))
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.agent.poll_timeout().is_some_and(|(at, _)| at <= now)
    }
}
