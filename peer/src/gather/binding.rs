//! One question to one STUN server from one socket (RFC 8445 §5.1.1.2, RFC 8489 §3).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stun::client::{Client, Config, Outcome, mapped_address};
use stun::transaction::{Reason, Schedule};
use wire::{Received, Transmit};

use super::round::Problem;
use super::{Base, same};
use crate::fault::Fault;
use crate::server::IceServer;

/// Asked at 0, 0.5, 1.5, 3.5 and 7.5 s; given up at 9.5 s, within the patience of gathering.
const SCHEDULE: Schedule = Schedule::Datagrams { rto: Duration::from_millis(500), requests: 5, last_wait: 4 };

#[derive(Debug)]
pub(super) struct Binding {
    pub(super) server: Arc<IceServer>,
    pub(super) base: Base,
    client: Client<stun::client::Binding>,
}

impl Binding {
    pub(super) fn new(now: Instant, server: Arc<IceServer>, base: Base, seed: [u8; 32]) -> Self {
        let config = Config { schedule: SCHEDULE, ..Config::new(base.address, server.address, seed) };
        let mut client = Client::new(config);
        // The first of its requests: there is room.
        let _ = client.request(now, stun::client::Binding::default());
        Self { server, base, client }
    }

    pub(super) fn is_between(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        same(self.client.server(), remote) && same(self.base.address, local)
    }

    /// Takes an answer; false: it is none to this question.
    pub(super) fn handle_datagram(&mut self, now: Instant, datagram: Received<'_>) -> Result<bool, Fault> {
        use stun::client::Fault::{NotAnAnswer, NotStun, UnknownTransaction};
        let datagram = Received { destination: self.base.address, source: self.client.server(), ..datagram };
        match self.client.handle_datagram(now, datagram) {
            Ok(()) => Ok(true),
            Err(NotAnAnswer | NotStun(_) | UnknownTransaction) => Ok(false),
            Err(fault) => Err(Fault::Stun(fault)),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.client.handle_timeout(now);
    }

    pub(super) fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        self.client.poll_transmit(now, buffer)
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        self.client.poll_timeout()
    }

    /// How the server sees the socket, or why it does not say.
    pub(super) fn poll_answer(&mut self, now: Instant) -> Option<Result<SocketAddr, Problem>> {
        let event = self.client.poll_event()?;
        Some(match event.outcome {
            Outcome::Success(message) => mapped_address(&message.view()).ok_or_else(Problem::no_address),
            Outcome::Refused(message) => Err(Problem::refused(&message.view())),
            Outcome::Failed(failure) => Err(Problem::Unreachable(failure.to_string())),
            Outcome::Alternate { server, .. } => {
                self.client.follow(now, self.base.address, server);
                let _ = self.client.request(now, event.request);
                return None;
            }
        })
    }
}
