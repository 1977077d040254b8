//! One media worker: a thread with its sockets, its machine and nothing shared.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use mio::{Events, Interest, Poll, Token, Waker};
use quinn_udp::{BATCH_SIZE, RecvMeta};
use tokio::sync::{mpsc, oneshot};
use turn::server::{Client, Config, Event, OpenError, RelayId, RelayIp, Server, ToPeer, Transport};

use super::links::Links;
use super::pace::Pace;
use super::stream::Outlet;
use super::{Report, icmp};
use crate::sockets::{BUFFER_LEN, Listener, RelayBinder, datagrams, receive};

/// What reaches a worker from other threads.
pub(super) enum Command {
    /// A client's stream was opened.
    Connected(Client, Outlet),
    /// Bytes came over it.
    Received(Client, Vec<u8>),
    /// It ended.
    Disconnected(Client),
    /// Somebody wants to know how it goes.
    Report(oneshot::Sender<Report>),
}

/// Buffers for one receive on a relay socket. Fewer come at once there than on a listener, and the system
/// call's set-up is paid for each.
const RELAY_BUFFERS: usize = 4;

/// How often one socket is read before the others have their turn.
const ROUNDS: usize = 8;

/// How many commands are taken before the sockets have their turn.
const COMMANDS: usize = 64;

const WAKE: Token = Token(usize::MAX - 1);

pub(super) struct Worker {
    machine: Server,
    config: Arc<Config>,
    poll: Poll,
    waker: Arc<Waker>,
    inbox: mpsc::Receiver<Command>,
    links: Links,
    binder: RelayBinder,
    arena: Vec<u8>,
    /// What the machine answers, on its way to the outbox.
    answer: Vec<u8>,
    /// Sockets that had more to read than their turn allowed.
    unfinished: Vec<Token>,
    /// The same of the turn before, kept for its memory.
    resumed: Vec<Token>,
    receives: u64,
    received_datagrams: u64,
}

impl Worker {
    pub(super) fn new(
        machine: Server,
        config: Arc<Config>,
        mut listeners: Vec<Listener>,
        inbox: mpsc::Receiver<Command>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        for (index, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(listener.socket.source(), Token(index), Interest::READABLE)?;
        }
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let links = Links::new(listeners);
        Ok(Self {
            machine,
            config,
            poll,
            waker,
            inbox,
            links,
            binder: RelayBinder::default(),
            arena: vec![0; BATCH_SIZE * BUFFER_LEN],
            answer: Vec::new(),
            unfinished: Vec::new(),
            resumed: Vec::new(),
            receives: 0,
            received_datagrams: 0,
        })
    }

