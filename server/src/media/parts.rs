//! A room over several workers: its home, where what is sent into it comes in, and parts, where more people watch.
//!
//! The home gives each part what comes of the tracks as it comes, encodings that the part does not watch apart; the part chooses
//! layers for each of its viewers as the home does. The other way go the encodings that a part watches, and requests for key
//! frames; the home asks a sender for what all want, once.
//!
//! Sound is little, and goes to parts whole. Of voices, each of them chooses the loudest by the same packets and the same rule;
//! where one of them has missed some, those who watch there hear somebody else for a moment. Had the home chosen for all, it
//! would have to say which gaps are pauses.
//!
//! Workers share nothing: they send each other [`Tidings`] over bounded channels. What has a state is told whole, and again
//! where there was no place for it; packets that find no place are lost, and counted. All of it is plain data, and rooms and
//! tracks are described ([`RoomDescription`]) without a word of this process: another node could be told the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use peer::{Codec, MediaKind, MediaPacket, SenderClock, TransceiverId};
use rtp::NtpTime;
use rtp::extension::{ExtensionMap, Kind};
use serde::{Deserialize, Serialize};
use sfu::{ParticipantId, PublicationId};
use tokio::sync::mpsc;

use super::connection::Refusal;
use super::dating;
use super::legs::LegId;
use super::rooms::{Published, Room, forwarded, source_of};
use super::worker::Worker;
use crate::conference::{Member, RoomKey, Source};

/// Messages that wait for a worker.
pub(super) const TIDINGS: usize = 256;

/// Packets in one of them.
const PACKETS: usize = 1024;

/// Messages that a worker takes in one turn.
const TURN: usize = 64;

/// Where a worker has no place, it is tried again so soon.
const AGAIN: Duration = Duration::from_millis(10);

/// What workers tell each other.
pub(super) enum Tidings {
    /// To a home: a worker has a part of its room.
    Part(PartDescription),
    /// And no more.
    NoPart { room: RoomKey, from: usize },
    /// To a part: what is sent into the room.
    Room(Arc<RoomDescription>),
    /// What has come of it.
    Packets { room: RoomKey, packets: Vec<(u64, MediaPacket)> },
    /// What its senders have said of their clocks.
    Clocks { room: RoomKey, clocks: Vec<TrackClock> },
    /// To all: this worker has begun anew, and knows nothing of before.
    Anew { from: usize },
}

/// A part of a room, as its home needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartDescription {
    room: RoomKey,
    /// The worker's number.
    from: usize,
    /// The encodings of tracks that are watched there: a bit for each.
    watched: Vec<(u64, u8)>,
    /// Encodings that a key frame is needed of.
    key_frames: Vec<(u64, usize)>,
    /// Somebody there has not been told what is published.
    has_newcomers: bool,
}

/// A room, as whoever has a part of it needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RoomDescription {
    pub(super) room: RoomKey,
    /// Whoever signaling does not know must show that they may come in.
    pub(super) is_locked: bool,
    /// The oldest first.
    pub(super) tracks: Vec<Track>,
}

/// What is sent into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Track {
    /// By which its packets are known. It is not used again.
    pub(super) number: u64,
    /// By which signaling knows it.
    pub(super) name: Box<str>,
    /// Whose; none: a program's.
    pub(super) member: Option<Member>,
    pub(super) source: Source,
    pub(super) is_audio: bool,
    pub(super) codec: TrackCodec,
    /// Numbers of header extensions, and what they are (RFC 8285 §5).
    pub(super) extensions: Vec<(u8, Box<str>)>,
    pub(super) encodings: usize,
}

/// As descriptions have it (RFC 8866 §6.6, §6.15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TrackCodec {
    pub(super) name: Box<str>,
    pub(super) clock_rate: u32,
    pub(super) channels: u8,
    pub(super) parameters: Box<str>,
}

/// What a sender has said of an encoding's timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrackClock {
    track: u64,
    encoding: usize,
    report: SenderClock,
    /// A moment of the sender's clock, and which one it was here.
    epoch: (NtpTime, Instant),
}

/// The way to a worker.
#[derive(Clone)]
pub(super) struct Neighbour {
    pub(super) post: mpsc::Sender<Tidings>,
    pub(super) waker: Arc<mio::Waker>,
}

