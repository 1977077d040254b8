//! A worker's peer connections, by number, by their name for HTTP, by where they are and by their ICE fragment.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use peer::{MediaKind, PeerConnection, TransceiverId};
use rtp::NtpTime;
use sfu::{Layer, ParticipantId, PublicationId, SubscriptionId, Why};

use super::{ConnectionId, Role};
use crate::conference::{LegName, RoomKey, SlotWish};

/// A leg's number on its worker; not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LegId(u64);

/// A peer connection of somebody in a room.
pub(super) struct Leg {
    pub(super) peer: PeerConnection,
    pub(super) owner: Owner,
    pub(super) room: RoomKey,
    pub(super) participant: ParticipantId,
    /// What comes over which transceiver.
    pub(super) publications: Vec<(TransceiverId, PublicationId)>,
    /// What may be sent over which.
    pub(super) slots: Vec<Slot>,
    /// A moment of its peer's clock, and which one it was here.
    pub(super) epoch: Option<(NtpTime, Instant)>,
    /// When it is to be woken, as the timers know it.
    pub(super) deadline: Option<Instant>,
    /// The ICE fragments and addresses that lead here.
    fragments: Vec<Box<str>>,
    addresses: Vec<SocketAddr>,
}

/// Who has asked for a leg.
#[derive(Debug)]
pub(super) enum Owner {
    /// A program, over HTTP.
    Program { id: ConnectionId, role: Role },
    /// A member of signaling's.
    Member(Box<Joined>),
}

/// A member's leg.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) name: LegName,
    /// What it wishes for once it is connected.
    pub(super) wishes: Vec<SlotWish>,
    /// When its layers were told last.
    pub(super) told: Option<Instant>,
}

/// A section by which a leg gets what its participant watches.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) transceiver: TransceiverId,
    pub(super) mid: Box<str>,
    pub(super) kind: MediaKind,
    /// Made when it gets something for the first time; it stays as long as the slot, so that its stream goes on.
    pub(super) subscription: Option<SubscriptionId>,
    pub(super) publication: Option<PublicationId>,
    /// What it gets, where that has not been told yet.
    pub(super) news: Option<(Option<Layer>, Why)>,
}

impl Leg {
    pub(super) fn is(&self, wanted: Role) -> bool {
        matches!(self.owner, Owner::Program { role, .. } if role == wanted)
    }

    pub(super) fn member(&self) -> Option<&Joined> {
        match &self.owner {
            Owner::Member(joined) => Some(joined),
            Owner::Program { .. } => None,
        }
    }

    pub(super) fn slot(&self, transceiver: TransceiverId) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.transceiver == transceiver)
    }
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
        owner: Owner,
        (room, participant): (RoomKey, ParticipantId),
    ) -> LegId {
        let number = LegId(self.next);
        self.next += 1;
        let leg = Leg {
            peer,
            owner,
            room,
            participant,
            publications: Vec::new(),
            slots: Vec::new(),
            epoch: None,
            deadline: None,
            fragments: Vec::new(),
            addresses: Vec::new(),
        };
        if let Owner::Program { id, .. } = leg.owner {
            self.by_id.insert(id, number);
        }
        self.legs.insert(number, leg);
        self.learn_fragment(number);
        number
    }

    pub(super) fn remove(&mut self, number: LegId) -> Option<Leg> {
        let leg = self.legs.remove(&number)?;
        if let Owner::Program { id, .. } = &leg.owner {
            self.by_id.remove(id);
        }
        for address in &leg.addresses {
            self.by_address.remove(address);
        }
        for fragment in &leg.fragments {
            self.by_fragment.remove(fragment);
        }
        Some(leg)
    }

    pub(super) fn get(&self, number: LegId) -> Option<&Leg> {
        self.legs.get(&number)
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
