//! Connections over TCP and TLS, which the driver opens, accepts and closes (RFC 6544, RFC 8656 §2.1).

use std::net::SocketAddr;
use std::time::Instant;

use super::PeerConnection;
use crate::config::IceTransportPolicy;
use crate::event::Event;
use crate::fault::Fault;
use crate::stream::{self, StreamId};

impl PeerConnection {
    /// A connection that [`Event::Connect`] asked for is open, with TLS where that was asked for; `local` is its own
    /// address and port.
    pub fn handle_connected(&mut self, now: Instant, id: StreamId, local: SocketAddr) {
        self.now = now;
        if !self.is_closed {
            self.transport.handle_connected(now, id, local);
            self.settle();
        }
    }

    /// Somebody has connected to a passive candidate at `local`. None: close it. One that does not prove to be the peer
    /// is closed after ten seconds.
    pub fn handle_accepted(
        &mut self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Option<StreamId> {
        self.now = now;
        let is_welcome =
            self.configuration.ice_transport_policy == IceTransportPolicy::All && !self.is_closed;
        is_welcome.then(|| self.transport.streams.accept(now, local, remote)).flatten()
    }

    /// Takes bytes that came over a connection, cut anywhere. They are changed in place.
    pub fn handle_stream(&mut self, now: Instant, id: StreamId, bytes: &mut [u8]) -> Result<(), Fault> {
        self.now = now;
        if self.is_closed {
            return Err(Fault::Closed);
        }
        let result = self.transport.handle_stream(now, id, bytes);
        self.settle();
        result
    }

    /// A connection could not be opened, or was lost or closed by the other end.
    pub fn handle_disconnected(&mut self, now: Instant, id: StreamId) {
        self.now = now;
        if !self.is_closed {
            self.transport.handle_disconnected(now, id);
            self.settle();
        }
    }

    /// Whether a connection takes more bytes; it does at first. While it does not,
    /// [`poll_stream`](Self::poll_stream) gives nothing for it, and data waits in the channels.
    pub fn set_stream_ready(&mut self, id: StreamId, is_ready: bool) {
        if let Some(stream) = self.transport.streams.get_mut(id) {
            stream.is_ready = is_ready;
        }
    }

    /// Appends bytes to write on a connection, and says on which. Poll it after
    /// [`poll_transmit`](Self::poll_transmit), until it gives nothing more. At a time it gives 128 KiB at most.
    pub fn poll_stream(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<StreamId> {
        self.now = now;
        // To ask where there is none would be to touch what media leaves alone.
        let has_any = !self.transport.streams.is_empty();
        let id = if has_any { self.transport.poll_stream(now, buffer) } else { None };
        if id.is_none() && self.is_closed {
            // The goodbye is said.
            self.transport.ice.close();
        }
        id
    }
}

impl From<stream::Event> for Event {
    fn from(event: stream::Event) -> Self {
        match event {
            stream::Event::Connect { id, local, remote, security } => {
                Self::Connect { id, local, remote, security }
            }
            stream::Event::Disconnect(id) => Self::Disconnect { id },
        }
    }
}
