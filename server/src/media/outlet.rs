//! The worker's UDP sockets, as where datagrams leave.

use peer::PeerConnection;
use std::time::Instant;

use crate::sockets::Listener;

/// All listening addresses of a worker.
pub(super) struct Outlet {
    pub(super) listeners: Vec<Listener>,
    buffer: Vec<u8>,
    pub(super) sends: u64,
    pub(super) datagrams: u64,
    pub(super) errors: u64,
}

/// Datagrams of one leg before the others have their turn.
const TURN: usize = 64;

impl Outlet {
    pub(super) fn new(listeners: Vec<Listener>) -> Self {
        Self { listeners, buffer: Vec::new(), sends: 0, datagrams: 0, errors: 0 }
    }

    /// Sends what a connection has to send now.
    pub(super) fn send_all(&mut self, now: Instant, peer: &mut PeerConnection) {
        for _ in 0..TURN {
            self.buffer.clear();
            let Some(transmit) = peer.poll_transmit(now, &mut self.buffer) else { return };
            self.send(&transmit);
        }
    }

    fn send(&mut self, transmit: &wire::Transmit) {
        let source = transmit.source;
        let listener = self.listeners.iter().find(|listener| {
            listener.local == source
                || (listener.local.port() == source.port()
                    && listener.local.ip().is_unspecified()
                    && listener.local.is_ipv4() == source.is_ipv4())
        });
        let Some(listener) = listener else {
            self.errors += 1;
            return;
        };
        let src_ip = listener.source_for(source.ip());
        let segment = transmit.segment_size.unwrap_or(self.buffer.len().max(1));
        let most = segment * listener.socket.max_segments().max(1);
        for contents in self.buffer.chunks(most) {
            let count = contents.len().div_ceil(segment) as u64;
            let transmit = quinn_udp::Transmit {
                destination: transmit.destination,
                ecn: None,
                contents,
                segment_size: (count > 1).then_some(segment),
                src_ip,
            };
            self.sends += 1;
            self.datagrams += count;
            // Where the socket is full, or the network gone, packets are lost as they are anywhere else.
            if listener.socket.send(&transmit).is_err() {
                self.errors += count;
            }
        }
    }
}
