//! Media through the workers: what clients ask of them and hear from them, in this protocol's words.

use std::sync::Arc;

use crate::conference::{
    Ending, LegName, Member, Notice, Offer, Problem, Publication, Request, RoomKey as ConferenceKey,
    SlotLayer, SlotWish, Source, Why as Reason,
};
use crate::signaling::{
    error::{ErrorCode, Refusal},
    inbound::{Kind, MediaClose, MediaOffer, MediaSlot, MediaSource, MediaWatch, Role},
    names::PeerId,
    outbound::{CloseReason, MediaLayer, MediaPublication, Message, Mode, Why},
    room::{Room, RoomKey},
    session::{Media, Session},
    time::Now,
};

use super::{ConnectionId, Hub, Output, topology::is_forwarded};

/// What an offer costs, in messages, beside itself: a worker has a millisecond to do with it.
const OFFER_COST: u32 = 4;

/// Characters of a connection's name, of a section's, and of a publication's.
const LONGEST_NAME: usize = 64;

/// Sections that are published, and that are wished for.
const MOST_PUBLISHED: usize = 8;
const MOST_SLOTS: usize = 128;

impl Hub {
    /// `media_offer`: a peer connection to a media worker, or a change of it.
    pub(super) fn media_offer(
        &mut self,
        now: Now,
        id: ConnectionId,
        request: Option<u64>,
        offer: &MediaOffer<'_>,
    ) -> Result<(), Refusal> {
        let peer = self.joined_peer(id)?;
        let leg = self.leg(peer, &offer.connection)?;
        if offer.publish.len() > MOST_PUBLISHED {
            return Err(Refusal::bad("`publish` names at most 8 sections."));
        }
        if offer.publish.keys().any(|mid| mid.len() > LONGEST_NAME) {
            return Err(Refusal::bad("A section's name has at most 64 characters."));
        }
        let mids = offer.seats.iter().flatten();
        if offer.seats.len() > MOST_SLOTS || mids.clone().count() > MOST_SLOTS {
            return Err(Refusal::bad("`seats` names at most 128 sections."));
        }
        if mids.into_iter().any(|mid| mid.len() > LONGEST_NAME) {
            return Err(Refusal::bad("A section's name has at most 64 characters."));
        }
        let Some(session) = self.sessions.get_mut(&peer) else { return Ok(()) };
        let may_publish = session.role != Some(Role::Viewer);
        if !may_publish && !offer.publish.is_empty() {
            return Err(Refusal::new(ErrorCode::NotPermitted, "Viewers watch, and publish nothing."));
        }
        let known = session.media.as_ref().and_then(|media| media.connection.as_ref());
        let is_known = known.is_some_and(|known| *known == leg.connection);
        let room = session.room().and_then(|key| self.rooms.get(key));
        let is_locked = room.is_some_and(|room| room.lock.is_some());
        if room.map(|room| room.topology.mode) != Some(Mode::Sfu) && !is_known {
            let why = "In this room people send to each other. Wait for `topology`.";
            return Err(Refusal::new(ErrorCode::NotPermitted, why));
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.rate.charge(now.instant, OFFER_COST);
        }
        session.media.get_or_insert_default();
        let publish = offer.publish.iter().map(|(mid, source)| (mid.as_str().into(), (*source).into()));
        let offer = Offer {
            leg,
            request,
            sdp: offer.sdp.clone().into_owned(),
            publish: publish.collect(),
            seats: offer.seats.clone(),
            may_publish,
            is_locked,
        };
        self.outputs.push_back(Output::Media(Request::Offer(Box::new(offer))));
        Ok(())
    }

    /// `media_watch`: what each section is to get.
    pub(super) fn media_watch(
        &mut self,
        id: ConnectionId,
        request: Option<u64>,
        watch: &MediaWatch<'_>,
    ) -> Result<(), Refusal> {
        let peer = self.joined_peer(id)?;
        let leg = self.leg(peer, &watch.connection)?;
        if watch.slots.len() > MOST_SLOTS {
            return Err(Refusal::bad("`slots` names at most 128 sections."));
        }
        let slots = watch.slots.iter().map(wish).collect::<Option<Vec<SlotWish>>>();
        let slots =
            slots.ok_or(Refusal::bad("A section's and a publication's name have at most 64 characters."))?;
        self.outputs.push_back(Output::Media(Request::Watch { leg, request, slots }));
        Ok(())
    }

    /// `media_close`: a connection is not needed any more.
    pub(super) fn media_close(&mut self, id: ConnectionId, close: &MediaClose<'_>) -> Result<(), Refusal> {
        let peer = self.joined_peer(id)?;
        let leg = self.leg(peer, &close.connection)?;
        self.forget_leg(peer, &leg.connection);
        self.outputs.push_back(Output::Media(Request::Close { leg }));
        Ok(())
    }

