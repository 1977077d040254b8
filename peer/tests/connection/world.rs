//! Two ends, a network between them, and signaling that takes a round trip's half.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use netsim::{Home, HostId, Network};
use twocan_peer::{
    Burst, ChannelId, Configuration, Event, IceCandidateInit, IceServer, PeerConnection, PeerConnectionState,
    SdpType, SessionDescription,
};
use wire::Received;

use crate::pipes::{Delivery, Party, Pipe, Pipes};
use crate::server::TurnServer;

/// What signaling carries.
#[derive(Clone, Debug)]
enum Signal {
    Description(SessionDescription),
    Candidate(Option<IceCandidateInit>),
}

pub(crate) struct End {
    pub(crate) peer: PeerConnection,
    pub(crate) host: HostId,
    port: u16,
    /// Everything that happened, messages apart.
    pub(crate) events: Vec<Event>,
    /// Messages by channel, pieces put together.
    pub(crate) messages: Vec<(ChannelId, Vec<u8>)>,
    /// Whether it gives way when offers meet.
    polite: bool,
    /// Whether it offers when an exchange is needed.
    pub(crate) offers: bool,
    /// Whom it asks for candidates.
    pub(crate) ice_servers: Vec<IceServer>,
    /// Which TCP candidates it has beside its UDP sockets.
    pub(crate) tcp: Option<ice::TcpType>,
    /// Whether it has UDP sockets at all.
    pub(crate) udp: bool,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) network: Network,
    pub(crate) servers: Vec<TurnServer>,
    pub(crate) pipes: Pipes,
    pub(crate) ends: [End; 2],
    signals: Vec<(Instant, usize, Signal)>,
    /// How long signaling takes one way.
    pub(crate) signaling: Duration,
    pub(crate) trickles: bool,
    /// Whether somebody on the way changes Bob's fingerprint.
    pub(crate) swap_fingerprint: bool,
    /// To whom something has happened since they were last asked what they have to say.
    touched: [bool; 2],
    /// How often something has happened without time passing.
    at_once: u32,
}

pub(crate) const ADA: usize = 0;
pub(crate) const BOB: usize = 1;

/// Where virtual time begins.
#[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
fn beginning() -> Instant {
    Instant::now()
}

pub(crate) fn certificate(seed: u8) -> Arc<dtls::Certificate> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    Arc::new(dtls::Certificate::generate([seed; 32], now).unwrap())
}

/// What an end of a world with this seed draws from.
fn secret(seed: u64, name: u8) -> [u8; 32] {
    let mut secret = [seed as u8 ^ (name << 6); 32];
    for (byte, more) in secret.iter_mut().zip((seed >> 8).to_be_bytes()) {
        *byte ^= more;
    }
    secret
}

impl World {
    pub(crate) fn new(seed: u64, homes: [Home; 2]) -> Self {
        Self::configured(seed, homes, |_, _| {})
    }

    /// With ends that are configured otherwise.
    pub(crate) fn configured(
        seed: u64,
        homes: [Home; 2],
        configure: impl Fn(usize, &mut Configuration),
    ) -> Self {
        let start = beginning();
        let mut network = Network::new(seed, start);
        let mut name = 0;
        let ends = homes.map(|home| {
            name += 1;
            let mut configuration = Configuration::new(certificate(name), secret(seed, name));
            configure(usize::from(name) - 1, &mut configuration);
            End {
                peer: PeerConnection::new(start, configuration),
                host: network.host(home),
                port: 5000,
                events: Vec::new(),
                messages: Vec::new(),
                polite: name == 1,
                offers: true,
                ice_servers: Vec::new(),
                tcp: None,
                udp: true,
            }
        });
        Self {
            now: start,
            network,
            servers: Vec::new(),
            pipes: Pipes::default(),
            ends,
            signals: Vec::new(),
            signaling: Duration::from_millis(10),
            trickles: true,
            swap_fingerprint: false,
            touched: [false; 2],
            at_once: 0,
        }
    }

    /// On one LAN, a millisecond apart.
    pub(crate) fn lan(seed: u64) -> Self {
        let link = || netsim::Link::of(Duration::from_millis(1));
        Self::new(seed, [Home::public("192.0.2.1").link(link()), Home::public("192.0.2.2").link(link())])
    }

