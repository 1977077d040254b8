//! A worker's rooms: who is there, what they send, and what goes from the one to the others.

use std::collections::HashMap;
use std::time::Instant;

use peer::{Codec, Direction, MediaKind, PeerConnection, SenderClock, TransceiverId};
use rtp::PayloadType;
use rtp::extension::ExtensionMap;
use sfu::{Offer, ParticipantId, PublicationId, Refused, SubscriptionId, Wish};

use super::Role;
use super::legs::{Leg, LegId, Legs, Slot};
use super::parts::{Away, Part};
use super::placement::Place;
use crate::conference::{Member, Problem, Source};

/// What one participant publishes.
pub(super) const PUBLICATIONS: usize = 8;

/// What is sent into a room.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) publication: PublicationId,
    /// What the workers that have a part of the room call it.
    pub(super) number: u64,
    /// What signaling calls it.
    pub(super) name: Box<str>,
    pub(super) source: Source,
    pub(super) kind: MediaKind,
    pub(super) codec: Codec,
    /// Whose it is, and by which of their legs it comes.
    pub(super) participant: ParticipantId,
    pub(super) leg: LegId,
    pub(super) transceiver: TransceiverId,
    /// What its header extensions' numbers mean.
    pub(super) extensions: ExtensionMap,
    pub(super) encodings: usize,
    /// Which of them are watched: a bit for each.
    pub(super) wanted: u8,
}

/// Where a subscription's packets go.
pub(super) struct Target {
    pub(super) leg: LegId,
    pub(super) transceiver: TransceiverId,
    pub(super) payload_type: PayloadType,
    /// What its receiver's reports are dated from.
    pub(super) dated: Option<Dated>,
}

impl Target {
    /// What each of the packets comes with, so that none of them has it looked for.
    fn label(&self) -> sfu::Label {
        let (place, generation) = self.leg.parts();
        [place, generation, self.transceiver.number(), self.payload_type.number().into()]
    }
}

/// A report of a publication's sender, and what its timestamps are in a subscription's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    pub(super) report: SenderClock,
    pub(super) shift: u32,
}

/// Somebody in a room.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) participant: ParticipantId,
    /// None: a program that came over HTTP.
    pub(super) member: Option<Member>,
    pub(super) legs: Vec<LegId>,
    /// Counted as long as they are here.
    _place: Option<Place>,
}

/// The numbers are our own, so that a hash without a seed will do.
type Targets = HashMap<SubscriptionId, Target, foldhash::fast::FixedState>;

pub(super) struct Room {
    pub(super) sfu: sfu::Room,
    pub(super) people: Vec<Person>,
    /// In the order of their ids.
    pub(super) published: Vec<Published>,
    pub(super) targets: Targets,
    /// Whoever signaling does not know must show that they may come in.
    pub(super) is_locked: bool,
    /// Who speaks, of those whom signaling knows.
    pub(super) speaker: Option<Member>,
    /// When its publications were told last.
    pub(super) told: Option<Instant>,
    /// Workers that have a part of it, where this one is its home.
    pub(super) parts: Vec<Part>,
    /// Its home, where this is but a part.
    pub(super) away: Option<Box<Away>>,
}

