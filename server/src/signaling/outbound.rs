//! What the server sends. Serialised once, however many receive it.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    error::ErrorCode,
    inbound::{Kind, Role},
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