    /// A media worker says something.
    pub(crate) fn handle_media(&mut self, now: Now, notice: Notice) {
        match notice {
            Notice::Answer { leg, request: id, sdp } => {
                let Some(peer) = self.member(&leg.room, leg.member) else { return };
                let session = self.sessions.get_mut(&peer);
                // Whoever has gone since, or sends directly, has no use for it.
                let Some(media) = session.and_then(|session| session.media.as_mut()) else { return };
                media.connection = Some(Arc::clone(&leg.connection));
                let connection = &*leg.connection;
                let text = Message::MediaAnswer { connection, sdp: &sdp, id }.to_bytes();
                self.send_counted(peer, &text);
            }
            Notice::Refused { leg, request, problem, why } => {
                let peer = self.member(&leg.room, leg.member);
                let session = peer.and_then(|peer| self.sessions.get(&peer));
                if let Some(connection) = session.and_then(Session::connection) {
                    self.refuse_media(connection, request, problem, &why);
                }
            }
            Notice::Publications { room, publications } => {
                self.note_streams(now, &room, &publications);
                self.tell_publications(&room, &publications);
            }
            Notice::Wanted { leg, encodings } => {
                let Some(peer) = self.member(&leg.room, leg.member) else { return };
                let encodings = encodings.iter().map(|(mid, watched)| (&**mid, &**watched)).collect();
                let message = Message::MediaWanted { connection: &leg.connection, encodings };
                self.send_counted(peer, &message.to_bytes());
            }
            Notice::Layers { leg, slots, estimate } => {
                let Some(peer) = self.member(&leg.room, leg.member) else { return };
                let slots = slots.iter().map(layer).collect();
                let message = Message::MediaLayers { connection: &leg.connection, slots, estimate };
                self.send_if_connected(peer, &message);
            }
            Notice::Speaker { room, member } => {
                let speaker = member.and_then(|member| self.member(&room, member));
                for peer in self.watchers(&room) {
                    self.send_if_connected(peer, &Message::MediaSpeaker { peer: speaker });
                }
            }
            Notice::Closed { leg, reason } => {
                let Some(peer) = self.member(&leg.room, leg.member) else { return };
                self.forget_leg(peer, &leg.connection);
                let reason = match reason {
                    Ending::Failed => CloseReason::Failed,
                    Ending::Replaced => CloseReason::Replaced,
                    Ending::Restart => CloseReason::Restart,
                };
                let message = Message::MediaClosed { connection: &leg.connection, reason };
                self.send_counted(peer, &message.to_bytes());
            }
        }
    }

    /// A peer leaves its room, or the room has no need of the media workers any more.
    pub(super) fn leave_media(&mut self, peer: PeerId, key: &RoomKey) {
        let has_media = self.sessions.get_mut(&peer).and_then(|session| session.media.take()).is_some();
        let room = self.rooms.get(key).and_then(|room| conference_key(key, room));
        if let Some(room) = room.filter(|_| has_media) {
            let member = Member(peer.0);
            self.outputs.push_back(Output::Media(Request::Leave { room, member }));
        }
    }

    /// The room of somebody for whom media can be forwarded.
    pub(super) fn media_room(&self, peer: PeerId) -> Result<Option<RoomKey>, Refusal> {
        if !self.settings.media {
            return Err(Refusal::new(ErrorCode::NoMedia, "This server forwards no media."));
        }
        let Some(key) = self.sessions.get(&peer).and_then(Session::room) else { return Ok(None) };
        match self.rooms.get(key).is_some_and(is_forwarded) {
            true => Ok(Some(key.clone())),
            false => {
                Err(Refusal::new(ErrorCode::NotPermitted, "Media is forwarded in calls and live rooms only."))
            }
        }
    }

    fn leg(&self, peer: PeerId, connection: &str) -> Result<LegName, Refusal> {
        let key = self.media_room(peer)?;
        let room = key.and_then(|key| conference_key(&key, self.rooms.get(&key)?));
        let room = room.ok_or(Refusal::new(ErrorCode::NotJoined, "Join a room first."))?;
        if connection.is_empty() || connection.len() > LONGEST_NAME {
            return Err(Refusal::bad("`connection` has 1 to 64 characters."));
        }
        Ok(LegName { room, member: Member(peer.0), connection: Arc::from(connection) })
    }

    /// The peer that a worker means, if it is still there.
    fn member(&self, room: &ConferenceKey, member: Member) -> Option<PeerId> {
        let peer = PeerId(member.0);
        let key = self.sessions.get(&peer)?.room()?;
        let own = conference_key(key, self.rooms.get(key)?)?;
        (own == *room).then_some(peer)
    }

    /// A room that a program streams into is forwarded, however few watch.
    fn note_streams(&mut self, now: Now, room: &ConferenceKey, all: &[Publication]) {
        // A call of the same name is another room.
        let Some(key) = room_key(room).filter(|_| matches!(room, ConferenceKey::Live(_))) else { return };
        let is_streamed = all.iter().any(|one| one.member.is_none());
        let is_news =
            if is_streamed { self.streamed.insert(key.clone()) } else { self.streamed.remove(&key) };
        if is_news {
            self.count_people(now, &key, None);
        }
    }

