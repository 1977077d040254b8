//! What a request can be refused with.

use std::time::Duration;

use serde::Serialize;

/// The code in an `error` message. A client acts on it; the words beside it are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorCode {
    /// Not JSON, not an object, a missing or mistyped field.
    BadMessage,
    /// No such message type.
    UnknownType,
    /// A field is over its limit.
    TooLarge,
    /// Too many messages; this one was dropped.
    RateLimited,
    /// The room's name is not of the allowed form.
    BadRoom,
    /// The display name is not of the allowed form.
    BadName,
    /// The room exists with another kind.
    WrongKind,
    /// Someone streams already.
    RoleTaken,
    /// The room has its capacity of peers.
    RoomFull,
    /// The server has its limit of rooms or connections.
    ServerFull,
    /// The room has a password, and this is not it.
    WrongPassword,
    /// The invitation's signature, room or expiry does not hold.
    BadInvitation,
    /// The operator admits only with invitations.
    InvitationRequired,
    /// `join` on a connection that has joined.
    AlreadyJoined,
    /// A request that needs a room, without one.
    NotJoined,
    /// `to` names nobody whom the sender sees in this room.
    NoSuchPeer,
    /// The request is understood and not allowed here.
    NotPermitted,
    /// The server is about to stop.
    Draining,
    /// The server forwards no media.
    NoMedia,
    /// An offer, or a wish about its sections, cannot be used.
    MediaRefused,
    /// One of the two has not the other's codec.
    UnsupportedCodec,
    /// Nothing is published under this id.
    NoSuchPublication,
}

impl ErrorCode {
    /// Every code, for counters and for the check that the document lists them all.
    pub(crate) const ALL: [Self; 22] = [
        Self::BadMessage,
        Self::UnknownType,
        Self::TooLarge,
        Self::RateLimited,
        Self::BadRoom,
        Self::BadName,
        Self::WrongKind,
        Self::RoleTaken,
        Self::RoomFull,
        Self::ServerFull,
        Self::WrongPassword,
        Self::BadInvitation,
        Self::InvitationRequired,
        Self::AlreadyJoined,
        Self::NotJoined,
        Self::NoSuchPeer,
        Self::NotPermitted,
        Self::Draining,
        Self::NoMedia,
        Self::MediaRefused,
        Self::UnsupportedCodec,
        Self::NoSuchPublication,
    ];

    /// The code as it is on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::BadMessage => "bad_message",
            Self::UnknownType => "unknown_type",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::BadRoom => "bad_room",
            Self::BadName => "bad_name",
            Self::WrongKind => "wrong_kind",
            Self::RoleTaken => "role_taken",
            Self::RoomFull => "room_full",
            Self::ServerFull => "server_full",
            Self::WrongPassword => "wrong_password",
            Self::BadInvitation => "bad_invitation",
            Self::InvitationRequired => "invitation_required",
            Self::AlreadyJoined => "already_joined",
            Self::NotJoined => "not_joined",
            Self::NoSuchPeer => "no_such_peer",
            Self::NotPermitted => "not_permitted",
            Self::Draining => "draining",
            Self::NoMedia => "no_media",
            Self::MediaRefused => "media_refused",
            Self::UnsupportedCodec => "unsupported_codec",
            Self::NoSuchPublication => "no_such_publication",
        }
    }
}

/// Why a request was not carried out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    /// Plain words, with the next step where there is one.
    pub(crate) message: &'static str,
    /// Waiting this long helps.
    pub(crate) retry: Option<Duration>,
}

impl Refusal {
    pub(crate) const fn new(code: ErrorCode, message: &'static str) -> Self {
        Self { code, message, retry: None }
    }

    pub(crate) const fn retry_after(code: ErrorCode, message: &'static str, retry: Duration) -> Self {
        Self { code, message, retry: Some(retry) }
    }

    pub(crate) const fn bad(message: &'static str) -> Self {
        Self::new(ErrorCode::BadMessage, message)
    }
}