impl Room {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            sfu: sfu::Room::new(now),
            people: Vec::new(),
            published: Vec::new(),
            targets: Targets::default(),
            is_locked: false,
            speaker: None,
            told: None,
            parts: Vec::new(),
            away: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.parts.is_empty()
    }

    /// What is sent, for a viewer to be answered with.
    pub(super) fn codecs(&self) -> Vec<(MediaKind, Codec)> {
        self.published.iter().map(|one| (one.kind, one.codec.clone())).collect()
    }

    /// The leg of the program that sends into the room.
    pub(super) fn publisher(&self, legs: &Legs) -> Option<LegId> {
        let programs = self.people.iter().filter(|person| person.member.is_none());
        let mut all = programs.flat_map(|person| &person.legs).copied();
        all.find(|number| legs.get(*number).is_some_and(|leg| leg.is(Role::Publisher)))
    }

    /// Legs of programs that watch.
    pub(super) fn viewers(&self, legs: &Legs) -> Vec<LegId> {
        let programs = self.people.iter().filter(|person| person.member.is_none());
        let all = programs.flat_map(|person| &person.legs).copied();
        all.filter(|number| legs.get(*number).is_some_and(|leg| leg.is(Role::Viewer))).collect()
    }

    pub(super) fn person_mut(&mut self, participant: ParticipantId) -> Option<&mut Person> {
        self.people.iter_mut().find(|person| person.participant == participant)
    }

    /// Somebody of signaling's, if they have been here.
    pub(super) fn member(&self, member: Member) -> Option<&Person> {
        self.people.iter().find(|person| person.member == Some(member))
    }

    pub(super) fn join(
        &mut self,
        now: Instant,
        member: Option<Member>,
        place: Option<Place>,
    ) -> Result<ParticipantId, Refused> {
        let participant = self.sfu.join(now)?;
        self.people.push(Person { participant, member, legs: Vec::new(), _place: place });
        Ok(participant)
    }

    /// Somebody is gone, and their legs are.
    pub(super) fn leave(&mut self, now: Instant, participant: ParticipantId) {
        self.sfu.leave(now, participant);
        self.people.retain(|person| person.participant != participant);
    }

    /// What a leg sends, as agreed on: what was published already stays, what is new is published, what is not sent any more
    /// ends. `source_of` knows what a section is. None if nothing has changed, or else whose slots get nothing any more.
    pub(super) fn publish(
        &mut self,
        now: Instant,
        (number, legs): (LegId, &mut Legs),
        source_of: impl Fn(&str, MediaKind) -> Option<Source>,
        mut name: impl FnMut() -> u64,
    ) -> Option<Vec<LegId>> {
        let leg = legs.get(number)?;
        let participant = leg.participant;
        let sent: Vec<Sent> = leg.peer.transceivers().filter_map(|one| Sent::of(one, &source_of)).collect();
        let before: Vec<PublicationId> = leg.publications.iter().map(|(_, id)| *id).collect();
        let mut publications = Vec::new();
        let mut has_changed = false;
        for one in sent.into_iter().take(PUBLICATIONS) {
            // One that came by another leg of theirs comes by this one from now on.
            let same = self.published.iter_mut().find(|known| {
                known.participant == participant
                    && one.is(known)
                    && !publications.iter().any(|(_, id)| *id == known.publication)
                    && (known.leg != number || known.transceiver == one.transceiver)
            });
            if let Some(known) = same {
                (known.leg, known.transceiver) = (number, one.transceiver);
                publications.push((one.transceiver, known.publication));
                continue;
            }
            let Ok(publication) = self.sfu.publish(now, participant, one.offer()) else { continue };
            publications.push((one.transceiver, publication));
            self.published.push(one.published(publication, name(), (participant, number)));
            has_changed = true;
        }
        let ended: Vec<PublicationId> =
            before.into_iter().filter(|id| publications.iter().all(|(_, kept)| kept != id)).collect();
        if let Some(leg) = legs.get_mut(number) {
            leg.publications = publications;
        }
        let mut affected = Vec::new();
        for publication in ended {
            affected.extend(self.unpublish(now, publication, legs));
            has_changed = true;
        }
        if has_changed {
            self.parts_are_behind();
        }
        has_changed.then_some(affected)
    }

    /// Nothing more comes of a publication: slots that watch it get nothing. Whose they are.
    pub(super) fn unpublish(
        &mut self,
        now: Instant,
        publication: PublicationId,
        legs: &mut Legs,
    ) -> Vec<LegId> {
        let mut affected = Vec::new();
        self.parts_are_behind();
        self.sfu.unpublish(now, publication);
        self.published.retain(|one| one.publication != publication);
        for number in self.people.iter().flat_map(|person| &person.legs) {
            let Some(leg) = legs.get_mut(*number) else { continue };
            for slot in leg.slots.iter_mut().filter(|slot| slot.publication == Some(publication)) {
                slot.publication = None;
                slot.news = Some((None, sfu::Why::Source));
                affected.push(*number);
            }
        }
        affected
    }

    /// The sections by which a leg may get something, as agreed on: those that there were go on.
    pub(super) fn arrange(&mut self, now: Instant, leg: &mut Leg) {
        let Leg { peer, slots, .. } = leg;
        let mut before = std::mem::take(slots);
        for one in peer.transceivers().filter(|one| one.current_direction().is_some_and(Direction::sends)) {
            let known = before.iter().position(|slot| slot.transceiver == one.id());
            slots.push(match known {
                Some(at) => before.swap_remove(at),
                None => Slot {
                    transceiver: one.id(),
                    mid: one.mid().unwrap_or_default().into(),
                    kind: one.kind(),
                    subscription: None,
                    publication: None,
                    news: None,
                },
            });
        }
        for slot in before {
            self.close_slot(now, &slot);
        }
    }

    /// A slot is there no more.
    pub(super) fn close_slot(&mut self, now: Instant, slot: &Slot) {
        if let Some(subscription) = slot.subscription {
            self.sfu.unsubscribe(now, subscription);
            self.targets.remove(&subscription);
        }
    }

    /// Has a slot get a publication, or nothing.
    pub(super) fn watch(
        &mut self,
        now: Instant,
        (number, leg): (LegId, &mut Leg),
        at: usize,
        wanted: Option<(PublicationId, Wish)>,
    ) -> Result<(), Problem> {
        let Leg { peer, slots, participant, .. } = leg;
        let slot = slots.get_mut(at).ok_or(Problem::Slot)?;
        let Some((publication, wish)) = wanted else {
            if let Some(subscription) = slot.subscription.filter(|_| slot.publication.is_some()) {
                let _ = self.sfu.switch(now, subscription, None);
            }
            (slot.publication, slot.news) = (None, None);
            return Ok(());
        };
        let published = self.published(publication).ok_or(Problem::Publication)?;
        let payload_type = payload_type(peer, slot, published)?;
        let subscription = match slot.subscription {
            Some(subscription) => {
                let switched = self.sfu.switch(now, subscription, Some(publication));
                switched.and_then(|()| self.sfu.set_wish(now, subscription, wish)).map(|()| subscription)
            }
            None => self.sfu.subscribe(now, *participant, publication, wish),
        };
        let subscription = subscription.map_err(|refused| match refused {
            Refused::UnknownPublication => Problem::Publication,
            _ => Problem::Busy,
        })?;
        if slot.publication == Some(publication) {
            if let Some(target) = self.targets.get_mut(&subscription) {
                // Descriptions may have changed.
                target.payload_type = payload_type;
                self.sfu.set_label(subscription, target.label()).map_err(|_| Problem::Busy)?;
            }
            return Ok(());
        }
        slot.news = None;
        // Another sender's clock: none is known until this one's reports are.
        peer.set_clock(slot.transceiver, 0, None);
        (slot.subscription, slot.publication) = (Some(subscription), Some(publication));
        let target = Target { leg: number, transceiver: slot.transceiver, payload_type, dated: None };
        self.sfu.set_label(subscription, target.label()).map_err(|_| Problem::Busy)?;
        self.targets.insert(subscription, target);
        Ok(())
    }

    /// A program's leg is connected, or somebody has begun to send: what it can take goes to it.
    pub(super) fn watch_all(&mut self, now: Instant, number: LegId, leg: &mut Leg) {
        let mut left: Vec<PublicationId> = self.published.iter().map(|one| one.publication).collect();
        left.retain(|id| leg.slots.iter().all(|slot| slot.publication != Some(*id)));
        for at in 0..leg.slots.len() {
            if leg.slots[at].publication.is_some() {
                continue;
            }
            let fits = |id: &PublicationId| {
                let published = self.published(*id);
                published.is_some_and(|one| payload_type(&leg.peer, &leg.slots[at], one).is_ok())
            };
            let Some(place) = left.iter().position(fits) else { continue };
            let wish = Wish { size: None, priority: 0, paused: false };
            // As many as a room has.
            let _ = self.watch(now, (number, leg), at, Some((left.remove(place), wish)));
        }
    }

    /// Whether a program that watches gets nothing of a medium that is sent, as it has agreed on another codec.
    pub(super) fn is_stranded(&self, leg: &Leg) -> bool {
        [MediaKind::Audio, MediaKind::Video].into_iter().any(|kind| {
            let slots = || leg.slots.iter().filter(|slot| slot.kind == kind);
            let mut sent = self.published.iter().filter(|one| one.kind == kind).peekable();
            slots().next().is_some()
                && sent.peek().is_some()
                && slots().all(|slot| slot.publication.is_none())
                && sent.all(|one| slots().all(|slot| payload_type(&leg.peer, slot, one).is_err()))
        })
    }

    #[inline]
    pub(super) fn published(&self, publication: PublicationId) -> Option<&Published> {
        let at = self.published.binary_search_by_key(&publication, |one| one.publication).ok()?;
        self.published.get(at)
    }

    pub(super) fn published_mut(&mut self, publication: PublicationId) -> Option<&mut Published> {
        self.published.iter_mut().find(|one| one.publication == publication)
    }

    pub(super) fn named(&self, name: &str) -> Option<PublicationId> {
        self.published.iter().find(|one| &*one.name == name).map(|one| one.publication)
    }
}

