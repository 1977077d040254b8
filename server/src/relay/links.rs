//! Everything of a worker that sends: its sockets, its clients' streams, and what gathers for them.

use quinn_udp::Transmit;
use turn::server::{Client, RelayId, ToClient, ToPeer, Transport};

use std::net::SocketAddr;

use super::outbox::{Batch, Flow, Outbox, Socket};
use super::streams::Streams;
use crate::sockets::{BatchSocket, Listener};

/// Everything that sends.
pub(super) struct Links {
    pub(super) listeners: Vec<Listener>,
    /// By the index of their [`RelayId`].
    pub(super) relays: Vec<Option<BatchSocket>>,
    pub(super) streams: Streams,
    outbox: Outbox,
    pub(super) sends: u64,
    pub(super) sent_datagrams: u64,
    pub(super) send_errors: u64,
    /// Relay sockets with errors to read.
    pub(super) failed: Vec<RelayId>,
}

impl Links {
    pub(super) fn new(listeners: Vec<Listener>) -> Self {
        Self {
            listeners,
            relays: Vec::new(),
            streams: Streams::default(),
            outbox: Outbox::default(),
            sends: 0,
            sent_datagrams: 0,
            send_errors: 0,
            failed: Vec::new(),
        }
    }

    pub(super) fn open(&mut self, relay: RelayId, socket: BatchSocket) {
        if self.relays.len() <= relay.index() {
            self.relays.resize_with(relay.index() + 1, || None);
        }
        self.relays[relay.index()] = Some(socket);
    }

    pub(super) fn close(&mut self, relay: RelayId, registry: &mio::Registry) {
        if let Some(mut socket) = self.relays.get_mut(relay.index()).and_then(Option::take) {
            // Closing it would do as well.
            let _ = registry.deregister(socket.source());
        }
    }

    pub(super) fn relay_to_peer(&mut self, to_peer: &ToPeer, bytes: &[u8]) {
        let payload = &bytes[to_peer.payload.clone()];
        let socket = Socket::Relay(to_peer.relay);
        let flow = Flow { socket, source: None, destination: to_peer.peer };
        if to_peer.dont_fragment {
            // Rare (path MTU probes), and of another kind than what is gathered: on its own.
            self.flush();
            let ipv6 = to_peer.peer.is_ipv6();
            self.set_dont_fragment(to_peer.relay, ipv6, true);
            self.push(flow, [&[], payload, &[]]);
            self.flush();
            self.set_dont_fragment(to_peer.relay, ipv6, false);
        } else {
            self.push(flow, [&[], payload, &[]]);
        }
    }

    pub(super) fn relay_to_client(&mut self, to_client: &ToClient, datagram: &[u8]) {
        self.push_to_client(&to_client.client, [&to_client.prefix, datagram, &[0; 3][..to_client.padding]]);
    }

    pub(super) fn push_to_client(&mut self, client: &Client, parts: [&[u8]; 3]) {
        if client.transport != Transport::Udp {
            self.streams.push(client, parts);
            return;
        }
        let Some(index) = self.listener_for(client.local) else { return };
        let source = self.listeners[index].source_for(client.local.ip());
        self.push(Flow { socket: Socket::Listener(index), source, destination: client.remote }, parts);
    }

    /// The listener on an address, else the one on all addresses of its family.
    fn listener_for(&self, local: SocketAddr) -> Option<usize> {
        let exact = self.listeners.iter().position(|listener| listener.local == local);
        exact.or_else(|| {
            self.listeners.iter().position(|listener| {
                listener.local.port() == local.port()
                    && listener.local.ip().is_unspecified()
                    && listener.local.is_ipv4() == local.is_ipv4()
            })
        })
    }

    fn push(&mut self, flow: Flow, parts: [&[u8]; 3]) {
        let mut outbox = std::mem::take(&mut self.outbox);
        let segments = self.socket(flow.socket).map_or(1, BatchSocket::max_segments);
        outbox.push(flow, segments, parts, |batch| self.send(batch));
        self.outbox = outbox;
    }

    pub(super) fn flush(&mut self) {
        let mut outbox = std::mem::take(&mut self.outbox);
        outbox.flush(|batch| self.send(batch));
        self.outbox = outbox;
    }

    fn send(&mut self, batch: &Batch) {
        let Flow { socket: name, source, destination } = batch.flow;
        let transmit = Transmit {
            destination,
            ecn: None,
            contents: &batch.bytes,
            segment_size: (batch.count > 1).then_some(batch.segment),
            src_ip: source,
        };
        self.sends += 1;
        self.sent_datagrams += batch.count as u64;
        let Some(socket) = self.socket(name) else { return };
        if socket.send(&transmit).is_ok() {
            return;
        }
        // The error may be an old one that waited on the socket, or about segmentation: each datagram gets one more
        // try on its own. What fails then is lost, and only that (RFC 8656 §11.2 knows no other way).
        let segment = if batch.count > 1 { batch.segment } else { batch.bytes.len().max(1) };
        let mut errors = 0;
        for datagram in batch.bytes.chunks(segment) {
            let single = Transmit { contents: datagram, segment_size: None, ..transmit };
            errors += u64::from(socket.send(&single).is_err());
        }
        self.send_errors += errors;
        if let Socket::Relay(relay) = name {
            self.failed.push(relay);
        }
    }

    fn socket(&self, name: Socket) -> Option<&BatchSocket> {
        match name {
            Socket::Listener(index) => self.listeners.get(index).map(|listener| &listener.socket),
            Socket::Relay(relay) => self.relays.get(relay.index())?.as_ref(),
        }
    }

    fn set_dont_fragment(&self, relay: RelayId, ipv6: bool, on: bool) {
        if let Some(socket) = self.socket(Socket::Relay(relay)) {
            socket.set_dont_fragment(ipv6, on);
        }
    }
}
