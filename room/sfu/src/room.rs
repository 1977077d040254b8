//! A room: who is in it, who sends what, who receives what (RFC 7667 §3.7).

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use peer::{MediaKind, MediaPacket};

use crate::clock::since;
use crate::encoding::Encoding;
use crate::event::{Event, Reason};
use crate::fault::{Counters, Fault};
use crate::id::{ParticipantId, PublicationId, Roll, SubscriptionId};
use crate::limits;
use crate::participant::Participant;
use crate::publication::{Offer, Publication};
use crate::refused::Refused;
use crate::rewrite::{Forward, Label};
use crate::speaker::Speaker;
use crate::subscription::{Subscription, Wish};
use crate::voices::Voices;

mod allocation;
mod speakers;
mod switching;

/// A room's participants, publications and subscriptions.
///
/// After each call, take what [`Room::poll_event`] has, and wake at [`Room::poll_timeout`].
#[derive(Debug)]
pub struct Room {
    began: Instant,
    participants: Roll<Participant>,
    publications: Roll<Publication>,
    /// What each is of; none: of nothing for now.
    subscriptions: Roll<Option<PublicationId>>,
    /// Those that are of nothing.
    idle: BTreeMap<SubscriptionId, Subscription>,
    events: VecDeque<Event>,
    counters: Counters,
    /// When the next key frame is to be asked for.
    key_frame: Option<Instant>,
    /// When layers are chosen anew.
    allocation: Option<Instant>,
    speaker: Speaker,
    voices: Voices,
}

impl Room {
    /// An empty room.
    pub fn new(now: Instant) -> Self {
        Self {
            began: now,
            participants: Roll::new(limits::PARTICIPANTS),
            publications: Roll::new(limits::PARTICIPANTS * limits::PUBLICATIONS),
            subscriptions: Roll::new(limits::PARTICIPANTS * limits::SUBSCRIPTIONS),
            idle: BTreeMap::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            key_frame: None,
            allocation: None,
            speaker: Speaker::default(),
            voices: Voices::default(),
        }
    }

    /// Somebody comes.
    pub fn join(&mut self, _now: Instant) -> Result<ParticipantId, Refused> {
        if self.participants.is_full() {
            return Err(Refused::TooManyParticipants);
        }
        Ok(ParticipantId(self.participants.push(Participant::default())))
    }

    /// Somebody goes, with all that they publish and receive.
    pub fn leave(&mut self, now: Instant, id: ParticipantId) {
        // Nothing is chosen for who is not there any more.
        let Some(participant) = self.participants.remove(id.0) else { return };
        for publication in participant.publications {
            self.unpublish(now, publication);
        }
        for subscription in participant.subscriptions.into_iter().map(|(id, _)| id).chain(participant.idle) {
            self.unsubscribe(now, subscription);
        }
        if self.speaker.forget(id) {
            self.events.push_back(Event::Speaker { participant: None });
        }
    }

    /// Somebody sends something.
    pub fn publish(
        &mut self,
        now: Instant,
        owner: ParticipantId,
        offer: Offer,
    ) -> Result<PublicationId, Refused> {
        let participant = self.participants.get_mut(owner.0).ok_or(Refused::UnknownParticipant)?;
        let is_audio = offer.kind == MediaKind::Audio;
        if is_audio != offer.codec.is_audio() {
            return Err(Refused::Codec);
        }
        if participant.may_not.contains(&offer.source) {
            return Err(Refused::NotPermitted);
        }
        let most = if is_audio { 1 } else { limits::ENCODINGS };
        if !(1..=most).contains(&offer.encodings) {
            return Err(Refused::Encodings);
        }
        if participant.publications.len() >= limits::PUBLICATIONS || self.publications.is_full() {
            return Err(Refused::TooManyPublications);
        }
        let mut publication = Publication::new(owner, offer);
        publication.measure(now, since(self.began, now));
        let id = PublicationId(self.publications.push(publication));
        participant.publications.push(id);
        self.allocation.get_or_insert(now + limits::ALLOCATION_PERIOD);
        Ok(id)
    }

    /// Nothing more comes of a publication. Subscriptions to it are of nothing from then on, until they are switched to
    /// another one ([`Room::switch`]) or end.
    pub fn unpublish(&mut self, now: Instant, id: PublicationId) {
        let Some(publication) = self.publications.remove(id.0) else { return };
        self.voices.forget(id);
        if let Some(owner) = self.participants.get_mut(publication.owner.0) {
            owner.publications.retain(|one| *one != id);
        }
        for subscription in publication.subscriptions {
            let participant = subscription.participant;
            self.rest(subscription);
            self.allocate(now, participant);
        }
    }

