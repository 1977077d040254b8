//! Gathers candidates: asks STUN servers how they see us, and TURN servers for relays (RFC 8445 §5.1.1).
//!
//! Each server is asked from each UDP socket of its address family, and a TURN server over TCP or TLS once. All are
//! asked at the same time, each attempt begun Ta after the one before (RFC 8445 §14.2; the first few at once, as ICE's
//! checks). Attempts that have come to nothing after [`PATIENCE`] are given up, so that gathering ends.
//!
//! A gathering is a round. What relays there are stay when the next round begins (an ICE restart): those that are asked
//! for again are told again, and the server is asked whether it still knows us; the others are given back once nothing
//! goes through them. Reflexive addresses are asked for anew.
//!
//! An allocation that ends by itself takes its candidate along, and is asked for once more; but no server is asked more
//! often than every [`relays::MIN_LIFE`] because of that.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wire::{Received, Transmit};

use crate::config::IceTransportPolicy;
use crate::fault::Fault;
use crate::limits;
use crate::seeds::Seeds;
use crate::server::{IceServer, IceServerKind, ServerTransport};
use crate::stream::StreamSecurity;
use crate::transport::Reason;

mod binding;
mod pacer;
mod relay;
mod relays;
mod round;

use binding::Binding;
use pacer::Pacer;
pub(crate) use relay::{Relay, RelayKey, write_channel_header};
use round::{Problem, Round};

/// How long an attempt may take: what RFC 8489 §6.2.1 waits for is four times as long, and nobody waits for a call like
/// that. Browsers take as long as this.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket that servers are asked from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) address: SocketAddr,
    pub(crate) interface: u32,
    pub(crate) cost: u8,
}

/// What has come of it.
#[derive(Debug)]
pub(crate) enum Found {
    /// A candidate.
    Candidate(Box<ice::LocalCandidate>),
    /// The relay at this address is gone.
    Lost(SocketAddr),
    /// A server was of no use.
    Error(Box<CandidateError>),
    /// Open a connection for a relay.
    Connect(RelayKey, SocketAddr, StreamSecurity),
    /// Close it.
    Disconnect(RelayKey),
    /// Everything was found that will be.
    Complete,
}

/// W3C webrtc-pc's `RTCPeerConnectionIceErrorEvent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CandidateError {
    pub(crate) base: Option<SocketAddr>,
    pub(crate) url: String,
    pub(crate) code: u16,
    pub(crate) text: String,
}

/// What a datagram was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// None that a server has sent us.
    NotOurs,
    /// A server's answer.
    Done,
    /// A peer's datagram, in what a relay has sent.
    Data {
        peer: SocketAddr,
        /// Our address at the relay.
        relayed: SocketAddr,
        payload: Range<usize>,
    },
}

/// An attempt that has not begun.
#[derive(Debug)]
struct Job {
    server: Arc<IceServer>,
    /// None over a stream.
    base: Option<Base>,
    /// Not to begin before; none: at once.
    after: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct Gatherer {
    policy: IceTransportPolicy,
    seeds: Seeds,
    pacer: Pacer,
    round: Round,
    bases: Vec<Base>,
    jobs: VecDeque<Job>,
    bindings: Vec<Binding>,
    relays: Vec<Relay>,
    /// Until when attempts may take.
    deadline: Option<Instant>,
    next_key: u32,
    events: VecDeque<Found>,
}

impl Gatherer {
    pub(crate) fn new(policy: IceTransportPolicy, pacing: Duration, seed: &[u8; 32]) -> Self {
        Self {
            policy,
            seeds: Seeds::new(seed),
            pacer: Pacer::new(pacing),
            round: Round::default(),
            bases: Vec::new(),
            jobs: VecDeque::new(),
            bindings: Vec::new(),
            relays: Vec::new(),
            deadline: None,
            next_key: 0,
            events: VecDeque::new(),
        }
    }

    /// Begins another round: sockets and servers are told anew.
    pub(crate) fn begin(&mut self) {
        self.round = Round::default();
        self.bases.clear();
        self.jobs.clear();
        self.bindings.clear();
        self.relays.iter_mut().for_each(Relay::forsake);
        // What was found for the round before belongs to no candidate any more.
        self.events.retain(|event| !matches!(event, Found::Candidate(_) | Found::Error(_) | Found::Complete));
    }

