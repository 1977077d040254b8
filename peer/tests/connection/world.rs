//! Two ends, a network between them, and signaling that takes a round trip's half.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use netsim::{Home, HostId, Network};
use twocan_peer::{
    ChannelId, Configuration, Event, IceCandidateInit, PeerConnection, PeerConnectionState, SdpType,
    SessionDescription,
};
use wire::Received;

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
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) network: Network,
    pub(crate) ends: [End; 2],
    signals: Vec<(Instant, usize, Signal)>,
    /// How long signaling takes one way.
    pub(crate) signaling: Duration,
    pub(crate) trickles: bool,
    /// Whether somebody on the way changes Bob's fingerprint.
    pub(crate) swap_fingerprint: bool,
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

impl World {
    pub(crate) fn new(seed: u8, homes: [Home; 2]) -> Self {
        Self::configured(seed, homes, |_, _| {})
    }

    /// With ends that are configured otherwise.
    pub(crate) fn configured(
        seed: u8,
        homes: [Home; 2],
        configure: impl Fn(usize, &mut Configuration),
    ) -> Self {
        let start = beginning();
        let mut network = Network::new(seed.into(), start);
        let mut name = 0;
        let ends = homes.map(|home| {
            name += 1;
            let mut configuration = Configuration::new(certificate(name), [seed ^ (name << 6); 32]);
            configure(usize::from(name) - 1, &mut configuration);
            End {
                peer: PeerConnection::new(start, configuration),
                host: network.host(home),
                port: 5000,
                events: Vec::new(),
                messages: Vec::new(),
                polite: name == 1,
                offers: true,
            }
        });
        Self {
            now: start,
            network,
            ends,
            signals: Vec::new(),
            signaling: Duration::from_millis(10),
            trickles: true,
            swap_fingerprint: false,
        }
    }

    /// On one LAN, a millisecond apart.
    pub(crate) fn lan(seed: u8) -> Self {
        let link = || netsim::Link::of(Duration::from_millis(1));
        Self::new(seed, [Home::public("192.0.2.1").link(link()), Home::public("192.0.2.2").link(link())])
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
                    let candidate = ice::LocalCandidate::host(address);
                    // Behind a NAT it is no use outside, and does no harm.
                    self.ends[at].peer.add_local_candidate(now, candidate).unwrap();
                }
                self.ends[at].peer.end_of_local_candidates(now);
            }
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
        let mut buffer = Vec::new();
        for at in [ADA, BOB] {
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
        }
    }

    /// The next thing that happens by itself; false when nothing ever will.
    pub(crate) fn step(&mut self, until: Instant) -> bool {
        self.settle();
        let timeouts = self.ends.iter().filter_map(|end| end.peer.poll_timeout().map(|(at, _)| at));
        let signals = self.signals.iter().map(|(at, ..)| *at);
        let next = timeouts.chain(signals).chain(self.network.next_arrival()).min();
        let Some(next) = next.map(|next| next.max(self.now)).filter(|next| *next <= until) else {
            self.now = until;
            return false;
        };
        self.now = next;
        while let Some(arrival) = self.network.receive(self.now) {
            let netsim::Arrival { host, source, destination, mut bytes, .. } = arrival;
            let end = self.ends.iter_mut().find(|end| end.host == host).unwrap();
            let received = Received { source, destination, bytes: &mut bytes };
            // A fault is counted.
            let _ = end.peer.handle_datagram(self.now, received);
        }
        while let Some(index) = self.signals.iter().position(|(at, ..)| *at <= self.now) {
            let (_, to, signal) = self.signals.remove(index);
            self.hear(to, signal);
        }
        for end in &mut self.ends {
            if end.peer.poll_timeout().is_some_and(|(at, _)| at <= self.now) {
                end.peer.handle_timeout(self.now);
            }
        }
        true
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
        while self.step(deadline) {}
        self.settle();
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
