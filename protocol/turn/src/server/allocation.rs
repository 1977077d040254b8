//! What a client has on the server: relayed addresses with their permissions and channels
//! (RFC 8656 §6, §9, §12).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stun::TransactionId;

use super::authenticate::Proof;
use super::ledger::Entry;
use super::{Client, Event, RelayId, Server};
use crate::attribute::{Family, ReservationToken};
use crate::channel::ChannelNumber;

/// RFC 8656 §9: it MUST be five minutes.
pub(super) const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

/// RFC 8656 §12.
pub(super) const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// One client's relayed addresses: one, or one of each family.
pub(super) struct Allocation {
    pub(super) client: Client,
    pub(super) username: Arc<str>,
    pub(super) entry: Entry,
    /// The request that made it, so that a retransmission gets the same answer (RFC 8656 §7.2).
    pub(super) transaction: TransactionId,
    pub(super) state: State,
    /// By family: IPv4, IPv6.
    pub(super) relays: [Option<RelayId>; 2],
}

pub(super) enum State {
    /// Sockets are being opened; the request waits for its answer.
    Opening(Opening),
    /// The request was answered.
    Open(Open),
}

/// What the answer to an Allocate request will need.
pub(super) struct Opening {
    pub(super) proof: Proof,
    pub(super) fingerprint: bool,
    /// The reservation that the answer will name.
    pub(super) token: Option<ReservationToken>,
    pub(super) lifetime: Duration,
    /// Relay sockets not yet opened.
    pub(super) waiting: u8,
    /// The family of a dual request that was not granted, with its error code.
    pub(super) missing: Option<(Family, u16)>,
}

/// What was answered beyond the addresses.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) token: Option<ReservationToken>,
    pub(super) missing: Option<(Family, u16)>,
}

/// One relayed address.
pub(super) struct Relay {
    pub(super) allocation: u32,
    /// Of the owning allocation, so that the data path need not look it up.
    pub(super) client: Client,
    pub(super) bind: IpAddr,
    pub(super) public: IpAddr,
    pub(super) port: u16,
    /// How many other ports were tried before this one.
    pub(super) attempts: u8,
    /// What the search for a port must keep to.
    pub(super) wish: PortWish,
    pub(super) is_open: bool,
    pub(super) expiry: Instant,
    pub(super) permissions: Vec<Permission>,
    pub(super) channels: Vec<Channel>,
}

/// What is asked of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PortWish {
    Any,
    Even,
    EvenWithNext,
    /// A reserved one: no other will do.
    Exactly,
}

pub(super) struct Permission {
    pub(super) ip: IpAddr,
    pub(super) expiry: Instant,
}

pub(super) struct Channel {
    pub(super) number: ChannelNumber,
    pub(super) peer: SocketAddr,
    pub(super) expiry: Instant,
}

impl Relay {
    pub(super) fn family(&self) -> Family {
        Family::of(self.bind)
    }

    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.public, self.port)
    }

    pub(super) fn has_permission(&self, now: Instant, ip: IpAddr) -> bool {
        self.permissions.iter().any(|permission| permission.ip == ip && permission.expiry > now)
    }

    /// Whether data may pass: it has a socket, and its time is not up.
    pub(super) fn is_live(&self, now: Instant) -> bool {
        self.is_open && self.expiry > now
    }

    /// Whether permissions for all of `ips`, each named once, have room beside the present ones.
    pub(super) fn has_room(&mut self, now: Instant, ips: &[IpAddr], limit: usize) -> bool {
        self.permissions.retain(|permission| permission.expiry > now);
        let known = |ip: &&IpAddr| self.permissions.iter().any(|permission| permission.ip == **ip);
        self.permissions.len() + ips.len() - ips.iter().filter(known).count() <= limit
    }

    /// Installs or refreshes a permission for which there is room.
    pub(super) fn permit(&mut self, now: Instant, ip: IpAddr) {
        let expiry = now + PERMISSION_LIFETIME;
        match self.permissions.iter_mut().find(|permission| permission.ip == ip) {
            Some(permission) => permission.expiry = expiry,
            None => self.permissions.push(Permission { ip, expiry }),
        }
    }

    pub(super) fn channel_to(&self, now: Instant, peer: SocketAddr) -> Option<ChannelNumber> {
        let bound = |channel: &&Channel| channel.peer == peer && channel.expiry > now;
        self.channels.iter().find(bound).map(|channel| channel.number)
    }

    pub(super) fn peer_of(&self, now: Instant, number: ChannelNumber) -> Option<SocketAddr> {
        let bound = |channel: &&Channel| channel.number == number && channel.expiry > now;
        self.channels.iter().find(bound).map(|channel| channel.peer)
    }
}

impl Server {
    /// The open relays of an allocation.
    pub(super) fn relays_of(&self, allocation: &Allocation) -> impl Iterator<Item = (RelayId, &Relay)> {
        allocation
            .relays
            .into_iter()
            .flatten()
            .filter_map(|id| self.relays.get(id.0).map(|relay| (id, relay)))
            .filter(|(_, relay)| relay.is_open)
    }

    /// Ends one relayed address, and with the last one its allocation.
    pub(super) fn close_relay(&mut self, id: RelayId) {
        let Some(relay) = self.relays.remove(id.0) else { return };
        self.expiries.remove(&(relay.expiry, id));
        self.ledger.give_port(relay.port);
        self.events.push_back(Event::Close { relay: id });
        let Some(allocation) = self.allocations.get_mut(relay.allocation) else { return };
        for slot in &mut allocation.relays {
            slot.take_if(|other| *other == id);
        }
        if allocation.relays == [None, None] {
            self.forget_allocation(relay.allocation);
        }
    }

    /// Ends an allocation with all its relayed addresses.
    pub(super) fn remove_allocation(&mut self, index: u32) {
        let relays = self.allocations.get(index).map_or([None, None], |allocation| allocation.relays);
        relays.into_iter().flatten().for_each(|relay| self.close_relay(relay));
        // It may not have had any yet.
        self.forget_allocation(index);
    }

    fn forget_allocation(&mut self, index: u32) {
        if let Some(allocation) = self.allocations.remove(index) {
            if let State::Opening(Opening { token: Some(token), .. }) = allocation.state {
                self.ledger.cancel(token);
            }
            self.clients.remove(&allocation.client);
            self.ledger.leave(&allocation.entry);
        }
    }
}
