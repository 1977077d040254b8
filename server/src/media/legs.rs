//! A worker's peer connections, by number, by their name for HTTP, by where they are and by their ICE fragment.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use peer::{PeerConnection, TransceiverId};
use sfu::{ParticipantId, PublicationId};

use super::{ConnectionId, Role};

/// A leg's number on its worker; not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LegId(u64);

/// A peer connection of somebody in a room.
pub(super) struct Leg {
    pub(super) peer: PeerConnection,
    pub(super) id: ConnectionId,
    pub(super) room: Box<str>,
    pub(super) role: Role,
    pub(super) participant: ParticipantId,
    /// What comes over which transceiver.
    pub(super) publications: Vec<(TransceiverId, PublicationId)>,
    /// When it is to be woken, as the timers know it.
    pub(super) deadline: Option<Instant>,
    /// The ICE fragments and addresses that lead here.
    fragments: Vec<Box<str>>,
    addresses: Vec<SocketAddr>,
}

/// Addresses of one leg: networks change, and attackers would have us remember more.
const ADDRESSES: usize = 8;

/// ICE fragments of one leg: the present one, and the one before while packets are under way.
const FRAGMENTS: usize = 2;

#[derive(Default)]
pub(super) struct Legs {
    legs: HashMap<LegId, Leg>,
    next: u64,
    by_id: HashMap<ConnectionId, LegId>,
    by_address: HashMap<SocketAddr, LegId>,
    by_fragment: HashMap<Box<str>, LegId>,
}

impl Legs {
    pub(super) fn len(&self) -> usize {
        self.legs.len()
    }

    pub(super) fn insert(
        &mut self,
        peer: PeerConnection,
        id: ConnectionId,
        (room, role, participant): (Box<str>, Role, ParticipantId),
    ) -> LegId {
        let number = LegId(self.next);
        self.next += 1;
        let leg = Leg {
            peer,
            id,
            room,
            role,
            participant,
            publications: Vec::new(),
            deadline: None,
            fragments: Vec::new(),
            addresses: Vec::new(),
        };
        self.legs.insert(number, leg);
        self.by_id.insert(id, number);
        self.learn_fragment(number);
        number
    }

    pub(super) fn remove(&mut self, number: LegId) -> Option<Leg> {
        let leg = self.legs.remove(&number)?;
        self.by_id.remove(&leg.id);
        for address in &leg.addresses {
            self.by_address.remove(address);
        }
        for fragment in &leg.fragments {
            self.by_fragment.remove(fragment);
        }
        Some(leg)
    }

    pub(super) fn get_mut(&mut self, number: LegId) -> Option<&mut Leg> {
        self.legs.get_mut(&number)
    }

    pub(super) fn named(&self, id: ConnectionId) -> Option<LegId> {
        self.by_id.get(&id).copied()
    }

    /// Whose datagrams come from an address.
    pub(super) fn at(&self, address: SocketAddr) -> Option<LegId> {
        self.by_address.get(&address).copied()
    }

    /// Whose checks have this fragment of ours.
    pub(super) fn of_fragment(&self, fragment: &str) -> Option<LegId> {
        self.by_fragment.get(fragment).copied()
    }

    /// A check with the right password came from there.
    pub(super) fn learn_address(&mut self, number: LegId, address: SocketAddr) {
        let Some(leg) = self.legs.get_mut(&number) else { return };
        if leg.addresses.len() >= ADDRESSES {
            let oldest = leg.addresses.remove(0);
            self.by_address.remove(&oldest);
        }
        leg.addresses.push(address);
        if let Some(before) = self.by_address.insert(address, number).filter(|before| *before != number)
            && let Some(other) = self.legs.get_mut(&before)
        {
            other.addresses.retain(|known| *known != address);
        }
    }

    /// Our credentials may be new.
    pub(super) fn learn_fragment(&mut self, number: LegId) {
        let Some(leg) = self.legs.get_mut(&number) else { return };
        let fragment: Box<str> = leg.peer.ice().credentials().ufrag.as_str().into();
        if leg.fragments.contains(&fragment) {
            return;
        }
        if leg.fragments.len() >= FRAGMENTS {
            let oldest = leg.fragments.remove(0);
            self.by_fragment.remove(&oldest);
        }
        leg.fragments.push(fragment.clone());
        self.by_fragment.insert(fragment, number);
    }

    /// All numbers, oldest first.
    pub(super) fn numbers(&self) -> Vec<LegId> {
        let mut numbers: Vec<LegId> = self.legs.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }
}
