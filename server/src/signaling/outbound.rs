//! What the server sends. Serialised once, however many receive it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    error::ErrorCode,
    inbound::{Kind, MediaSource, Policy, Role},
    limits::Limits,
    names::{DisplayName, PeerId, RoomName},
};

/// One message to a client, as `docs/signaling.md` tables them.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Message<'a> {
    Welcome {
        version: u32,
        server: &'a str,
        limits: &'a Limits,
    },
    Joined {
        peer: PeerId,
        room: &'a RoomName,
        kind: Kind,
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        peers: Vec<Peer<'a>>,
        capacity: usize,
        token: &'a str,
        grace: u64,
        resumed: bool,
        received: u64,
        ice_servers: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        audience: Option<usize>,
        locked: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        topology: Option<Topology>,
    },
    Waiting {
        people: usize,
    },
    PeerJoined {
        peer: Peer<'a>,
    },
    PeerLeft {
        peer: PeerId,
        reason: LeaveReason,
    },
    Signal {
        from: PeerId,
        data: &'a RawValue,
    },
    Chat {
        from: PeerId,
        name: &'a DisplayName,
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<PeerId>,
        time: u64,
    },
    Presence {
        from: PeerId,
        state: &'a RawValue,
    },
    Audience {
        viewers: usize,
    },
    Invitation {
        invitation: &'a str,
        expires: u64,
    },
    Topology(Topology),
    MediaAnswer {
        connection: &'a str,
        sdp: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
    },
    MediaPublications {
        publications: Vec<MediaPublication<'a>>,
    },
    MediaWanted {
        connection: &'a str,
        encodings: BTreeMap<&'a str, &'a [bool]>,
    },
    MediaLayers {
        connection: &'a str,
        slots: Vec<MediaLayer<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        estimate: Option<u64>,
    },
    MediaSpeaker {
        peer: Option<PeerId>,
    },
    MediaClosed {
        connection: &'a str,
        reason: CloseReason,
    },
    Left,
    Pong {
        received: u64,
    },
    GoingAway {
        reason: &'static str,
        retry: u64,
    },
    Error {
        code: ErrorCode,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry: Option<u64>,
    },
}

/// How media travels in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Topology {
    pub(crate) mode: Mode,
    pub(crate) policy: Policy,
}

/// From each to each, or through the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    #[default]
    P2p,
    Sfu,
}

/// What may be watched.
#[derive(Debug, Serialize)]
pub(crate) struct MediaPublication<'a> {
    pub(crate) id: &'a str,
    pub(crate) peer: Option<PeerId>,
    pub(crate) source: MediaSource,
    pub(crate) kind: &'static str,
    pub(crate) codec: &'a str,
}

/// What a slot gets.
#[derive(Debug, Serialize)]
pub(crate) struct MediaLayer<'a> {
    pub(crate) mid: &'a str,
    pub(crate) publication: Option<&'a str>,
    pub(crate) encoding: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spatial: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temporal: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bitrate: Option<u64>,
    pub(crate) why: Why,
}

/// What keeps a slot from more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    Wish,
    Bandwidth,
    Source,
}

/// Why a connection is over on the server's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CloseReason {
    Failed,
    Replaced,
    Restart,
    Topology,
}

/// A peer as the others in the room see it.
#[derive(Debug, Serialize)]
pub(crate) struct Peer<'a> {
    pub(crate) id: PeerId,
    pub(crate) name: &'a DisplayName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) presence: Option<&'a RawValue>,
}

/// Why a peer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LeaveReason {
    Left,
    Lost,
    Next,
    Dropped,
}

impl Message<'_> {
    /// The text on the wire, shared by all its receivers.
    pub(crate) fn to_bytes(&self) -> Bytes {
        // Writing plain structs with string keys into memory cannot fail; an empty text would be
        // refused by every client, where a panic would take every room with it.
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }
}
