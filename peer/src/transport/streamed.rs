//! What goes over TCP and TLS (RFC 6544 §7, RFC 4571 §2, RFC 8656 §12.5).

use std::net::SocketAddr;
use std::time::Instant;

use wire::Received;

use super::Transport;
use crate::fault::Fault;
use crate::gather::Heard;
use crate::stream::framing::{Frame, Framing};
use crate::stream::{Carries, StreamId, StreamSecurity};

/// About as many bytes of data are handed out at once.
const CHUNK: usize = 64 << 10;

impl Transport {
    /// ICE wants a connection.
    pub(super) fn connect(
        &mut self,
        now: Instant,
        id: ice::ConnectionId,
        local: SocketAddr,
        remote: SocketAddr,
    ) {
        let carries = Carries::Ice(Some(id));
        if !self.streams.open(carries, Some(local.ip()), remote, StreamSecurity::Plain) {
            self.ice.handle_connect_failed(now, id);
        }
    }

    /// A connection that was asked for is open.
    pub(crate) fn handle_connected(&mut self, now: Instant, id: StreamId, local: SocketAddr) {
        match self.streams.connected(now, id, local) {
            Some(Carries::Relay(key)) => {
                if !self.gather.handle_connected(now, key, local) {
                    self.streams.close(id);
                }
            }
            Some(Carries::Ice(Some(connection))) => self.ice.handle_connected(now, connection, local),
            Some(Carries::Ice(None)) | None => {}
        }
    }

    /// A connection could not be opened, or is closed.
    pub(crate) fn handle_disconnected(&mut self, now: Instant, id: StreamId) {
        let Some(stream) = self.streams.remove(id) else { return };
        match (stream.carries, stream.local) {
            (Carries::Relay(key), _) => self.gather.handle_disconnected(now, key),
            (Carries::Ice(_), Some(local)) => self.ice.handle_disconnected(now, local, stream.remote),
            (Carries::Ice(Some(connection)), None) => self.ice.handle_connect_failed(now, connection),
            (Carries::Ice(None), None) => {}
        }
    }

    /// Takes bytes of a connection, cut anywhere.
    pub(crate) fn handle_stream(
        &mut self,
        now: Instant,
        id: StreamId,
        bytes: &mut [u8],
    ) -> Result<(), Fault> {
        let Some(stream) = self.streams.get_mut(id) else { return Err(self.count(Fault::Stream)) };
        let framing = stream.framing();
        let mut partial = std::mem::take(&mut stream.partial);
        let cut = self.cut(now, id, framing, &mut partial, bytes);
        match self.streams.get_mut(id) {
            // Nothing can be made of what follows.
            Some(_) if cut == Err(Fault::Stream) => {
                self.handle_disconnected_by_us(now, id);
                Err(self.count(Fault::Stream))
            }
            Some(stream) => {
                stream.partial = partial;
                cut
            }
            None => cut,
        }
    }

    /// Takes every whole frame; keeps the rest. A fault of one does not stop the others.
    fn cut(
        &mut self,
        now: Instant,
        id: StreamId,
        framing: Framing,
        partial: &mut Vec<u8>,
        mut bytes: &mut [u8],
    ) -> Result<(), Fault> {
        let mut result = Ok(());
        loop {
            if !partial.is_empty() {
                let (frame, rest) = framing.complete(partial, bytes).map_err(|_| Fault::Stream)?;
                bytes = rest;
                let Some(Frame { start, end, .. }) = frame else { return result };
                result = self.handle_frame(now, id, &mut partial[start..end]).and(result);
                partial.clear();
            }
            match framing.frame(bytes).map_err(|_| Fault::Stream)? {
                Some(Frame { start, end, next }) if bytes.len() >= next => {
                    let (frame, rest) = bytes.split_at_mut(next);
                    bytes = rest;
                    result = self.handle_frame(now, id, &mut frame[start..end]).and(result);
                }
                _ => {
                    partial.extend_from_slice(bytes);
                    return result;
                }
            }
        }
    }

    fn handle_frame(&mut self, now: Instant, id: StreamId, bytes: &mut [u8]) -> Result<(), Fault> {
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        let (carries, source, local) = (stream.carries, stream.remote, stream.local);
        match (carries, local) {
            (Carries::Relay(key), _) => {
                let heard = self.gather.handle_frame(now, key, bytes).map_err(|fault| self.count(fault))?;
                match heard {
                    Heard::Done => Ok(()),
                    Heard::NotOurs => Err(self.count(Fault::Unknown)),
                    Heard::Data { peer, relayed, payload } => {
                        self.handle_relayed(now, peer, relayed, bytes, payload)
                    }
                }
            }
            (Carries::Ice(_), Some(destination)) => {
                let received = Received { source, destination, bytes };
                self.handle_packet(now, ice::Protocol::Tcp, received)?;
                if let Some(stream) = self.streams.get_mut(id) {
                    stream.proved(now);
                }
                Ok(())
            }
            (Carries::Ice(_), None) => Err(self.count(Fault::Stream)),
        }
    }