    /// Asks every server from this socket, too.
    pub(crate) fn add_base(&mut self, now: Instant, base: Base) {
        let known = self.bases.iter().any(|known| same(known.address, base.address));
        if known || self.bases.len() >= limits::BASES {
            return;
        }
        if self.bases.len() < limits::FEW {
            self.bases.reserve_exact(1);
        }
        self.bases.push(base);
        for server in self.round.servers() {
            self.want(now, &server, base);
        }
    }

    /// Asks this server from every socket, or over a stream.
    pub(crate) fn add_server(&mut self, now: Instant, server: IceServer) {
        let is_stun = server.kind == IceServerKind::Stun;
        if is_stun && (server.transport != ServerTransport::Udp || self.policy == IceTransportPolicy::Relay) {
            return;
        }
        let Some(server) = self.round.add(server) else { return };
        if server.transport == ServerTransport::Udp {
            for base in self.bases.clone() {
                self.want(now, &server, base);
            }
        } else {
            self.attempt(now, &server, None);
        }
    }

    /// The driver knows no more sockets and servers.
    pub(crate) fn no_more(&mut self) {
        self.round.no_more();
        self.conclude();
    }

    /// The socket is gone, and with it what was gathered from it.
    pub(crate) fn remove_base(&mut self, now: Instant, address: SocketAddr) {
        let is_gone = |base: &Base| same(base.address, address);
        self.bases.retain(|base| !is_gone(base));
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.jobs)
            .into_iter()
            .partition(|job| job.base.as_ref().is_some_and(is_gone));
        self.jobs = kept.into();
        for job in gone {
            self.round.ended(&job.server, None, Ok(()), &mut self.events);
        }
        for binding in self.bindings.extract_if(.., |binding| is_gone(&binding.base)) {
            self.round.ended(&binding.server, None, Ok(()), &mut self.events);
        }
        self.drop_relays_on(address);
        self.pump(now);
    }

    fn want(&mut self, now: Instant, server: &Arc<IceServer>, base: Base) {
        let (from, to) = (base.address.ip(), server.address.ip());
        // From loopback nothing gets out, and from a link nothing beyond it.
        let reaches = from.is_ipv4() == to.is_ipv4()
            && (!from.is_loopback() || to.is_loopback())
            && (!is_link_local(from) || is_link_local(to));
        if server.transport == ServerTransport::Udp && reaches {
            self.attempt(now, server, Some(base));
        }
    }

    /// Asks this server, unless there is a relay already.
    fn attempt(&mut self, now: Instant, server: &Arc<IceServer>, base: Option<Base>) {
        self.round.began(server);
        if !self.take_up_relay(now, server, base) {
            self.jobs.push_back(Job { server: Arc::clone(server), base, after: None });
        }
        self.pump(now);
    }

    /// Begins what may begin by now.
    fn pump(&mut self, now: Instant) {
        let is_due = |job: &Job| job.after.is_none_or(|after| after <= now);
        while self.pacer.may_begin(now)
            && let Some(index) = self.jobs.iter().position(is_due)
            && let Some(job) = self.jobs.remove(index)
        {
            self.pacer.began(now);
            self.deadline = Some(now + PATIENCE);
            self.start(now, job);
        }
        self.conclude();
    }

    fn start(&mut self, now: Instant, job: Job) {
        let Job { server, base, .. } = job;
        let seed = self.seeds.next();
        let outcome = match (&server.kind, base) {
            (IceServerKind::Stun, Some(base)) if self.bindings.len() < limits::BINDINGS => {
                self.bindings.push(Binding::new(now, Arc::clone(&server), base, seed));
                return;
            }
            (IceServerKind::Turn { .. }, base) if self.relays.len() < limits::RELAYS => {
                self.open_relay(now, Arc::clone(&server), base, seed)
            }
            _ => Err(Problem::TooMany),
        };
        if let Err(problem) = outcome {
            let base = base.map(|base| base.address);
            self.round.ended(&server, base, Err(problem), &mut self.events);
        }
    }