    /// Somebody wants to receive a publication.
    pub fn subscribe(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        publication: PublicationId,
        wish: Wish,
    ) -> Result<SubscriptionId, Refused> {
        let receiver = self.participants.get_mut(participant.0).ok_or(Refused::UnknownParticipant)?;
        let source = self.publications.get_mut(publication.0).ok_or(Refused::UnknownPublication)?;
        let count = receiver.subscriptions.len() + receiver.idle.len();
        if count >= limits::SUBSCRIPTIONS || self.subscriptions.is_full() {
            return Err(Refused::TooManySubscriptions);
        }
        let id = SubscriptionId(self.subscriptions.push(Some(publication)));
        receiver.subscriptions.push((id, publication));
        source.subscriptions.push(Subscription::new(id, participant, wish));
        self.allocate(now, participant);
        Ok(id)
    }

    /// They want it otherwise.
    pub fn set_wish(&mut self, now: Instant, id: SubscriptionId, wish: Wish) -> Result<(), Refused> {
        let subscription = self.subscription_mut(id).ok_or(Refused::UnknownSubscription)?;
        if subscription.wish == wish {
            return Ok(());
        }
        // What fits what it wishes for now is given at once.
        subscription.is_new = true;
        subscription.wish = wish;
        let participant = subscription.participant;
        self.allocate(now, participant);
        Ok(())
    }

    /// Puts down what its packets come with: where they go, for who would have to look for it with each of them. It stays as
    /// long as the subscription.
    pub fn set_label(&mut self, id: SubscriptionId, label: Label) -> Result<(), Refused> {
        self.subscription_mut(id).ok_or(Refused::UnknownSubscription)?.label = label;
        Ok(())
    }

    /// They do not want it any more.
    pub fn unsubscribe(&mut self, now: Instant, id: SubscriptionId) {
        let Some(subscription) = self.take(id) else { return };
        self.subscriptions.remove(id.0);
        self.allocate(now, subscription.participant);
    }

    /// What the way to a receiver carries, as its estimator has it; none: unknown, and everything is forwarded.
    pub fn set_bitrate(&mut self, now: Instant, id: ParticipantId, bits_per_second: Option<u64>) {
        let Some(participant) = self.participants.get_mut(id.0) else { return };
        let before = std::mem::replace(&mut participant.bitrate, bits_per_second);
        // Estimates change with nearly each report; mostly there is more than enough before and after.
        let enough = participant.enough;
        let is_enough = |bitrate: Option<u64>| enough.is_some_and(|enough| bitrate >= Some(enough));
        if before != bits_per_second && !(is_enough(before) && is_enough(bits_per_second)) {
            self.allocate(now, id);
        }
    }

    /// What a subscription is made of now: which encoding of which publication, and what is added to its timestamps. None
    /// where nothing comes of it.
    pub fn source_of(&self, id: SubscriptionId) -> Option<(PublicationId, usize, u32)> {
        let publication = (*self.subscriptions.get(id.0)?)?;
        let subscription = self.publications.get(publication.0)?.subscription(id)?;
        let (encoding, shift) = subscription.source()?;
        Some((publication, encoding, shift))
    }