/// The number that a slot's receiver knows a publication's codec by.
pub(super) fn payload_type(
    peer: &PeerConnection,
    slot: &Slot,
    published: &Published,
) -> Result<PayloadType, Problem> {
    if slot.kind != published.kind {
        return Err(Problem::Slot);
    }
    let one = peer.transceiver(slot.transceiver).ok_or(Problem::Slot)?;
    let agreement = one.agreement().ok_or(Problem::Slot)?;
    let mut codecs = agreement.codecs.iter();
    let codec = codecs.find(|codec| published.codec.goes_to(&codec.codec));
    codec.map(|codec| codec.send).ok_or(Problem::Codec)
}

/// What comes by a section.
struct Sent {
    transceiver: TransceiverId,
    source: Source,
    kind: MediaKind,
    codec: Codec,
    known: rtp::codec::Codec,
    extensions: ExtensionMap,
    encodings: usize,
}

impl Sent {
    fn of(one: &peer::Transceiver, source_of: impl Fn(&str, MediaKind) -> Option<Source>) -> Option<Self> {
        let agreement = one.agreement().filter(|agreement| agreement.direction.receives())?;
        let source = source_of(one.mid()?, one.kind())?;
        let codec = agreement.preferred()?.codec.clone();
        Some(Self {
            transceiver: one.id(),
            source,
            kind: one.kind(),
            known: forwarded(&codec)?,
            codec,
            extensions: agreement.extensions,
            encodings: agreement.receive_rids.len().max(1),
        })
    }