    /// Tells when everything was found.
    fn conclude(&mut self) {
        if self.round.concludes() {
            self.events.push_back(Found::Complete);
        }
    }

    /// Takes a datagram if it is from a server.
    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: Received<'_>) -> Result<Heard, Fault> {
        let Received { source, destination, bytes } = datagram;
        for index in 0..self.relays.len() {
            if self.relays[index].is_between(destination, source) {
                let heard = self.hear_relay(now, index, &mut *bytes)?;
                if heard != Heard::NotOurs {
                    return Ok(heard);
                }
            }
        }
        if !self.bindings.is_empty() {
            return self.hear_binding(now, Received { source, destination, bytes });
        }
        Ok(Heard::NotOurs)
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for binding in &mut self.bindings {
            binding.handle_timeout(now);
        }
        self.take_answers(now);
        self.time_relays(now);
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            for binding in std::mem::take(&mut self.bindings) {
                let base = Some(binding.base.address);
                self.round.ended(&binding.server, base, Err(Problem::no_answer()), &mut self.events);
            }
            self.give_up_relays(now);
        }
        self.pump(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let bindings = self.bindings.iter().filter_map(Binding::poll_timeout);
        let bindings = bindings.map(|(at, reason)| (at, Reason::Stun(reason)));
        let relays = self.relays.iter().filter_map(Relay::poll_timeout);
        let relays = relays.map(|(at, reason)| (at, Reason::Turn(reason)));
        let begin = |job: &Job| job.after.max(self.pacer.ready());
        let jobs = self.jobs.iter().filter_map(begin).min();
        let gathering = [jobs, self.deadline].into_iter().flatten().map(|at| (at, Reason::Gathering));
        bindings.chain(relays).chain(gathering).min_by_key(|(at, _)| *at)
    }

    /// Appends the next datagram for a server.
    pub(crate) fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let mut relays = self.relays.iter_mut().filter(|relay| !relay.is_on_stream());
        if let Some(transmit) = relays.find_map(|relay| relay.poll_transmit(now, buffer)) {
            return Some(transmit);
        }
        self.bindings.iter_mut().find_map(|binding| binding.poll_transmit(now, buffer))
    }

    pub(crate) fn poll_event(&mut self) -> Option<Found> {
        let event = self.events.pop_front()?;
        if self.events.is_empty() {
            // None comes once everything is gathered.
            self.events = VecDeque::new();
        }
        Some(event)
    }

    fn hear_binding(&mut self, now: Instant, datagram: Received<'_>) -> Result<Heard, Fault> {
        let Received { source, destination, bytes } = datagram;
        for binding in self.bindings.iter_mut().filter(|binding| binding.is_between(destination, source)) {
            if binding.handle_datagram(now, Received { source, destination, bytes: &mut *bytes })? {
                self.take_answers(now);
                self.conclude();
                return Ok(Heard::Done);
            }
        }
        Ok(Heard::NotOurs)
    }

    /// Draws the consequences of what STUN servers have said.
    fn take_answers(&mut self, now: Instant) {
        let mut index = 0;
        while let Some(binding) = self.bindings.get_mut(index) {
            let Some(answer) = binding.poll_answer(now) else {
                index += 1;
                continue;
            };
            let Binding { server, base, .. } = self.bindings.swap_remove(index);
            let outcome = answer.map(|mapped| self.find_reflexive(mapped, base, &server));
            self.round.ended(&server, Some(base.address), outcome, &mut self.events);
        }
    }

    /// RFC 8445 §5.1.1.2; §5.1.3: one that is its own base says nothing.
    fn find_reflexive(&mut self, mapped: SocketAddr, base: Base, server: &IceServer) {
        if same(mapped, base.address) || mapped.is_ipv4() != base.address.is_ipv4() {
            return;
        }
        let candidate = ice::LocalCandidate::server_reflexive(mapped, base.address, server.address.ip())
            .on_interface(base.interface, base.cost)
            .learnt_from(&server.url());
        self.events.push_back(Found::Candidate(Box::new(candidate)));
    }
}

/// Whether two addresses are one, whatever scope they are written with.
pub(crate) fn same(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port() && one.ip() == other.ip()
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}