    /// Adds a STUN and TURN server; its place among them.
    pub(crate) fn serve(&mut self, ip: &str) -> usize {
        self.servers.push(TurnServer::new(&mut self.network, self.now, ip, |_| {}));
        self.servers.len() - 1
    }

    fn socket(&self, end: usize) -> Vec<SocketAddr> {
        let End { host, port, .. } = &self.ends[end];
        self.network.addresses(*host).iter().map(|ip| SocketAddr::new(*ip, *port)).collect()
    }

    fn signal(&mut self, from: usize, mut signal: Signal) {
        if let (Signal::Description(description), true, BOB) = (&mut signal, self.swap_fingerprint, from) {
            let other = certificate(9).fingerprint(dtls::FingerprintHash::Sha256);
            let other: Vec<String> = other.bytes().iter().map(|byte| format!("{byte:02X}")).collect();
            let other = format!("a=fingerprint:sha-256 {}", other.join(":"));
            let lines = description.sdp.lines();
            let lines =
                lines.map(|line| if line.starts_with("a=fingerprint") { other.as_str() } else { line });
            description.sdp = lines.flat_map(|line| [line, "\r\n"]).collect();
        }
        self.signals.push((self.now + self.signaling, 1 - from, signal));
    }

    /// Perfect negotiation, W3C webrtc-pc §10.7.
    fn hear(&mut self, at: usize, signal: Signal) {
        let now = self.now;
        let End { peer, polite, .. } = &mut self.ends[at];
        match signal {
            Signal::Description(description) => {
                let collides = description.kind == SdpType::Offer
                    && peer.signaling_state() != twocan_peer::SignalingState::Stable;
                if collides && !*polite {
                    return;
                }
                peer.set_remote_description(now, &description).unwrap();
                if description.kind == SdpType::Offer {
                    peer.set_local_description_implicitly(now).unwrap();
                    self.announce(at);
                }
            }
            // One for an offer that was ignored belongs to nothing.
            Signal::Candidate(candidate) => drop(peer.add_ice_candidate(now, candidate.as_ref())),
        }
    }

    fn announce(&mut self, from: usize) {
        if self.trickles {
            let mut description = self.ends[from].peer.local_description().unwrap();
            // As it was made: candidates follow.
            description.sdp = description
                .sdp
                .lines()
                .filter(|line| !line.starts_with("a=candidate") && !line.starts_with("a=end-of-candidates"))
                .flat_map(|line| [line, "\r\n"])
                .collect();
            self.signal(from, Signal::Description(description));
        }
    }

    fn happen(&mut self, at: usize, event: Event) {
        let now = self.now;
        match &event {
            Event::NegotiationNeeded if self.ends[at].offers => {
                self.ends[at].peer.set_local_description_implicitly(now).unwrap();
                self.announce(at);
            }
            Event::Gather => {
                for address in self.socket(at) {
                    let End { peer, udp, tcp, .. } = &mut self.ends[at];
                    if *udp {
                        // Behind a NAT it is no use outside, and does no harm.
                        peer.add_local_candidate(now, ice::LocalCandidate::host(address)).unwrap();
                    }
                    if let Some(tcp_type) = *tcp {
                        let candidate = ice::LocalCandidate::tcp(address, tcp_type);
                        peer.add_local_candidate(now, candidate).unwrap();
                    }
                }
                let End { peer, ice_servers, .. } = &mut self.ends[at];
                for server in ice_servers.clone() {
                    peer.add_ice_server(now, server);
                }
                peer.end_of_local_candidates(now);
            }
            Event::Connect { id, local, remote, .. } => {
                let ip = local.unwrap_or(self.network.addresses(self.ends[at].host)[0]);
                self.pipes.ask(now, at, *id, ip, *remote);
            }
            Event::Disconnect { id } => self.hang_up(Party::Peer(at, *id)),
            Event::IceCandidate(candidate) if self.trickles => {
                let candidate = candidate.clone();
                self.signal(at, Signal::Candidate(candidate));
            }
            Event::IceCandidate(None) => {
                let description = self.ends[at].peer.local_description().unwrap();
                self.signal(at, Signal::Description(description));
            }
            Event::Message(message) => {
                let messages = &mut self.ends[at].messages;
                if message.first {
                    messages.push((message.channel, Vec::new()));
                }
                messages.last_mut().unwrap().1.extend_from_slice(&message.data);
                return;
            }
            _ => {}
        }
        self.ends[at].events.push(event);
    }

