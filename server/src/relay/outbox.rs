//! Gathers datagrams that go the same way, so that one system call (UDP GSO) sends them all.
//!
//! A system call costs a few microseconds, a datagram more inside of one a fraction of that: this is
//! where the relay's speed comes from.

use std::net::{IpAddr, SocketAddr};

use turn::server::RelayId;

/// How many flows are gathered at the same time.
const MAX_FLOWS: usize = 32;

/// The most bytes that one call can carry: a UDP datagram's worth.
const MAX_BYTES: usize = 65_000;

/// One way that datagrams go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    /// The socket that sends.
    pub(super) socket: Socket,
    /// The source address to ask for.
    pub(super) source: Option<IpAddr>,
    /// Where to.
    pub(super) destination: SocketAddr,
}

/// Names one of a worker's sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Socket {
    /// By its place in the list.
    Listener(usize),
    /// By its name in the machine.
    Relay(RelayId),
}

/// Datagrams of equal size for one flow (the last may be shorter).
pub(super) struct Batch {
    pub(super) flow: Flow,
    pub(super) bytes: Vec<u8>,
    pub(super) segment: usize,
    pub(super) count: usize,
    /// A shorter datagram came: nothing may follow it.
    is_closed: bool,
}

/// Batches that are being filled.
#[derive(Default)]
pub(super) struct Outbox {
    /// Emptied batches stay behind the filled ones, for their memory.
    batches: Vec<Batch>,
    filled: usize,
}

impl Outbox {
    /// Appends a datagram of three parts; `send` takes the batches that are full because of it.
    pub(super) fn push(
        &mut self,
        flow: Flow,
        max_segments: usize,
        [prefix, payload, padding]: [&[u8]; 3],
        mut send: impl FnMut(&Batch),
    ) {
        let length = prefix.len() + payload.len() + padding.len();
        let known = self.batches[..self.filled].iter().position(|batch| batch.flow == flow);
        let index = match known {
            Some(index) => {
                let batch = &mut self.batches[index];
                if batch.count >= max_segments || !batch.takes(length) {
                    send(batch);
                    batch.reset(flow, length);
                }
                index
            }
            None => {
                if self.filled == MAX_FLOWS {
                    self.flush(&mut send);
                }
                let index = self.filled;
                self.filled += 1;
                match self.batches.get_mut(index) {
                    Some(batch) => batch.reset(flow, length),
                    None => self.batches.push(Batch::new(flow, length)),
                }
                index
            }
        };
        let batch = &mut self.batches[index];
        batch.is_closed = length < batch.segment;
        batch.count += 1;
        for part in [prefix, payload, padding] {
            batch.bytes.extend_from_slice(part);
        }
    }

    /// Gives every batch to `send`, in the order in which they were begun.
    pub(super) fn flush(&mut self, mut send: impl FnMut(&Batch)) {
        self.batches[..self.filled].iter().for_each(&mut send);
        self.filled = 0;
    }
}

impl Batch {
    fn new(flow: Flow, segment: usize) -> Self {
        Self { flow, bytes: Vec::new(), segment, count: 0, is_closed: false }
    }

    fn reset(&mut self, flow: Flow, segment: usize) {
        self.bytes.clear();
        *self = Self { bytes: std::mem::take(&mut self.bytes), ..Self::new(flow, segment) };
    }

    fn takes(&self, length: usize) -> bool {
        // An empty datagram cannot be a segment.
        !self.is_closed && length <= self.segment && length > 0 && self.bytes.len() + length <= MAX_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(port: u16) -> Flow {
        let destination = SocketAddr::from(([127, 0, 0, 1], port));
        Flow { socket: Socket::Listener(0), source: None, destination }
    }

    /// Pushes datagrams of these ports and lengths; says what was sent, as port, segment, bytes.
    fn sent(datagrams: &[(u16, usize)], max_segments: usize) -> Vec<(u16, usize, usize)> {
        let mut outbox = Outbox::default();
        let mut sent = Vec::new();
        let mut note = |batch: &Batch| {
            sent.push((batch.flow.destination.port(), batch.segment, batch.bytes.len()));
        };
        for (port, length) in datagrams {
            outbox.push(flow(*port), max_segments, [&[], &vec![0; *length], &[]], &mut note);
        }
        outbox.flush(&mut note);
        outbox.flush(|_| panic!("nothing is left"));
        sent
    }

    #[test]
    fn equal_datagrams_of_a_flow_go_together() {
        let mixed = [(1, 100), (2, 50), (1, 100), (1, 100), (2, 50)];
        assert_eq!(sent(&mixed, 64), [(1, 100, 300), (2, 50, 100)]);
    }

    #[test]
    fn a_shorter_one_ends_a_batch_and_a_longer_one_begins_another() {
        assert_eq!(sent(&[(1, 100), (1, 40), (1, 40)], 64), [(1, 100, 140), (1, 40, 40)]);
        assert_eq!(sent(&[(1, 100), (1, 101)], 64), [(1, 100, 100), (1, 101, 101)]);
    }

    #[test]
    fn no_batch_is_larger_than_the_system_takes() {
        assert_eq!(sent(&[(1, 10); 5], 2), [(1, 10, 20), (1, 10, 20), (1, 10, 10)]);
        assert_eq!(sent(&[(1, 30_000); 3], 64), [(1, 30_000, 60_000), (1, 30_000, 30_000)]);
        assert_eq!(sent(&[(1, 0), (1, 0)], 64), [(1, 0, 0), (1, 0, 0)]);
        assert_eq!(sent(&[(1, 10); 2], 1), [(1, 10, 10), (1, 10, 10)]);
    }

    #[test]
    fn more_flows_than_are_kept_flush_the_earlier_ones() {
        let many: Vec<_> = (0..40).map(|port| (port, 10)).collect();
        assert_eq!(sent(&many, 64).len(), 40);
    }
}