impl Neighbour {
    /// False: there is no place for it now. A worker that has stopped needs to hear nothing.
    fn tell(&self, tidings: Tidings) -> bool {
        let told = !matches!(self.post.try_send(tidings), Err(mpsc::error::TrySendError::Full(_)));
        // One that is gone has nothing to be woken for.
        let _ = self.waker.wake();
        told
    }
}

/// What a worker has to tell others apart from its rooms, and what it has told.
#[derive(Default)]
pub(super) struct Post {
    /// Those who do not know yet that this worker has begun anew.
    anew: Vec<usize>,
    /// Rooms that are at home here and have parts elsewhere, and those that have a part here.
    homes: BTreeSet<RoomKey>,
    pub(super) parts: BTreeSet<RoomKey>,
    /// Homes that do not know yet that there is no part here any more.
    pub(super) farewells: Vec<(usize, RoomKey)>,
    /// When to try again what found no place.
    pub(super) again: Option<Instant>,
    pub(super) passed_on: u64,
    pub(super) lost: u64,
}

impl Post {
    pub(super) fn begin_anew(&mut self, workers: usize, own: usize) {
        self.anew = (0..workers).filter(|index| *index != own).collect();
        self.farewells.clear();
        self.homes.clear();
        self.parts.clear();
    }
}

/// A worker that has a part of a room whose home is here.
pub(super) struct Part {
    worker: usize,
    /// Of tracks that it has not said anything about it gets everything.
    watched: Vec<(u64, u8)>,
    /// What it does not know yet of the room.
    is_behind: bool,
    packets: Vec<(u64, MediaPacket)>,
    /// Beyond what one message holds.
    lost: u64,
}

impl Part {
    fn watched(&self, track: u64) -> u8 {
        self.watched.iter().find(|(known, _)| *known == track).map_or(u8::MAX, |(_, bits)| *bits)
    }
}

/// The home of a room that this worker has a part of.
pub(super) struct Away {
    pub(super) home: usize,
    /// It does not know yet what is watched here.
    pub(super) is_behind: bool,
    pub(super) has_newcomers: bool,
    key_frames: BTreeSet<(PublicationId, usize)>,
    /// Who owns tracks, by the home's word; the forwarder has somebody for each.
    owners: Vec<(Option<Member>, ParticipantId)>,
    clocks: Vec<TrackClock>,
}

impl Away {
    pub(super) fn new(home: usize) -> Self {
        Self {
            home,
            is_behind: true,
            has_newcomers: false,
            key_frames: BTreeSet::new(),
            owners: Vec::new(),
            clocks: Vec::new(),
        }
    }

    pub(super) fn want_key_frame(&mut self, publication: PublicationId, encoding: usize) {
        self.key_frames.insert((publication, encoding));
        self.is_behind = true;
    }

    pub(super) fn clock(&self, track: u64, encoding: usize) -> Option<(SenderClock, (NtpTime, Instant))> {
        let mut clocks = self.clocks.iter();
        let clock = clocks.find(|clock| (clock.track, clock.encoding) == (track, encoding))?;
        Some((clock.report, clock.epoch))
    }
}

impl Room {
    /// What parts know of the room is not all any more.
    pub(super) fn parts_are_behind(&mut self) {
        self.parts.iter_mut().for_each(|part| part.is_behind = true);
    }

    /// Keeps a packet for those parts that watch it; whether there are any.
    pub(super) fn pass_on(&mut self, publication: PublicationId, packet: &MediaPacket) -> bool {
        let Ok(at) = self.published.binary_search_by_key(&publication, |one| one.publication) else {
            return false;
        };
        let Some(&Published { number, kind, .. }) = self.published.get(at) else { return false };
        let mut any = false;
        for part in &mut self.parts {
            let is_watched = part.watched(number).checked_shr(packet.encoding as u32).unwrap_or(0) & 1 == 1;
            // Sound is little.
            if !is_watched && kind == MediaKind::Video {
                continue;
            }
            if part.packets.len() < PACKETS {
                part.packets.push((number, packet.clone()));
            } else {
                part.lost += 1;
            }
            any = true;
        }
        any
    }

    fn description(&self, room: &RoomKey) -> RoomDescription {
        let track = |published: &Published| {
            let mut people = self.people.iter();
            let owner = people.find(|person| person.participant == published.participant);
            Track::of(published, owner.and_then(|person| person.member))
        };
        let tracks = self.published.iter().map(track).collect();
        RoomDescription { room: room.clone(), is_locked: self.is_locked, tracks }
    }