    /// Takes what both ends have to say, until neither has anything left.
    pub(crate) fn settle(&mut self) {
        self.touched = [true; 2];
        self.settle_touched();
    }

    /// The same of those to whom something has happened: whoever else has something to say must have asked to be woken.
    fn settle_touched(&mut self) {
        let mut buffer = Vec::new();
        for at in [ADA, BOB] {
            if !std::mem::take(&mut self.touched[at]) {
                continue;
            }
            loop {
                while let Some(event) = self.ends[at].peer.poll_event() {
                    self.happen(at, event);
                }
                buffer.clear();
                let Some(sent) = self.ends[at].peer.poll_transmit(self.now, &mut buffer) else { break };
                let size = sent.segment_size.unwrap_or(buffer.len().max(1));
                for datagram in buffer.chunks(size) {
                    self.network.send(self.now, self.ends[at].host, sent.source, sent.destination, datagram);
                }
            }
            loop {
                buffer.clear();
                let Some(id) = self.ends[at].peer.poll_stream(self.now, &mut buffer) else { break };
                self.pipes.send(self.now, Party::Peer(at, id), None, &buffer);
            }
        }
    }

    /// Sends what an end lets leave at once; how many datagrams went together.
    pub(crate) fn send_burst(&mut self, at: usize, burst: &mut Burst) -> Vec<usize> {
        let mut counts = Vec::new();
        while let Some((sent, bytes)) = burst.poll() {
            let size = sent.segment_size.unwrap_or(bytes.len().max(1));
            for datagram in bytes.chunks(size) {
                self.network.send(self.now, self.ends[at].host, sent.source, sent.destination, datagram);
            }
            counts.push(bytes.len().div_ceil(size));
        }
        counts
    }

    /// The next thing that happens by itself; false when nothing ever will.
    pub(crate) fn step(&mut self, until: Instant) -> bool {
        let timeouts = self.ends.iter().filter_map(|end| end.peer.poll_timeout().map(|(at, _)| at));
        let signals = self.signals.iter().map(|(at, ..)| *at);
        let servers =
            self.servers.iter().filter_map(|server| server.machine.poll_timeout().map(|(at, _)| at));
        let others = servers.chain(self.pipes.next());
        let next = timeouts.chain(signals).chain(others).chain(self.network.next_arrival()).min();
        let Some(next) = next.map(|next| next.max(self.now)).filter(|next| *next <= until) else {
            self.now = until;
            return false;
        };
        self.at_once = if next == self.now { self.at_once + 1 } else { 0 };
        assert!(
            self.at_once < 1000,
            "time stands still: {:?}",
            self.ends.each_ref().map(|end| end.peer.poll_timeout())
        );
        self.now = next;
        while let Some(arrival) = self.network.receive(self.now) {
            if let Some(server) = self.servers.iter_mut().find(|server| server.host == arrival.host) {
                server.hear(self.now, &mut self.network, &arrival);
                continue;
            }
            let netsim::Arrival { host, source, destination, mut bytes, .. } = arrival;
            let at = self.ends.iter().position(|end| end.host == host).unwrap();
            let received = Received { source, destination, bytes: &mut bytes };
            // A fault is counted.
            let _ = self.ends[at].peer.handle_datagram(self.now, received);
            self.touched[at] = true;
        }
        while let Some(delivery) = self.pipes.receive(self.now) {
            self.deliver(delivery);
        }
        self.post();
        for server in &mut self.servers {
            server.handle_timeout(self.now);
        }
        while let Some(index) = self.signals.iter().position(|(at, ..)| *at <= self.now) {
            let (_, to, signal) = self.signals.remove(index);
            self.hear(to, signal);
            self.touched[to] = true;
        }
        for (end, touched) in self.ends.iter_mut().zip(&mut self.touched) {
            if end.peer.poll_timeout().is_some_and(|(at, _)| at <= self.now) {
                end.peer.handle_timeout(self.now);
                *touched = true;
            }
        }
        self.settle_touched();
        true
    }

