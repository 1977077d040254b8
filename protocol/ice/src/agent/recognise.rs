//! Whose a datagram is, where one port serves many agents (RFC 8445 §7.3), and whether data may be the peer's.

use std::net::SocketAddr;

use stun::{Class, Message};

use super::Agent;
use crate::path::same;

impl Agent {
    /// Whether a message is this agent's: a check with its user name fragment, or an answer to one of its
    /// checks. Nothing is proven by it.
    pub fn expects(&self, message: &Message<'_>) -> bool {
        match message.class() {
            Class::Request => crate::credentials::addressee(message)
                .is_some_and(|(ufrag, _)| self.generation_of(ufrag).is_some()),
            Class::Success | Class::Error => {
                let id = message.transaction();
                self.datagrams.get(id).is_some() || self.frames.get(id).is_some()
            }
            Class::Indication => false,
        }
    }

    /// Whether data from there may be the peer's: a check or an answer from this address was proven to be.
    pub fn is_valid_source(&self, source: SocketAddr) -> bool {
        self.sessions().any(|session| {
            session.selected().is_some_and(|pair| same(pair.path.remote, source))
                || session.remotes.all().iter().any(|remote| remote.proven && same(remote.address, source))
        })
    }
}
