//! What goes through relays (RFC 8656 §11, §12), and what comes of gathering them.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Instant;

use turn::channel::{self, ChannelNumber};
use wire::{Received, Transmit};

use super::{Event, Transport};
use crate::fault::Fault;
use crate::gather::{Found, Relay, write_channel_header};
use crate::stream::Carries;

impl Transport {
    /// Draws the consequences of what gathering has found, and tells what the connection must know.
    pub(super) fn heed(&mut self, now: Instant, found: Found) -> Option<Event> {
        match found {
            Found::Candidate(candidate) => return Some(Event::Found(candidate)),
            Found::Error(error) => return Some(Event::CandidateError(error)),
            Found::Complete => {
                self.prune(now);
                return Some(Event::Gathered);
            }
            Found::Lost(relayed) => self.ice.remove_local(now, relayed),
            Found::Connect(key, remote, security) => {
                if !self.streams.open(Carries::Relay(key), None, remote, security) {
                    self.gather.handle_disconnected(now, key);
                }
            }
            Found::Disconnect(key) => {
                if let Some(id) = self.streams.of_relay(key).map(|stream| stream.id) {
                    self.streams.close(id);
                }
            }
        }
        None
    }

    /// Data goes this way from now on: through a relay, in a channel.
    pub(super) fn select(&mut self, now: Instant, path: ice::Path) {
        if let Some(relay) = self.gather.relay_at(path.local) {
            relay.bind(now, path.remote);
        }
        self.prune(now);
    }

    fn prune(&mut self, now: Instant) {
        let used = self.ice.path().map(|path| path.local);
        self.gather.prune(now, used);
    }

    /// Lets the peer's candidates send to us through every relay (RFC 8445 §7.2.1), before they try.
    pub(crate) fn permit_peers(&mut self, now: Instant) {
        if !self.gather.has_relays() {
            return;
        }
        let mut peers: Vec<IpAddr> = self.ice.remote_candidates().map(|report| report.address.ip()).collect();
        peers.extend(self.ice.path().map(|path| path.remote.ip()));
        peers.sort_unstable();
        peers.dedup();
        self.gather.permit(now, &peers);
    }

    /// A peer's datagram that came through a relay.
    pub(super) fn handle_relayed(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &mut [u8],
        payload: Range<usize>,
    ) -> Result<(), Fault> {
        let Some(bytes) = bytes.get_mut(payload) else { return Err(self.count(Fault::Unknown)) };
        self.handle_packet(now, ice::Protocol::Udp, Received { source, destination, bytes })
    }

    /// The next of ICE's datagrams; through a relay, wrapped.
    pub(super) fn poll_check(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let start = buffer.len();
        while let Some(transmit) = self.ice.poll_transmit(now, buffer) {
            let Some(relay) = self.gather.relay_at(transmit.source) else { return Some(transmit) };
            self.scratch.clear();
            self.scratch.extend_from_slice(&buffer[start..]);
            buffer.truncate(start);
            if let Some(stream) = self.streams.of_relay(relay.key) {
                stream.send_through(now, relay, transmit.destination, &self.scratch);
            } else if let Some(transmit) = relay.send(now, transmit.destination, &self.scratch, buffer) {
                return Some(transmit);
            }
        }
        None
    }

    /// Data through a channel: a batch stays a batch, each datagram behind four bytes.
    pub(super) fn poll_channel_data(
        &mut self,
        now: Instant,
        channel: ChannelNumber,
        (source, destination): (SocketAddr, SocketAddr),
        buffer: &mut Vec<u8>,
    ) -> Option<Transmit> {
        let start = buffer.len();
        let segment = self.poll_packets(now, channel::HEADER_LEN, buffer)?;
        for datagram in buffer[start..].chunks_mut(segment) {
            write_channel_header(channel, datagram);
        }
        let segment_size = self.has_sent(now, buffer.len() - start, segment, channel::HEADER_LEN);
        Some(Transmit { source, destination, segment_size })
    }

    /// Data before the peer has a channel: one datagram, copied into a Send indication.
    pub(super) fn poll_indication(
        &mut self,
        now: Instant,
        path: ice::Path,
        buffer: &mut Vec<u8>,
    ) -> Option<Transmit> {
        while self.poll_packet(now) {
            let relay = self.gather.relay_at(path.local)?;
            if let Some(transmit) = relay.send(now, path.remote, &self.scratch, buffer) {
                self.count_sent(now, 1, self.scratch.len());
                return Some(transmit);
            }
        }
        None
    }

    /// Puts a handshake's datagram, or one of data, into the scratch buffer; whether there was one.
    pub(super) fn poll_packet(&mut self, now: Instant) -> bool {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let is_there = self.poll_handshake(now, &mut scratch).is_some() || {
            let Self { batch, dtls, channels, session, .. } = self;
            batch.append(&mut scratch, 0, &mut |buffer| {
                super::packet(now, session.as_deref_mut(), dtls, channels, buffer)
            })
        };
        self.scratch = scratch;
        is_there
    }
}

impl crate::stream::Stream {
    /// Queues a datagram that goes through a relay which is reached over this stream.
    pub(super) fn send_through(&mut self, now: Instant, relay: &mut Relay, peer: SocketAddr, payload: &[u8]) {
        if self.has_room() {
            // What waits for a permission is asked for again.
            let _ = relay.send(now, peer, payload, &mut self.queue);
        }
    }
}