    /// What servers have to say over streams.
    fn post(&mut self) {
        for (index, server) in self.servers.iter_mut().enumerate() {
            for (to, bytes) in server.outbox.drain(..) {
                self.pipes.send(self.now, Party::Server(index), Some(to), &bytes);
            }
        }
    }

    pub(crate) fn hang_up(&mut self, party: Party) {
        match self.pipes.close(party) {
            Some((Party::Peer(end, id), _)) => self.pipes.put(self.now, Delivery::Closed(end, id)),
            Some((Party::Server(index), from)) => self.servers[index].hang_up(self.now, from),
            None => {}
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        let now = self.now;
        match delivery {
            Delivery::Ask { end, id, local, remote } => {
                let server = self
                    .servers
                    .iter()
                    .position(|server| server.address == remote && server.is_alive)
                    .map(Party::Server);
                let listens = |other: usize| {
                    other != end
                        && self.ends[other].tcp == Some(ice::TcpType::Passive)
                        && self.socket(other).contains(&remote)
                };
                let peer = [ADA, BOB].into_iter().find(|other| listens(*other));
                let accepted = peer.and_then(|other| {
                    let id = self.ends[other].peer.handle_accepted(now, remote, local)?;
                    self.touched[other] = true;
                    Some(Party::Peer(other, id))
                });
                match server.or(accepted) {
                    Some(party) => {
                        let parties = [Party::Peer(end, id), party];
                        self.pipes.open.push(Pipe { parties, local, remote });
                        self.pipes.put(now, Delivery::Accepted(end, id, local));
                    }
                    None => self.pipes.put(now, Delivery::Closed(end, id)),
                }
            }
            Delivery::Accepted(end, id, local) => {
                self.ends[end].peer.handle_connected(now, id, local);
                self.touched[end] = true;
            }
            Delivery::Closed(end, id) => {
                self.ends[end].peer.handle_disconnected(now, id);
                self.touched[end] = true;
            }
            // A fault is counted.
            Delivery::Bytes { to: Party::Peer(end, id), mut bytes, .. } => {
                let _ = self.ends[end].peer.handle_stream(now, id, &mut bytes);
                self.touched[end] = true;
            }
            Delivery::Bytes { from, to: Party::Server(index), bytes } => {
                self.servers[index].hear_stream(now, &mut self.network, from, &bytes);
            }
        }
    }

    /// Lets time pass until something holds, at most so long.
    #[track_caller]
    pub(crate) fn until(&mut self, patience: Duration, what: impl Fn(&Self) -> bool) {
        let deadline = self.now + patience;
        self.settle();
        while !what(self) {
            assert!(
                self.step(deadline),
                "it never happens: {:#?} {:#?}",
                self.ends[0].events,
                self.ends[1].events
            );
            self.settle();
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let deadline = self.now + time;
        self.settle();
        while self.step(deadline) {}
        self.settle();
    }

    /// Closes both ends.
    pub(crate) fn close(&mut self) {
        let now = self.now;
        self.ends.iter_mut().for_each(|end| end.peer.close(now));
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.ends.iter().all(|end| end.peer.connection_state() == PeerConnectionState::Connected)
    }

    /// A channel from Ada to Bob, open at both; their names for it.
    #[track_caller]
    pub(crate) fn channel(&mut self, label: &str) -> (ChannelId, ChannelId) {
        let now = self.now;
        let ada = self.ends[ADA].peer.create_data_channel(now, label, "", Default::default()).unwrap();
        self.until(Duration::from_secs(30), |world| {
            world.ends[ADA].events.contains(&Event::ChannelOpen(ada)) && world.incoming(label).is_some()
        });
        (ada, self.incoming(label).unwrap())
    }

    pub(crate) fn incoming(&self, label: &str) -> Option<ChannelId> {
        let End { events, peer, .. } = &self.ends[BOB];
        events.iter().find_map(|event| match event {
            Event::DataChannel(id) if peer.channel(*id).is_some_and(|channel| channel.label() == label) => {
                Some(*id)
            }
            _ => None,
        })
    }
}