    /// We close a connection.
    fn handle_disconnected_by_us(&mut self, now: Instant, id: StreamId) {
        let Some(stream) = self.streams.close(id) else { return };
        match (stream.carries, stream.local) {
            (Carries::Relay(key), _) => self.gather.handle_disconnected(now, key),
            (Carries::Ice(_), Some(local)) => self.ice.handle_disconnected(now, local, stream.remote),
            (Carries::Ice(_), None) => {}
        }
    }

    pub(super) fn close_idle_streams(&mut self, now: Instant) {
        for id in self.streams.idle(now) {
            self.handle_disconnected_by_us(now, id);
        }
    }

    /// Appends what is to be sent over a connection.
    pub(crate) fn poll_stream(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<StreamId> {
        if self.streams.is_empty() {
            return None;
        }
        self.queue_frames(now);
        if let Some(id) = self.poll_stream_queue(buffer).or_else(|| self.poll_stream_data(now, buffer)) {
            return Some(id);
        }
        if std::mem::take(&mut self.gives_back[1]) {
            self.gather.close(now, true);
            self.queue_frames(now);
        }
        self.poll_stream_queue(buffer)
    }

    fn poll_stream_queue(&mut self, buffer: &mut Vec<u8>) -> Option<StreamId> {
        let mut ready = self.streams.iter_mut().filter(|stream| stream.can_send());
        let stream = ready.find(|stream| !stream.queue.is_empty())?;
        buffer.append(&mut stream.queue);
        Some(stream.id)
    }

    /// Whether the selected path goes over a connection of ours.
    pub(crate) fn is_on_stream(&mut self) -> bool {
        let Some(path) = self.ice.path() else { return false };
        path.protocol == ice::Protocol::Tcp
            || self.gather.relay_at(path.local).is_some_and(|relay| relay.is_on_stream())
    }

    /// Whether data can leave.
    pub(super) fn has_outlet(&self) -> bool {
        let Some(path) = self.ice.path() else { return false };
        let relay = self.gather.lender(path.local);
        match (path.protocol, relay) {
            (ice::Protocol::Tcp, _) => self
                .streams
                .iter()
                .any(|stream| stream.is_between(path.local, path.remote) && stream.can_send()),
            (ice::Protocol::Udp, Some(relay)) if relay.is_on_stream() => {
                let carries = Carries::Relay(relay.key);
                self.streams.iter().any(|stream| stream.carries == carries && stream.can_send())
            }
            (ice::Protocol::Udp, _) => true,
        }
    }

    /// What ICE and relays' clients send over connections.
    fn queue_frames(&mut self, now: Instant) {
        loop {
            self.scratch.clear();
            let Some(frame) = self.ice.poll_frame(now, &mut self.scratch) else { break };
            if let Some(stream) = self.streams.between(frame.source, frame.destination) {
                stream.push(&self.scratch);
            }
        }
        for stream in self.streams.iter_mut().filter(|stream| stream.local.is_some()) {
            if let Carries::Relay(key) = stream.carries
                && let Some(relay) = self.gather.relay(key)
            {
                while relay.poll_transmit(now, &mut stream.queue).is_some() {}
            }
        }
    }

    /// Data, where the selected path goes over a connection that takes more.
    fn poll_stream_data(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<StreamId> {
        let path = self.ice.path()?;
        let start = buffer.len();
        let id = match path.protocol {
            ice::Protocol::Tcp => {
                let stream = self.streams.between(path.local, path.remote);
                let id = stream.filter(|stream| stream.can_send())?.id;
                while buffer.len() - start < CHUNK && self.poll_packet(now) {
                    // A datagram's length has sixteen bits.
                    buffer.extend_from_slice(&(self.scratch.len() as u16).to_be_bytes());
                    buffer.extend_from_slice(&self.scratch);
                    self.count_sent(now, 1, self.scratch.len());
                }
                id
            }
            ice::Protocol::Udp => {
                let key = self.gather.relay_at(path.local)?.key;
                let id = self.streams.of_relay(key).filter(|stream| stream.can_send())?.id;
                while buffer.len() - start < CHUNK && self.poll_packet(now) {
                    let relay = self.gather.relay(key)?;
                    if relay.send(now, path.remote, &self.scratch, buffer).is_some() {
                        self.count_sent(now, 1, self.scratch.len());
                    }
                }
                id
            }
        };
        (buffer.len() > start).then_some(id)
    }
}