    fn is(&self, known: &Published) -> bool {
        (self.source, self.kind, self.encodings) == (known.source, known.kind, known.encodings)
            && self.codec == known.codec
            && self.extensions == known.extensions
    }

    fn offer(&self) -> Offer {
        let source = source_of(self.source);
        let Self { kind, known: codec, extensions, encodings, .. } = *self;
        Offer { kind, source, codec, extensions, encodings }
    }

    fn published(
        self,
        publication: PublicationId,
        number: u64,
        (participant, leg): (ParticipantId, LegId),
    ) -> Published {
        let Self { transceiver, source, kind, codec, extensions, encodings, .. } = self;
        let wanted = u8::MAX;
        Published {
            publication,
            number,
            name: format!("{number:x}").into(),
            source,
            kind,
            codec,
            participant,
            leg,
            transceiver,
            extensions,
            encodings,
            wanted,
        }
    }
}

/// What the forwarder knows a source as.
pub(super) fn source_of(source: Source) -> sfu::Source {
    match source {
        Source::Microphone => sfu::Source::Microphone,
        Source::Camera => sfu::Source::Camera,
        Source::Screen => sfu::Source::Screen,
        Source::Sound => sfu::Source::Other,
    }
}

/// What the forwarder knows a codec as.
pub(super) fn forwarded(codec: &Codec) -> Option<rtp::codec::Codec> {
    use rtp::codec::Codec as Known;
    let known = [
        ("opus", Known::Opus),
        ("PCMU", Known::Pcmu),
        ("PCMA", Known::Pcma),
        ("G722", Known::G722),
        ("VP8", Known::Vp8),
        ("VP9", Known::Vp9),
        ("H264", Known::H264),
        ("H265", Known::H265),
        ("AV1", Known::Av1),
    ];
    known.into_iter().find(|(name, _)| codec.is(name)).map(|(_, known)| known)
}

/// Whether a connection is of no use any more.
pub(super) fn is_over(peer: &PeerConnection) -> bool {
    use peer::PeerConnectionState::{Closed, Failed};
    matches!(peer.connection_state(), Closed | Failed)
}
