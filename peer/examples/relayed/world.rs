//! Two peer connections over nothing, and perhaps a relay between them. The test of what a relayed packet takes from the
//! heap has the same ones (`peer/tests/heap_relayed.rs`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use turn::server;
use twocan_peer::{
    ChannelId, ChannelOptions, Configuration, Event, IceServer, IceServerKind, IceTransportPolicy,
    PeerConnection, ServerTransport,
};
use wire::Received;

/// The sender, the receiver, and between them perhaps a relay.
pub(crate) struct World {
    /// The time that everybody has.
    pub(crate) now: Instant,
    pub(crate) ends: [PeerConnection; 2],
    addresses: [SocketAddr; 2],
    server: server::Server,
    at: SocketAddr,
    relays: Vec<(server::RelayId, SocketAddr)>,
    is_relayed: bool,
    /// What the relay hands to its client, in one piece.
    whole: Vec<u8>,
    /// The sender's, once it is open.
    pub(crate) channel: Option<ChannelId>,
    /// Bytes of messages, at both ends.
    pub(crate) received: usize,
    events: Vec<(usize, Event)>,
}

impl World {
    pub(crate) fn new(now: Instant, is_relayed: bool, configure: impl Fn(&mut Configuration)) -> Self {
        let end = |name: u8| {
            let certificate =
                dtls::Certificate::generate([name; 32], SystemTime::now()).expect("a certificate");
            let mut configuration = Configuration::new(Arc::new(certificate), [name; 32]);
            configure(&mut configuration);
            if name == 0 && is_relayed {
                configuration.ice_transport_policy = IceTransportPolicy::Relay;
            }
            PeerConnection::new(now, configuration)
        };
        let mut config =
            server::Config::new("example", now, Duration::from_secs(1), [7; 32]).expect("a realm");
        config.credentials.add_user("example", "ada", "secret");
        let ledger = server::Ledger::new(server::Limits::default(), now);
        Self {
            now,
            ends: [end(0), end(1)],
            addresses: [SocketAddr::from(([192, 0, 2, 1], 5000)), SocketAddr::from(([192, 0, 2, 2], 5000))],
            server: server::Server::new(Arc::new(config), Arc::new(ledger)),
            at: SocketAddr::from(([203, 0, 113, 1], 3478)),
            relays: Vec::new(),
            is_relayed,
            whole: Vec::with_capacity(2048),
            channel: None,
            received: 0,
            events: Vec::new(),
        }
    }

    /// Has everything go where it goes, and everybody do what is due.
    pub(crate) fn turn(&mut self, buffer: &mut Vec<u8>) {
        for end in [0, 1] {
            let now = self.now;
            if self.ends[end].poll_timeout().is_some_and(|(at, _)| at <= now) {
                self.ends[end].handle_timeout(now);
            }
            self.take_events(end);
            buffer.clear();
            while let Some(sent) = self.ends[end].poll_transmit(now, buffer) {
                let size = sent.segment_size.unwrap_or(buffer.len().max(1));
                for bytes in buffer.chunks_mut(size) {
                    self.carry(now, sent.source, sent.destination, bytes);
                }
                buffer.clear();
                self.take_events(1 - end);
            }
        }
    }

    fn carry(&mut self, now: Instant, source: SocketAddr, destination: SocketAddr, bytes: &mut [u8]) {
        if let Some(end) = self.addresses.iter().position(|address| *address == destination) {
            // A fault is counted.
            let _ = self.ends[end].handle_datagram(now, Received { source, destination, bytes });
        } else if destination == self.at {
            let client = server::Client { transport: server::Transport::Udp, local: self.at, remote: source };
            if let Ok(Some(to)) = self.server.handle_client(now, &client, bytes)
                && let Some((_, from)) = self.relays.iter().find(|(relay, _)| *relay == to.relay).copied()
            {
                self.carry(now, from, to.peer, &mut bytes[to.payload]);
            }
            self.attend(now);
        } else if let Some((relay, _)) = self.relays.iter().find(|(_, at)| *at == destination).copied()
            && let Ok(to) = self.server.handle_peer(now, relay, source, bytes.len())
        {
            let mut whole = std::mem::take(&mut self.whole);
            whole.clear();
            whole.extend_from_slice(&to.prefix);
            whole.extend_from_slice(bytes);
            self.carry(now, self.at, to.client.remote, &mut whole);
            self.whole = whole;
        }
    }

    fn attend(&mut self, now: Instant) {
        while let Some(event) = self.server.poll_event() {
            if let server::Event::Open { relay, address } = event {
                self.relays.push((relay, address));
                self.server.handle_opened(now, relay, Ok(()));
            }
        }
        let mut answer = Vec::new();
        while let Some(client) = self.server.poll_transmit(&mut answer) {
            self.carry(now, self.at, client.remote, &mut answer);
            answer.clear();
        }
    }

    fn take_events(&mut self, end: usize) {
        while let Some(event) = self.ends[end].poll_event() {
            match event {
                Event::Message(message) => {
                    self.received += message.data.len();
                    self.ends[end].recycle(message.data);
                }
                event => self.events.push((end, event)),
            }
        }
        for (end, event) in std::mem::take(&mut self.events) {
            self.heed(end, event);
        }
    }

    fn heed(&mut self, end: usize, event: Event) {
        let now = self.now;
        match event {
            Event::Gather => {
                let host = ice::LocalCandidate::host(self.addresses[end]);
                self.ends[end].add_local_candidate(now, host).expect("a candidate");
                if end == 0 && self.is_relayed {
                    self.ends[end].add_ice_server(
                        now,
                        IceServer {
                            kind: IceServerKind::Turn { username: "ada".into(), credential: "secret".into() },
                            transport: ServerTransport::Udp,
                            address: self.at,
                            domain: "example.org".into(),
                        },
                    );
                }
                self.ends[end].end_of_local_candidates(now);
            }
            Event::IceCandidate(candidate) => {
                self.ends[1 - end].add_ice_candidate(now, candidate.as_ref()).expect("taken");
            }
            Event::ChannelOpen(id) if end == 0 => self.channel = Some(id),
            _ => {}
        }
    }

    /// Signaling.
    pub(crate) fn connect(&mut self) {
        let now = self.now;
        let [ada, bob] = &mut self.ends;
        ada.create_data_channel(now, "pump", "", ChannelOptions::default()).expect("a channel");
        let offer = ada.set_local_description_implicitly(now).expect("an offer");
        bob.set_remote_description(now, &offer).expect("taken");
        let answer = bob.set_local_description_implicitly(now).expect("an answer");
        ada.set_remote_description(now, &answer).expect("taken");
    }
}