    pub(super) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Runs until the handle is dropped.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        let mut pace = Pace::new(Instant::now());
        loop {
            let deadline = self.machine.poll_timeout().map(|(deadline, _)| deadline);
            let patience = if self.unfinished.is_empty() {
                deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
            } else {
                Some(std::time::Duration::ZERO)
            };
            if let Err(error) = self.poll.poll(&mut events, patience)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "the relay cannot wait for its sockets and stops");
                return;
            }
            let now = Instant::now();
            let before = self.received_datagrams;
            let mut resumed = std::mem::take(&mut self.resumed);
            std::mem::swap(&mut resumed, &mut self.unfinished);
            for token in resumed.drain(..) {
                self.read(now, token);
            }
            self.resumed = resumed;
            for event in &events {
                if event.token() == WAKE {
                    continue;
                }
                if event.is_error() {
                    self.read_errors(now, event.token());
                }
                self.read(now, event.token());
            }
            if !self.take_commands(now) {
                return;
            }
            if deadline.is_some_and(|deadline| deadline <= now) {
                self.machine.handle_timeout(now);
            }
            self.settle(now);
            self.links.streams.flush();
            if let Some(rest) = pace.turn(now, self.received_datagrams - before) {
                std::thread::sleep(rest);
            }
        }
    }

    fn listener_count(&self) -> usize {
        self.links.listeners.len()
    }

    fn read(&mut self, now: Instant, token: Token) {
        let relay = token.0.checked_sub(self.listener_count()).map(RelayId::from_index);
        let more = match relay {
            None => self.read_listener(now, token.0),
            Some(relay) => self.read_relay(now, relay),
        };
        if more {
            self.unfinished.push(token);
        }
        self.settle(now);
    }

    /// Reads clients' datagrams; says whether there may be more.
    fn read_listener(&mut self, now: Instant, index: usize) -> bool {
        let mut arena = std::mem::take(&mut self.arena);
        let mut more = true;
        for _ in 0..ROUNDS {
            let mut meta = [RecvMeta::default(); BATCH_SIZE];
            let received = receive(&self.links.listeners[index].socket, &mut arena, &mut meta);
            self.receives += 1;
            for (buffer, meta) in arena.chunks(BUFFER_LEN).zip(&meta[..received]) {
                let local = self.links.listeners[index].local_of(meta);
                let client = Client { transport: Transport::Udp, local, remote: meta.addr };
                for datagram in datagrams(buffer, meta) {
                    self.received_datagrams += 1;
                    self.client_spoke(now, &client, datagram);
                }
            }
            self.settle(now);
            more = received == meta.len();
            if !more {
                break;
            }
        }
        self.arena = arena;
        more
    }

    /// Reads peers' datagrams; says whether there may be more.
    fn read_relay(&mut self, now: Instant, relay: RelayId) -> bool {
        let mut arena = std::mem::take(&mut self.arena);
        let mut more = true;
        for _ in 0..ROUNDS {
            let Some(Some(socket)) = self.links.relays.get(relay.index()) else {
                more = false;
                break;
            };
            let mut meta = [RecvMeta::default(); RELAY_BUFFERS];
            let received = receive(socket, &mut arena, &mut meta);
            self.receives += 1;
            for (buffer, meta) in arena.chunks(BUFFER_LEN).zip(&meta[..received]) {
                let peer = self.public(meta.addr);
                for datagram in datagrams(buffer, meta) {
                    self.received_datagrams += 1;
                    // A fault is counted by the machine.
                    if let Ok(to_client) = self.machine.handle_peer(now, relay, peer, datagram.len()) {
                        self.links.relay_to_client(&to_client, datagram);
                    }
                }
            }
            more = received == meta.len();
            if !more {
                break;
            }
        }
        self.arena = arena;
        self.links.flush();
        more
    }

    fn client_spoke(&mut self, now: Instant, client: &Client, bytes: &[u8]) {
        // A fault is counted by the machine.
        if let Ok(Some(to_peer)) = self.machine.handle_client(now, client, bytes) {
            let peer = self.reachable(to_peer.peer);
            self.links.relay_to_peer(&ToPeer { peer, ..to_peer }, bytes);
        }
    }

    /// Opens and closes sockets as the machine wants, then sends everything that waits.
    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.machine.poll_event() {
            match event {
                Event::Open { relay, address } => {
                    let outcome = self.binder.bind(address).and_then(|mut socket| {
                        let token = Token(self.listener_count() + relay.index());
                        self.poll
                            .registry()
                            .register(socket.source(), token, Interest::READABLE)
                            .map_err(|_| OpenError::Failed)?;
                        self.links.open(relay, socket);
                        Ok(())
                    });
                    self.machine.handle_opened(now, relay, outcome);
                }
                Event::Close { relay } => {
                    // What waits for this socket was sent by its owner in good time.
                    self.links.flush();
                    self.links.close(relay, self.poll.registry());
                }
            }
        }
        while let Some(client) = self.machine.poll_transmit(&mut self.answer) {
            self.links.push_to_client(&client, [&self.answer, &[], &[]]);
            self.answer.clear();
        }
        self.links.flush();
        for relay in std::mem::take(&mut self.links.failed) {
            self.read_errors(now, Token(self.listener_count() + relay.index()));
        }
    }

    fn read_errors(&mut self, now: Instant, token: Token) {
        let Some(relay) = token.0.checked_sub(self.listener_count()).map(RelayId::from_index) else { return };
        let Some(Some(socket)) = self.links.relays.get(relay.index()) else { return };
        while let Some((peer, icmp)) = icmp::next_error(socket) {
            let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
            // A fault is counted by the machine.
            let _ = self.machine.handle_icmp(now, relay, peer, icmp);
        }
    }

    /// Carries out what other threads ask; false when there is nobody left to serve.
    fn take_commands(&mut self, now: Instant) -> bool {
        for _ in 0..COMMANDS {
            match self.inbox.try_recv() {
                Ok(Command::Connected(client, outlet)) => self.links.streams.open(client, outlet),
                Ok(Command::Received(client, bytes)) => self.stream_spoke(now, client, &bytes),
                Ok(Command::Disconnected(client)) => {
                    self.links.streams.close(&client);
                    self.machine.handle_disconnect(&client);
                }
                Ok(Command::Report(sender)) => {
                    // Nobody may be waiting any more.
                    let _ = sender.send(self.report());
                }
                Err(mpsc::error::TryRecvError::Empty) => return true,
                Err(mpsc::error::TryRecvError::Disconnected) => return false,
            }
            self.settle(now);
        }
        // There may be more: come back at once.
        let _ = self.waker.wake();
        true
    }

    fn stream_spoke(&mut self, now: Instant, client: Client, bytes: &[u8]) {
        // Taken out for the while, because answers to the frames go to the same stream.
        let Some(mut deframer) = self.links.streams.take_deframer(&client) else { return };
        let outcome = deframer.push(bytes, |frame| {
            self.client_spoke(now, &client, frame);
            self.settle(now);
        });
        match outcome {
            Ok(()) => self.links.streams.return_deframer(&client, deframer),
            Err(_) => {
                // Dropping its outlet ends the stream.
                self.links.streams.close(&client);
                self.machine.handle_disconnect(&client);
            }
        }
    }

    fn report(&self) -> Report {
        Report {
            counters: self.machine.counters().clone(),
            allocations: self.machine.allocations(),
            send_errors: self.links.send_errors,
            sends: self.links.sends,
            sent_datagrams: self.links.sent_datagrams,
            receives: self.receives,
            received_datagrams: self.received_datagrams,
            dropped_stream_bytes: self.links.streams.dropped_bytes,
        }
    }

    /// Behind a 1:1 NAT our relayed addresses are reachable from here by their local side only.
    fn reachable(&self, peer: SocketAddr) -> SocketAddr {
        self.translate(peer, |ip| ip.public, |ip| ip.bind)
    }

    /// The inverse: how the client knows a peer that is a relayed address of ours.
    fn public(&self, peer: SocketAddr) -> SocketAddr {
        self.translate(peer, |ip| ip.bind, |ip| ip.public)
    }

    fn translate(
        &self,
        peer: SocketAddr,
        from: impl Fn(RelayIp) -> IpAddr,
        to: impl Fn(RelayIp) -> IpAddr,
    ) -> SocketAddr {
        let fixed = if peer.is_ipv4() { self.config.relay_ipv4 } else { self.config.relay_ipv6 };
        match fixed {
            Some(ip) if from(ip) == peer.ip() && self.config.peers.is_relay_port(peer.port()) => {
                SocketAddr::new(to(ip), peer.port())
            }
            _ => peer,
        }
    }
}
