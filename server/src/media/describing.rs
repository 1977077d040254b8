//! What goes on in a worker's rooms, for whoever runs the server.

use std::time::Instant;

use peer::PeerConnectionState;
use serde::Serialize;

use super::legs::{Leg, LegId, Owner};
use super::rooms::{Published, Room};
use super::worker::Worker;
use crate::conference::{Member, RoomKey, Source};

/// Rooms of a worker that are described, and connections of a room: more nobody reads.
const ROOMS: usize = 100;
const CONNECTIONS: usize = 200;

/// A room, now.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RoomState {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) people: Vec<LegState>,
    pub(crate) tracks: Vec<TrackState>,
}

/// A connection.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LegState {
    /// Whose; none: a program's.
    #[serde(rename = "peer")]
    pub(crate) member: Option<Member>,
    state: &'static str,
    /// Seconds.
    round_trip: Option<f64>,
    /// How much may be sent to them, in bits per second.
    estimate: Option<u64>,
    /// Of what is sent to them, 0 to 1.
    loss: Option<f64>,
    /// How long packets to them wait on the way, in seconds.
    queue: Option<f64>,
    /// Bytes so far.
    sent: u64,
    received: u64,
}

/// What somebody sends.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TrackState {
    id: Box<str>,
    #[serde(rename = "peer")]
    pub(crate) member: Option<Member>,
    source: &'static str,
    codec: Box<str>,
    /// The lowest first.
    encodings: Vec<EncodingState>,
    pub(crate) watchers: usize,
}

#[derive(Clone, Debug, Serialize)]
struct EncodingState {
    /// Bits per second.
    bitrate: u64,
    watched: bool,
}

impl TrackState {
    /// What comes of all its encodings, in bits per second.
    pub(crate) fn bitrate(&self) -> u64 {
        self.encodings.iter().map(|encoding| encoding.bitrate).sum()
    }
}

impl RoomState {
    /// Whether another worker's part is of the same room.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.kind, &self.name) == (other.kind, &other.name)
    }

    /// With another worker's part.
    pub(super) fn add(&mut self, other: Self) {
        let left = CONNECTIONS.saturating_sub(self.people.len());
        self.people.extend(other.people.into_iter().take(left));
        for track in other.tracks {
            match self.tracks.iter_mut().find(|known| known.id == track.id) {
                Some(known) => {
                    known.watchers += track.watchers;
                    known.member = known.member.or(track.member);
                }
                None => self.tracks.push(track),
            }
        }
    }
}

impl Worker {
    pub(super) fn describe(&self, now: Instant) -> Vec<RoomState> {
        let mut all: Vec<(&RoomKey, &Room)> = self.rooms.iter().collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all.truncate(ROOMS);
        all.into_iter().map(|(key, room)| self.describe_room(now, key, room)).collect()
    }

    fn describe_room(&self, now: Instant, key: &RoomKey, room: &Room) -> RoomState {
        let (kind, name) = match key {
            RoomKey::Call(name) => ("call", name),
            RoomKey::Live(name) => ("live", name),
        };
        let numbers = room.people.iter().flat_map(|person| &person.legs);
        let legs = numbers.filter_map(|number| self.legs.get(*number)).take(CONNECTIONS);
        RoomState {
            name: name.to_string(),
            kind,
            people: legs.map(describe_leg).collect(),
            tracks: room.published.iter().map(|one| self.describe_track(now, room, one)).collect(),
        }
    }

    fn describe_track(&self, now: Instant, room: &Room, published: &Published) -> TrackState {
        let is_watched = |at: usize| published.wanted.checked_shr(at as u32).unwrap_or(0) & 1 == 1;
        let rates = room.sfu.rates(now, published.publication);
        let encodings = rates.enumerate();
        TrackState {
            id: published.name.clone(),
            member: self.member_of(published.leg),
            source: match published.source {
                Source::Microphone => "mic",
                Source::Camera => "camera",
                Source::Screen => "screen",
                Source::Sound => "sound",
            },
            codec: published.codec.name.clone(),
            encodings: encodings
                .map(|(at, bitrate)| EncodingState { bitrate, watched: is_watched(at) })
                .collect(),
            watchers: room.sfu.watchers(published.publication),
        }
    }

    fn member_of(&self, leg: LegId) -> Option<Member> {
        self.legs.get(leg).and_then(Leg::member).map(|joined| joined.name.member)
    }
}

fn describe_leg(leg: &Leg) -> LegState {
    let path = leg.peer.path_estimate().filter(|_| !leg.slots.is_empty());
    let (sent, received) = leg.peer.traffic();
    LegState {
        member: match &leg.owner {
            Owner::Member(joined) => Some(joined.name.member),
            Owner::Program { .. } => None,
        },
        state: match leg.peer.connection_state() {
            PeerConnectionState::New | PeerConnectionState::Connecting => "connecting",
            PeerConnectionState::Connected => "connected",
            PeerConnectionState::Disconnected => "interrupted",
            PeerConnectionState::Failed | PeerConnectionState::Closed => "ended",
        },
        round_trip: path.and_then(|path| path.round_trip).map(|time| time.as_secs_f64()),
        estimate: path.map(|path| path.target.as_bps()),
        loss: path.map(|path| path.lost),
        queue: path.map(|path| path.queue.as_secs_f64()),
        sent: sent.bytes,
        received: received.bytes,
    }
}
