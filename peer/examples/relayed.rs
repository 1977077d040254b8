//! What a relay costs its client: data from one end to another directly, then with the sender behind a relay, in one
//! thread and without sockets: `cargo run --release -p twocan-peer --example relayed`.
//!
//! CPU time is that of both ends and, in the second line, of the relay's state machine.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use turn::server;
use twocan_peer::{
    ChannelId, ChannelOptions, Configuration, Event, IceServer, IceServerKind, IceTransportPolicy, Kind,
    PeerConnection, ServerTransport,
};
use wire::Received;

/// The sender, the receiver, and between them perhaps a relay.
struct World {
    ends: [PeerConnection; 2],
    addresses: [SocketAddr; 2],
    server: server::Server,
    at: SocketAddr,
    relays: Vec<(server::RelayId, SocketAddr)>,
    is_relayed: bool,
    channel: Option<ChannelId>,
    received: usize,
    events: Vec<(usize, Event)>,
}

impl World {
    fn new(is_relayed: bool) -> Self {
        let now = Instant::now();
        let end = |name: u8| {
            let certificate =
                dtls::Certificate::generate([name; 32], SystemTime::now()).expect("a certificate");
            let mut configuration = Configuration::new(Arc::new(certificate), [name; 32]);
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
            ends: [end(0), end(1)],
            addresses: [SocketAddr::from(([192, 0, 2, 1], 5000)), SocketAddr::from(([192, 0, 2, 2], 5000))],
            server: server::Server::new(Arc::new(config), Arc::new(ledger)),
            at: SocketAddr::from(([203, 0, 113, 1], 3478)),
            relays: Vec::new(),
            is_relayed,
            channel: None,
            received: 0,
            events: Vec::new(),
        }
    }

    /// Has everything go where it goes, and everybody do what is due.
    fn turn(&mut self, buffer: &mut Vec<u8>) {
        for end in [0, 1] {
            let now = Instant::now();
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
            let mut whole = [&to.prefix[..], bytes].concat();
            self.carry(now, self.at, to.client.remote, &mut whole);
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
        let now = Instant::now();
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

    fn connect(&mut self) {
        let now = Instant::now();
        let [ada, bob] = &mut self.ends;
        ada.create_data_channel(now, "pump", "", ChannelOptions::default()).expect("a channel");
        let offer = ada.set_local_description_implicitly(now).expect("an offer");
        bob.set_remote_description(now, &offer).expect("taken");
        let answer = bob.set_local_description_implicitly(now).expect("an answer");
        ada.set_remote_description(now, &answer).expect("taken");
    }
}

fn main() {
    for is_relayed in [false, true] {
        let mut world = World::new(is_relayed);
        world.connect();
        let mut buffer = Vec::new();
        while world.channel.is_none() {
            world.turn(&mut buffer);
        }
        let channel = world.channel.expect("open");
        let message = bytes::Bytes::from(vec![7; 64 << 10]);
        let (begun, start) = (cpu(), Instant::now());
        while start.elapsed() < Duration::from_secs(3) {
            while world.ends[0].buffered_amount(channel) < 4 << 20
                && world.ends[0].send(Instant::now(), channel, Kind::Binary, message.clone()).is_ok()
            {
            }
            world.turn(&mut buffer);
        }
        let way = if is_relayed { "relayed" } else { "direct" };
        let per_packet = (cpu() - begun).as_secs_f64() * 1e9 / (world.received as f64 / 1120.0);
        let rate = world.received as f64 / 1e6 / (cpu() - begun).as_secs_f64();
        println!("{way:>8}: {rate:.0} MB per CPU-second, about {per_packet:.0} ns a packet");
    }
}

/// CPU time of this process.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID);
    time.map_or(Duration::ZERO, Duration::from)
}
