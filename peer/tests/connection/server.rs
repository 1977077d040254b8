//! Our own STUN and TURN server as a host of the simulated network, over UDP and over streams.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use netsim::{Arrival, HostId, Network};
use stun::framing::Deframer;
use turn::server::{Client, Config, Event, Ledger, Limits, RelayId, Server, Transport};
use twocan_peer::{IceServer, IceServerKind, ServerTransport};

use crate::luck::Luck;

pub(crate) const USER: &str = "ada";
pub(crate) const PASSWORD: &str = "secret";

pub(crate) struct TurnServer {
    pub(crate) host: HostId,
    pub(crate) address: SocketAddr,
    pub(crate) machine: Server,
    relays: BTreeMap<RelayId, SocketAddr>,
    /// Whether it hears anything.
    pub(crate) is_alive: bool,
    streams: BTreeMap<SocketAddr, Deframer>,
    /// Spoils what it says.
    pub(crate) garble: Option<Luck>,
    /// For streams: to which client, what.
    pub(crate) outbox: Vec<(SocketAddr, Vec<u8>)>,
    /// Datagrams of peers' that were relayed, either way, and Send or Data indications among them.
    pub(crate) relayed: usize,
    pub(crate) indications: usize,
}

impl TurnServer {
    pub(crate) fn new(
        network: &mut Network,
        now: Instant,
        ip: &str,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let host = network.host(netsim::Home::public(ip).link(netsim::Link::of(Duration::from_millis(5))));
        let unix = Duration::from_secs(1_700_000_000);
        let mut config = Config::new("example", now, unix, [7; 32]).unwrap();
        config.credentials.add_user("example", USER, PASSWORD);
        change(&mut config);
        let machine = Server::new(Arc::new(config), Arc::new(Ledger::new(Limits::default(), now)));
        Self {
            host,
            address: SocketAddr::new(ip.parse().unwrap(), 3478),
            machine,
            relays: BTreeMap::new(),
            is_alive: true,
            streams: BTreeMap::new(),
            garble: None,
            outbox: Vec::new(),
            relayed: 0,
            indications: 0,
        }
    }

    pub(crate) fn stun(&self) -> IceServer {
        IceServer {
            kind: IceServerKind::Stun,
            transport: ServerTransport::Udp,
            address: self.address,
            domain: self.address.ip().to_string().into(),
        }
    }

    pub(crate) fn turn(&self, transport: ServerTransport) -> IceServer {
        let kind = IceServerKind::Turn { username: USER.into(), credential: PASSWORD.into() };
        IceServer { kind, transport, ..self.stun() }
    }

    pub(crate) fn allocations(&self) -> usize {
        self.machine.allocations()
    }

    /// A datagram has arrived.
    pub(crate) fn hear(&mut self, now: Instant, network: &mut Network, arrival: &Arrival) {
        if !self.is_alive {
            return;
        }
        let Arrival { source, destination, bytes, .. } = arrival;
        if *destination == self.address {
            let client = Client { transport: Transport::Udp, local: self.address, remote: *source };
            self.hear_client(now, network, &client, bytes);
        } else if let Some(relay) = self.relays.iter().find(|(_, at)| *at == destination).map(|(id, _)| *id)
            && let Ok(to) = self.machine.handle_peer(now, relay, *source, bytes.len())
        {
            self.relayed += 1;
            self.indications += usize::from(to.prefix.len() > 4);
            let datagram = [&to.prefix[..], bytes, &[0; 3][..to.padding]].concat();
            self.send(now, network, &to.client, datagram);
        }
    }

    /// Bytes of a stream have arrived.
    pub(crate) fn hear_stream(
        &mut self,
        now: Instant,
        network: &mut Network,
        from: SocketAddr,
        bytes: &[u8],
    ) {
        if !self.is_alive {
            return;
        }
        let mut frames = Vec::new();
        let deframer = self.streams.entry(from).or_default();
        deframer.push(bytes, |frame| frames.push(frame.to_vec())).unwrap();
        let client = Client { transport: Transport::Tcp, local: self.address, remote: from };
        for frame in frames {
            self.hear_client(now, network, &client, &frame);
        }
    }

    pub(crate) fn hang_up(&mut self, now: Instant, from: SocketAddr) {
        self.streams.remove(&from);
        let client = Client { transport: Transport::Tcp, local: self.address, remote: from };
        self.machine.handle_disconnect(&client);
        self.take_events(now);
    }

    fn hear_client(&mut self, now: Instant, network: &mut Network, client: &Client, bytes: &[u8]) {
        if let Ok(Some(to)) = self.machine.handle_client(now, client, bytes) {
            self.relayed += 1;
            self.indications += usize::from(bytes[0] < 0x40);
            let from = self.relays[&to.relay];
            network.send(now, self.host, from, to.peer, &bytes[to.payload]);
        }
        self.take_events(now);
        let mut answer = Vec::new();
        while let Some(client) = self.machine.poll_transmit(&mut answer) {
            self.send(now, network, &client, std::mem::take(&mut answer));
        }
    }

    fn take_events(&mut self, now: Instant) {
        while let Some(event) = self.machine.poll_event() {
            match event {
                Event::Open { relay, address } => {
                    self.relays.insert(relay, address);
                    self.machine.handle_opened(now, relay, Ok(()));
                }
                Event::Close { relay } => drop(self.relays.remove(&relay)),
            }
        }
    }

    fn send(&mut self, now: Instant, network: &mut Network, client: &Client, mut bytes: Vec<u8>) {
        if let Some(luck) = &mut self.garble {
            luck.garble(&mut bytes);
        }
        match client.transport {
            Transport::Udp => network.send(now, self.host, self.address, client.remote, &bytes),
            Transport::Tcp | Transport::Tls => self.outbox.push((client.remote, bytes)),
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.machine.handle_timeout(now);
        self.take_events(now);
    }
}