    /// Takes a packet of a publication, and gives what becomes of it to those who receive it. Takes nothing from the heap
    /// as long as nothing changes.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        id: PublicationId,
        packet: &MediaPacket,
        mut forward: impl FnMut(SubscriptionId, Forward),
    ) {
        let Some(publication) = self.publications.get_mut(id.0) else {
            self.counters.count(Fault::UnknownPublication);
            return;
        };
        let generation = publication.encodings.get(packet.encoding).map(Encoding::generation);
        let (seen, subscriptions) =
            match publication.read(since(self.began, packet.arrived), packet, (id, &mut self.voices)) {
                Ok(read) => read,
                Err(fault) => return self.counters.count(fault),
            };
        if let Some(fault) = seen.fault {
            self.counters.count(fault);
        }
        let mut has_news = false;
        for subscription in subscriptions {
            if let Some(packet) = subscription.take(&seen) {
                forward(subscription.id, packet);
            }
            has_news |= subscription.has_news();
        }
        let has_begun = generation != Some(seen.origin.generation);
        if has_news || has_begun {
            self.changed(now, id, false);
        }
    }

    /// A receiver says that it cannot go on without a key frame.
    pub fn request_key_frame(&mut self, now: Instant, id: SubscriptionId) {
        let Some(&Some(publication)) = self.subscriptions.get(id.0) else { return };
        let Some(source) = self.publications.get_mut(publication.0) else { return };
        let Some(encoding) = source.subscription_mut(id).and_then(|one| one.encoding()) else { return };
        if source.offer.kind == MediaKind::Video
            && let Some(encoding) = source.encodings.get_mut(encoding)
        {
            encoding.keys.want(now);
            self.ask(now, publication);
        }
    }

    /// What others do with a publication, to whom its packets are given as they come: which encodings they watch, a bit for
    /// each.
    pub fn set_watched_elsewhere(&mut self, now: Instant, id: PublicationId, encodings: u8) {
        if let Some(publication) = self.publications.get_mut(id.0)
            && publication.elsewhere != encodings
        {
            publication.elsewhere = encodings;
            self.changed(now, id, false);
        }
    }

    /// One of those cannot go on without a key frame.
    pub fn request_key_frame_elsewhere(&mut self, now: Instant, id: PublicationId, encoding: usize) {
        let Some(publication) = self.publications.get_mut(id.0) else { return };
        if publication.offer.kind == MediaKind::Video
            && let Some(encoding) = publication.encodings.get_mut(encoding)
        {
            encoding.keys.want(now);
            self.ask(now, id);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.allocation.is_some_and(|due| due <= now) {
            self.allocate_all(now);
        }
        if self.key_frame.is_some_and(|due| due <= now) {
            self.key_frame = None;
            for (id, publication) in self.publications.iter_mut() {
                publication.forget_key_frames();
                publication.want_key_frames(now, false);
                Self::ask_of(now, PublicationId(id), publication, &mut self.events, &mut self.key_frame);
            }
        }
    }

    /// When there is something to do next, and what.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let key_frame = self.key_frame.map(|due| (due, Reason::KeyFrame));
        let allocation = self.allocation.map(|due| (due, Reason::Allocation));
        [key_frame, allocation].into_iter().flatten().min_by_key(|(due, _)| *due)
    }

    /// The next of what has come about.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What comes of a publication just now, encoding by encoding, the lowest first: bits per second.
    pub fn rates(&self, now: Instant, id: PublicationId) -> impl Iterator<Item = u64> {
        let encodings = self.publications.get(id.0).into_iter().flat_map(|one| &one.encodings);
        encodings.map(move |encoding| encoding.rate(now))
    }

    /// What a subscription to video takes, in bits per second by the last measure; none where nothing of it is forwarded, or
    /// nothing has come yet.
    pub fn rate_of(&self, id: SubscriptionId) -> Option<u64> {
        let publication = (*self.subscriptions.get(id.0)?)?;
        let source = self.publications.get(publication.0)?;
        let granted = source.subscription(id)?.granted?;
        let level = source.levels.iter().find(|level| level.layer == granted)?;
        Some(level.rate).filter(|rate| *rate > 0)
    }

    /// How many subscriptions a publication has.
    pub fn watchers(&self, id: PublicationId) -> usize {
        self.publications.get(id.0).map_or(0, |one| one.subscriptions.len())
    }

    /// How many packets of voices were left out, as others were louder; each counts once, whoever would have received it.
    pub fn left_out(&self) -> u64 {
        self.voices.left_out
    }

    /// How many packets had which fault.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Tells what has changed about a publication's subscriptions, and asks for what they need now.
    fn changed(&mut self, now: Instant, id: PublicationId, has_waited: bool) {
        let Some(publication) = self.publications.get_mut(id.0) else { return };
        if publication.offer.kind == MediaKind::Audio {
            return;
        }
        for (subscription, layer, why) in publication.news() {
            self.events.push_back(Event::Layer { subscription, layer, why });
        }
        if let Some(encodings) = publication.watched(now) {
            self.events.push_back(Event::Wanted { publication: id, encodings });
        }
        publication.want_key_frames(now, has_waited);
        self.ask(now, id);
    }

    fn ask(&mut self, now: Instant, id: PublicationId) {
        if let Some(publication) = self.publications.get_mut(id.0) {
            Self::ask_of(now, id, publication, &mut self.events, &mut self.key_frame);
        }
    }

    /// Asks for the key frames that are due, and notes when the next one is.
    fn ask_of(
        now: Instant,
        id: PublicationId,
        publication: &mut Publication,
        events: &mut VecDeque<Event>,
        next: &mut Option<Instant>,
    ) {
        for (encoding, known) in publication.encodings.iter_mut().enumerate() {
            if known.keys.poll(now) {
                events.push_back(Event::RequestKeyFrame { publication: id, encoding });
            }
            let due = known.keys.due();
            *next = next.map_or(due, |next| Some(due.map_or(next, |due| due.min(next))));
        }
    }

    fn subscription_mut(&mut self, id: SubscriptionId) -> Option<&mut Subscription> {
        match self.subscriptions.get(id.0)? {
            Some(publication) => self.publications.get_mut(publication.0)?.subscription_mut(id),
            None => self.idle.get_mut(&id),
        }
    }
}

#[cfg(test)]
mod tests;
