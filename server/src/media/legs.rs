//! A worker's peer connections, by number, by their name for HTTP, by where they are and by their ICE fragment.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::time::Instant;

use peer::{MediaKind, PeerConnection, StreamId, TransceiverId};
use rtp::NtpTime;
use sfu::{Layer, ParticipantId, PublicationId, SubscriptionId, Why};
use wire::Table;

use super::{ConnectionId, Role};
use crate::conference::{LegName, RoomKey, SlotWish};

/// A leg's number on its worker: a place, and how many others had it before. It is not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LegId {
    place: u32,
    generation: u32,
}

impl LegId {
    /// Nobody's: what is published comes from another worker.
    pub(super) const NONE: Self = Self { place: u32::MAX, generation: 0 };

    /// The place, which another may have after it, and how many had it before.
    pub(super) fn parts(self) -> (u32, u32) {
        (self.place, self.generation)
    }

    /// The other way round.
    pub(super) fn of_parts(place: u32, generation: u32) -> Self {
        Self { place, generation }
    }
}

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
    /// When it is to be woken, as the timers know it: no later than it has to be.
    pub(super) deadline: Option<Instant>,
    /// Its connections over TCP, and their places among the worker's.
    pub(super) pipes: Vec<(StreamId, usize)>,
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

    /// For what is logged of it.
    pub(super) fn span(&self) -> tracing::Span {
        match &self.owner {
            Owner::Program { role, .. } => tracing::debug_span!("media", room = ?self.room, program = ?role),
            Owner::Member(joined) => {
                tracing::debug_span!("media", room = ?self.room, peer = joined.name.member.0)
            }
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

pub(super) struct Legs {
    places: Vec<Place>,
    /// Those that nobody has.
    free: Vec<u32>,
    by_id: HashMap<ConnectionId, LegId>,
    /// Asked for each datagram, and filled by whoever has a session: a fast hash with a seed of our own.
    by_address: Table<SocketAddr, LegId>,
    by_fragment: HashMap<Box<str>, LegId>,
}

/// A place for a leg, which does not move while it is there.
#[derive(Default)]
struct Place {
    generation: u32,
    leg: Option<Box<Leg>>,
}

impl Legs {
    /// Room for so many.
    pub(super) fn new(most: usize) -> Self {
        let seed = RandomState::new().hash_one(most);
        Self {
            places: Vec::new(),
            free: Vec::new(),
            by_id: HashMap::new(),
            by_address: Table::new(most.saturating_mul(ADDRESSES), seed),
            by_fragment: HashMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn insert(
        &mut self,
        peer: PeerConnection,
        owner: Owner,
        (room, participant): (RoomKey, ParticipantId),
    ) -> LegId {
        let leg = Leg {
            peer,
            owner,
            room,
            participant,
            publications: Vec::new(),
            slots: Vec::new(),
            epoch: None,
            deadline: None,
            pipes: Vec::new(),
            fragments: Vec::new(),
            addresses: Vec::new(),
        };
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            // A worker has some thousands at most.
            (self.places.len() - 1) as u32
        });
        let at = &mut self.places[place as usize];
        let number = LegId { place, generation: at.generation };
        if let Owner::Program { id, .. } = leg.owner {
            self.by_id.insert(id, number);
        }
        at.leg = Some(Box::new(leg));
        self.learn_fragment(number);
        number
    }

    pub(super) fn remove(&mut self, number: LegId) -> Option<Box<Leg>> {
        let at = self.places.get_mut(number.place as usize)?;
        let leg = if at.generation == number.generation { at.leg.take()? } else { return None };
        at.generation = at.generation.wrapping_add(1);
        self.free.push(number.place);
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
        let at = self.places.get(number.place as usize)?;
        at.leg.as_deref().filter(|_| at.generation == number.generation)
    }

    pub(super) fn get_mut(&mut self, number: LegId) -> Option<&mut Leg> {
        let at = self.places.get_mut(number.place as usize)?;
        at.leg.as_deref_mut().filter(|_| at.generation == number.generation)
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
        let Some(leg) = self.get_mut(number) else { return };
        let oldest = (leg.addresses.len() >= ADDRESSES).then(|| leg.addresses.remove(0));
        leg.addresses.push(address);
        if let Some(oldest) = oldest {
            self.by_address.remove(&oldest);
        }
        let before = self.by_address.insert(address, number).ok().flatten();
        if let Some(before) = before.filter(|before| *before != number)
            && let Some(other) = self.get_mut(before)
        {
            other.addresses.retain(|known| *known != address);
        }
    }

    /// Our credentials may be new.
    pub(super) fn learn_fragment(&mut self, number: LegId) {
        let Some(leg) = self.get_mut(number) else { return };
        let fragment: Box<str> = leg.peer.ice().credentials().ufrag.as_str().into();
        if leg.fragments.contains(&fragment) {
            return;
        }
        let oldest = (leg.fragments.len() >= FRAGMENTS).then(|| leg.fragments.remove(0));
        leg.fragments.push(fragment.clone());
        if let Some(oldest) = oldest {
            self.by_fragment.remove(&oldest);
        }
        self.by_fragment.insert(fragment, number);
    }

    /// All numbers.
    pub(super) fn numbers(&self) -> Vec<LegId> {
        let taken = self.places.iter().zip(0_u32..).filter(|(at, _)| at.leg.is_some());
        taken.map(|(at, place)| LegId { place, generation: at.generation }).collect()
    }
}