    /// Counts what parts watch as watched.
    fn note_watched(&mut self, now: Instant) {
        for published in &self.published {
            let bits = self.parts.iter().fold(0, |bits, part| bits | part.watched(published.number));
            self.sfu.set_watched_elsewhere(now, published.publication, bits);
        }
    }

    /// Publishes a track of the home's.
    fn mirror(&mut self, now: Instant, track: &Track) -> Option<()> {
        let codec = Codec::from(&track.codec);
        let kind = if track.is_audio { MediaKind::Audio } else { MediaKind::Video };
        let offer = sfu::Offer {
            kind,
            source: source_of(track.source),
            codec: forwarded(&codec)?,
            extensions: track.extension_map(),
            encodings: track.encodings,
        };
        let owners = &mut self.away.as_mut()?.owners;
        let known = owners.iter().find(|(member, _)| *member == track.member).map(|(_, id)| *id);
        let participant = match known {
            Some(participant) => participant,
            None => {
                let participant = self.sfu.join(now).ok()?;
                owners.push((track.member, participant));
                participant
            }
        };
        let (extensions, encodings) = (offer.extensions, offer.encodings);
        let publication = self.sfu.publish(now, participant, offer).ok()?;
        self.published.push(Published {
            publication,
            number: track.number,
            name: track.name.clone(),
            source: track.source,
            kind,
            codec,
            participant,
            leg: LegId::NONE,
            transceiver: TransceiverId::default(),
            extensions,
            encodings,
            wanted: u8::MAX,
        });
        Some(())
    }
}

impl Track {
    fn of(published: &Published, member: Option<Member>) -> Self {
        let Codec { name, clock_rate, channels, parameters } = published.codec.clone();
        let extensions = published.extensions.iter().map(|(id, kind)| (id, kind.uri().into()));
        Self {
            number: published.number,
            name: published.name.clone(),
            member,
            source: published.source,
            is_audio: published.kind == MediaKind::Audio,
            codec: TrackCodec { name, clock_rate, channels, parameters },
            extensions: extensions.collect(),
            encodings: published.encodings,
        }
    }

    fn extension_map(&self) -> ExtensionMap {
        let mut map = ExtensionMap::default();
        for (id, uri) in &self.extensions {
            if let Some(kind) = Kind::from_uri(uri) {
                // They come of a map, where each has its own number.
                let _ = map.insert(*id, kind);
            }
        }
        map
    }
}

impl From<&TrackCodec> for Codec {
    fn from(codec: &TrackCodec) -> Self {
        let TrackCodec { name, clock_rate, channels, parameters } = codec.clone();
        Self { name, clock_rate, channels, parameters }
    }
}

impl Worker {
    /// What a program that watches is to be answered with by another worker.
    pub(super) fn consult(&self, key: &RoomKey, is_trusted: bool) -> Result<Arc<RoomDescription>, Refusal> {
        let room = self.rooms.get(key).filter(|room| !room.published.is_empty());
        match room {
            Some(room) if room.is_locked && !is_trusted => Err(Refusal::Locked),
            Some(room) => Ok(Arc::new(room.description(key))),
            None => Err(Refusal::Nobody),
        }
    }

    /// Hears what other workers have to say.
    pub(super) fn take_tidings(&mut self, now: Instant) {
        for _ in 0..TURN {
            let Ok(tidings) = self.tidings.try_recv() else { return };
            match tidings {
                Tidings::Part(part) => self.take_part(now, part),
                Tidings::NoPart { room, from } => self.drop_part(now, &room, from),
                Tidings::Room(described) => self.learn_room(now, &described),
                Tidings::Packets { room, packets } => self.take_packets(now, &room, packets),
                Tidings::Clocks { room, clocks } => {
                    if let Some(away) = self.rooms.get_mut(&room).and_then(|room| room.away.as_mut()) {
                        away.clocks = clocks;
                    }
                }
                Tidings::Anew { from } => self.forget_worker(now, from),
            }
        }
        // There may be more: come back at once.
        let _ = self.waker.wake();
    }