    /// Those of a room who have a connection to a worker.
    fn watchers(&self, room: &ConferenceKey) -> Vec<PeerId> {
        let Some(key) = room_key(room) else { return Vec::new() };
        let found = self.rooms.get(&key).filter(|known| conference_key(&key, known).as_ref() == Some(room));
        let members = found.into_iter().flat_map(|room| &room.members).map(|member| member.peer);
        let watches = |peer: &PeerId| {
            let media = self.sessions.get(peer).and_then(|session| session.media.as_ref());
            media.is_some_and(|media| media.connection.is_some())
        };
        members.filter(watches).collect()
    }

    fn tell_publications(&mut self, room: &ConferenceKey, all: &[Publication]) {
        for peer in self.watchers(room) {
            let others = all.iter().filter(|one| one.member != Some(Member(peer.0)));
            let publications = others.map(publication).collect();
            let text = Message::MediaPublications { publications }.to_bytes();
            let Some(media) = self.sessions.get_mut(&peer).and_then(|session| session.media.as_mut()) else {
                continue;
            };
            if media.publications.as_ref() != Some(&text) {
                media.publications = Some(text.clone());
                self.send_counted(peer, &text);
            }
        }
    }

    fn forget_leg(&mut self, peer: PeerId, connection: &str) {
        let media = self.sessions.get_mut(&peer).and_then(|session| session.media.as_mut());
        if let Some(media) = media.filter(|media| media.connection.as_deref() == Some(connection)) {
            *media = Media::default();
        }
    }

    /// What says how something is now, and is of no use later: it is not counted.
    fn send_if_connected(&mut self, peer: PeerId, message: &Message<'_>) {
        if let Some(connection) = self.sessions.get(&peer).and_then(Session::connection) {
            self.send_now(connection, message.to_bytes());
        }
    }

    fn refuse_media(&mut self, connection: ConnectionId, id: Option<u64>, problem: Problem, message: &str) {
        let (code, retry) = match problem {
            Problem::Offer | Problem::Slot => (ErrorCode::MediaRefused, None),
            Problem::Codec => (ErrorCode::UnsupportedCodec, None),
            Problem::Publication => (ErrorCode::NoSuchPublication, None),
            Problem::Busy => (ErrorCode::ServerFull, Some(3_000)),
        };
        self.counters.count_error(code);
        self.send_now(connection, Message::Error { code, message, id, retry }.to_bytes());
    }
}

/// What signaling calls a room of the workers.
fn room_key(room: &ConferenceKey) -> Option<RoomKey> {
    let (ConferenceKey::Call(name) | ConferenceKey::Live(name)) = room;
    crate::signaling::names::RoomName::parse(name, LONGEST_NAME).map(RoomKey::Named)
}

/// What the media workers call a room.
fn conference_key(key: &RoomKey, room: &Room) -> Option<ConferenceKey> {
    let RoomKey::Named(name) = key else { return None };
    match room.kind {
        Kind::Call => Some(ConferenceKey::Call(name.as_str().into())),
        Kind::Live => Some(ConferenceKey::Live(name.as_str().into())),
        Kind::Send | Kind::Lobby => None,
    }
}

fn wish(slot: &MediaSlot<'_>) -> Option<SlotWish> {
    let is_short = |name: &str| name.len() <= LONGEST_NAME;
    let publication = slot.publication.as_deref();
    if !is_short(&slot.mid) || !publication.is_none_or(is_short) {
        return None;
    }
    // A picture of no size at all is shown at some; whoever wants none pauses it.
    let pixels = |length: f64| length.clamp(1.0, f64::from(u16::MAX)) as u16;
    Some(SlotWish {
        mid: (&*slot.mid).into(),
        publication: publication.map(Into::into),
        size: slot.width.zip(slot.height).map(|(width, height)| (pixels(width), pixels(height))),
        paused: slot.paused,
        priority: slot.priority,
    })
}

fn publication(one: &Publication) -> MediaPublication<'_> {
    let source = match one.source {
        Source::Microphone => MediaSource::Mic,
        Source::Camera => MediaSource::Camera,
        Source::Screen => MediaSource::Screen,
        Source::Sound => MediaSource::Sound,
    };
    MediaPublication {
        id: &one.id,
        peer: one.member.map(|member| PeerId(member.0)),
        source,
        kind: if one.is_audio { "audio" } else { "video" },
        codec: &one.codec,
    }
}

fn layer(slot: &SlotLayer) -> MediaLayer<'_> {
    let why = match slot.why {
        Reason::Wish => Why::Wish,
        Reason::Bandwidth => Why::Bandwidth,
        Reason::Source => Why::Source,
    };
    MediaLayer {
        mid: &slot.mid,
        publication: slot.publication.as_deref(),
        encoding: slot.layer.map(|layer| layer.encoding),
        spatial: slot.layer.map(|layer| layer.spatial),
        temporal: slot.layer.map(|layer| layer.temporal),
        bitrate: slot.bitrate,
        why,
    }
}

impl From<MediaSource> for Source {
    fn from(source: MediaSource) -> Self {
        match source {
            MediaSource::Mic => Self::Microphone,
            MediaSource::Camera => Self::Camera,
            MediaSource::Screen => Self::Screen,
            MediaSource::Sound => Self::Sound,
        }
    }
}
