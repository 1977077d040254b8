//! The worker's UDP sockets, as where datagrams leave.

use peer::{Burst, PeerConnection};
use std::time::Instant;

use crate::sockets::Listener;

/// All listening addresses of a worker.
pub(super) struct Outlet {
    pub(super) listeners: Vec<Listener>,
    buffer: Vec<u8>,
    /// What leaves of one leg at once.
    pub(super) burst: Burst,
    pub(super) sends: u64,
    pub(super) datagrams: u64,
    pub(super) errors: u64,
}

/// Datagrams of one leg before the others have their turn.
const TURN: usize = 64;

impl Outlet {
    pub(super) fn new(listeners: Vec<Listener>) -> Self {
        Self { listeners, buffer: Vec::new(), burst: Burst::default(), sends: 0, datagrams: 0, errors: 0 }
    }

    /// Sends what a connection has to send now.
    pub(super) fn send_all(&mut self, now: Instant, peer: &mut PeerConnection) {
        let mut burst = std::mem::take(&mut self.burst);
        while let Some((transmit, bytes)) = burst.poll() {
            self.send(&transmit, bytes);
        }
        self.burst = burst;
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..TURN {
            buffer.clear();
            let Some(transmit) = peer.poll_transmit(now, &mut buffer) else { break };
            self.send(&transmit, &buffer);
        }
        self.buffer = buffer;
    }

    fn send(&mut self, transmit: &wire::Transmit, bytes: &[u8]) {
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
        let segment = transmit.segment_size.unwrap_or(bytes.len().max(1));
        let most = segment * listener.socket.max_segments().max(1);
        for contents in bytes.chunks(most) {
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