    fn take_part(&mut self, now: Instant, described: PartDescription) {
        let PartDescription { room: key, from, watched, key_frames, has_newcomers } = described;
        self.post.homes.insert(key.clone());
        let room = self.room(now, &key);
        match room.parts.iter_mut().find(|part| part.worker == from) {
            Some(part) => part.watched = watched,
            None => {
                let packets = Vec::new();
                room.parts.push(Part { worker: from, watched, is_behind: true, packets, lost: 0 });
            }
        }
        room.note_watched(now);
        for (track, encoding) in key_frames {
            let known = room.published.iter().find(|one| one.number == track);
            if let Some(publication) = known.map(|one| one.publication) {
                room.sfu.request_key_frame_elsewhere(now, publication, encoding);
            }
        }
        if has_newcomers {
            let (told, speaker) = (room.told, room.speaker);
            self.herald.publications_of(now, &key, told);
            if speaker.is_some() {
                self.herald.speakers.insert(key, speaker);
            }
        }
    }

    fn drop_part(&mut self, now: Instant, key: &RoomKey, from: usize) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        room.parts.retain(|part| part.worker != from);
        room.note_watched(now);
        if room.parts.is_empty() {
            self.post.homes.remove(key);
        }
        self.drop_empty(now, key);
    }

    /// A worker has begun anew: it has no part in anything any more, and what it sent into rooms comes no more.
    fn forget_worker(&mut self, now: Instant, from: usize) {
        let keys: Vec<RoomKey> = self.rooms.keys().cloned().collect();
        for key in keys {
            match self.rooms.get(&key).and_then(|room| room.away.as_ref()).map(|away| away.home) {
                Some(home) if home == from => {
                    let nothing = RoomDescription { room: key.clone(), is_locked: false, tracks: Vec::new() };
                    self.learn_room(now, &nothing);
                    if let Some(away) = self.rooms.get_mut(&key).and_then(|room| room.away.as_mut()) {
                        away.is_behind = true;
                    }
                }
                Some(_) => {}
                None => self.drop_part(now, &key, from),
            }
        }
    }

    /// What is sent into a room whose home is elsewhere.
    pub(super) fn learn_room(&mut self, now: Instant, described: &RoomDescription) {
        let key = &described.room;
        let Some(room) = self.rooms.get_mut(key).filter(|room| room.away.is_some()) else { return };
        room.is_locked = described.is_locked;
        let is_there = |number: u64| described.tracks.iter().any(|track| track.number == number);
        let ended: Vec<PublicationId> =
            room.published.iter().filter(|one| !is_there(one.number)).map(|one| one.publication).collect();
        let mut has_changed = !ended.is_empty();
        let mut affected = Vec::new();
        for publication in ended {
            affected.extend(room.unpublish(now, publication, &mut self.legs));
        }
        for track in &described.tracks {
            if room.published.iter().all(|one| one.number != track.number) {
                has_changed |= room.mirror(now, track).is_some();
            }
        }
        if !has_changed {
            return;
        }
        if let Some(away) = &mut room.away {
            away.is_behind = true;
        }
        let legs: Vec<LegId> = room.people.iter().flat_map(|person| &person.legs).copied().collect();
        self.announce_layers(now, &affected);
        self.serve_viewers(now, key);
        // Who has wished for what was not known here yet.
        for number in legs {
            self.grant_wishes(now, number);
            self.feed.touch(number);
        }
    }

    fn take_packets(&mut self, now: Instant, key: &RoomKey, packets: Vec<(u64, MediaPacket)>) {
        for (track, packet) in packets {
            let Some(room) = self.rooms.get_mut(key).filter(|room| room.away.is_some()) else { return };
            let known = room.published.iter().find(|one| one.number == track);
            let Some(publication) = known.map(|one| one.publication) else { continue };
            self.feed.take_packet(now, publication, packet, room);
            if self.feed.is_full() {
                self.settle(now);
            }
        }
    }

    /// Gives parts what has come for them since.
    pub(super) fn pass_on(&mut self) {
        if !std::mem::take(&mut self.feed.has_passed_on) {
            return;
        }
        for key in &self.post.homes {
            let Some(room) = self.rooms.get_quietly(key) else { continue };
            for part in room.parts.iter_mut().filter(|part| !part.packets.is_empty()) {
                let count = part.packets.len() as u64;
                let packets = std::mem::take(&mut part.packets);
                self.post.lost += std::mem::take(&mut part.lost);
                let Some(neighbour) = self.neighbours.get(part.worker) else { continue };
                match neighbour.tell(Tidings::Packets { room: key.clone(), packets }) {
                    true => self.post.passed_on += count,
                    false => self.post.lost += count,
                }
            }
        }
    }

    /// Gives parts what senders have said of their clocks.
    pub(super) fn pass_clocks_on(&mut self) {
        for key in &self.post.homes {
            let Some(room) = self.rooms.get(key) else { continue };
            let mut clocks = Vec::new();
            for published in &room.published {
                for encoding in 0..published.encodings {
                    let told = dating::clock(&mut self.legs, published, encoding);
                    let track = published.number;
                    clocks.extend(told.map(|(report, epoch)| TrackClock { track, encoding, report, epoch }));
                }
            }
            for part in &room.parts {
                if let Some(neighbour) = self.neighbours.get(part.worker) {
                    // What is lost is told anew before long.
                    neighbour.tell(Tidings::Clocks { room: key.clone(), clocks: clocks.clone() });
                }
            }
        }
    }

    /// Tells other workers what there is to tell, as far as there is place for it.
    pub(super) fn correspond(&mut self, now: Instant) {
        if self.neighbours.len() < 2 {
            return;
        }
        let (neighbours, own) = (&self.neighbours, self.index);
        let tell = |worker: usize, tidings| neighbours.get(worker).is_none_or(|one| one.tell(tidings));
        self.post.anew.retain(|worker| !tell(*worker, Tidings::Anew { from: own }));
        if !self.post.anew.is_empty() {
            // What is told before that would be forgotten.
            self.post.again = Some(now + AGAIN);
            return;
        }
        // Where there is a part again, its home need not know that there was none.
        self.post.farewells.retain(|(home, room)| {
            self.rooms.get(room).is_none() && !tell(*home, Tidings::NoPart { room: room.clone(), from: own })
        });
        let mut is_behind = !self.post.farewells.is_empty();
        // Nobody hears what is published before the answer that makes a watcher of them.
        let has_said_all = !self.herald.has_more();
        for key in self.post.homes.union(&self.post.parts) {
            let Some(room) = self.rooms.get_quietly(key) else { continue };
            let has_stragglers = room.parts.iter().any(|part| part.is_behind);
            let described = has_stragglers.then(|| Arc::new(room.description(key)));
            for part in room.parts.iter_mut().filter(|part| part.is_behind) {
                let Some(described) = &described else { continue };
                part.is_behind = !tell(part.worker, Tidings::Room(Arc::clone(described)));
                is_behind |= part.is_behind;
            }
            let Some(away) = room.away.as_mut().filter(|away| away.is_behind) else { continue };
            let number = |id: &PublicationId| {
                room.published.iter().find(|one| one.publication == *id).map(|one| one.number)
            };
            let key_frames = away.key_frames.iter();
            let tidings = Tidings::Part(PartDescription {
                room: key.clone(),
                from: own,
                watched: room.published.iter().map(|one| (one.number, one.wanted)).collect(),
                key_frames: key_frames.filter_map(|(id, encoding)| Some((number(id)?, *encoding))).collect(),
                has_newcomers: away.has_newcomers && has_said_all,
            });
            if tell(away.home, tidings) {
                away.has_newcomers &= !has_said_all;
                away.is_behind = away.has_newcomers;
                away.key_frames.clear();
            }
            is_behind |= away.is_behind;
        }
        self.post.again = is_behind.then(|| now + AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_the_same_after_a_wire() {
        let described = RoomDescription {
            room: RoomKey::Live("show".into()),
            is_locked: true,
            tracks: vec![Track {
                number: 7,
                name: "7".into(),
                member: Some(Member(3)),
                source: Source::Camera,
                is_audio: false,
                codec: TrackCodec {
                    name: "VP8".into(),
                    clock_rate: 90_000,
                    channels: 1,
                    parameters: "".into(),
                },
                extensions: vec![(4, Kind::TransportSequenceNumber.uri().into())],
                encodings: 3,
            }],
        };
        let text = serde_json::to_string(&described).unwrap();
        assert_eq!(serde_json::from_str::<RoomDescription>(&text).unwrap(), described);
        let map = described.tracks[0].extension_map();
        assert_eq!(map.iter().collect::<Vec<_>>(), [(4, Kind::TransportSequenceNumber)]);
    }
}
