//! What a client sends: parsed once, the payload of `signal` and `presence` left unparsed.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::{ErrorCode, Refusal};

/// A message with what every message has.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// Repeated in the error that answers it.
    pub(crate) id: Option<u64>,
    /// Whether the client's count of sent messages includes it: all but `join` and `ping`.
    pub(crate) counted: bool,
    pub(crate) body: Result<Body<'a>, Refusal>,
}

/// One type of message each.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    Join(Box<Join<'a>>),
    Signal(Signal<'a>),
    Chat(Chat<'a>),
    Presence(Presence<'a>),
    Next,
    Invite(Invite),
    Leave,
    Ping(Ping),
    Topology(Topology),
    MediaOffer(MediaOffer<'a>),
    MediaWatch(MediaWatch<'a>),
    MediaClose(MediaClose<'a>),
}

#[derive(Debug, Deserialize)]
pub(crate) struct Join<'a> {
    #[serde(borrow)]
    pub(crate) room: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    pub(crate) kind: Option<Kind>,
    pub(crate) role: Option<Role>,
    #[serde(borrow)]
    pub(crate) password: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) invitation: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) presence: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) token: Option<Cow<'a, str>>,
    pub(crate) received: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Signal<'a> {
    #[serde(borrow)]
    pub(crate) to: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) data: &'a RawValue,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Chat<'a> {
    #[serde(borrow)]
    pub(crate) text: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) to: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Presence<'a> {
    #[serde(borrow)]
    pub(crate) state: &'a RawValue,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Invite {
    /// Seconds.
    pub(crate) expires_in: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Ping {
    pub(crate) received: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Topology {
    pub(crate) policy: Policy,
}

/// Who decides how media travels in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Policy {
    /// The server, by how many people there are.
    #[default]
    Auto,
    P2p,
    Sfu,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MediaOffer<'a> {
    #[serde(borrow)]
    pub(crate) connection: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) sdp: Cow<'a, str>,
    #[serde(default)]
    pub(crate) publish: BTreeMap<String, MediaSource>,
    #[serde(default)]
    pub(crate) seats: Vec<Vec<Box<str>>>,
}

/// What a section carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MediaSource {
    Mic,
    Camera,
    Screen,
    Sound,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MediaWatch<'a> {
    #[serde(borrow)]
    pub(crate) connection: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) slots: Vec<MediaSlot<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MediaSlot<'a> {
    #[serde(borrow)]
    pub(crate) mid: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) publication: Option<Cow<'a, str>>,
    /// Pixels.
    pub(crate) width: Option<f64>,
    pub(crate) height: Option<f64>,
    #[serde(default)]
    pub(crate) paused: bool,
    #[serde(default)]
    pub(crate) priority: u8,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MediaClose<'a> {
    #[serde(borrow)]
    pub(crate) connection: Cow<'a, str>,
}

/// How a room works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Call,
    Live,
    Send,
    Lobby,
}

/// What one does in a `live` room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    Streamer,
    Viewer,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Tail {
    id: Option<u64>,
}

/// The largest integer that every JavaScript number holds exactly.
const MOST_ID: u64 = (1 << 53) - 1;

/// Reads one message. Never fails as a whole: what is wrong with it is in the request's body.
pub(crate) fn parse(text: &str) -> Request<'_> {
    // `Head` and `Tail` apart: a mistyped `id` must not hide the type, by which messages are counted.
    let head = match serde_json::from_str::<Head<'_>>(text) {
        Ok(head) if text.trim_start().starts_with('{') => head,
        _ => {
            let why = Refusal::bad("A message is one JSON object with a string `type`.");
            return Request { id: None, counted: true, body: Err(why) };
        }
    };
    let counted = !matches!(&*head.kind, "join" | "ping");
    let id = match serde_json::from_str::<Tail>(text) {
        Ok(Tail { id }) if id.is_none_or(|id| id <= MOST_ID) => id,
        _ => {
            let why = Refusal::bad("`id` is an integer from 0 to 2^53-1.");
            return Request { id: None, counted, body: Err(why) };
        }
    };
    Request { id, counted, body: parse_body(&head.kind, text) }
}

fn parse_body<'a>(kind: &str, text: &'a str) -> Result<Body<'a>, Refusal> {
    Ok(match kind {
        "join" => Body::Join(Box::new(fields(
            text,
            "`join` needs `name`, and `room` unless it is for a lobby; see its table of fields.",
        )?)),
        "signal" => Body::Signal(fields(text, "`signal` needs `to`, a string, and `data`.")?),
        "chat" => Body::Chat(fields(text, "`chat` needs `text`, a string; `to` is a string.")?),
        "presence" => Body::Presence(fields(text, "`presence` needs `state`, an object.")?),
        "invite" => Body::Invite(fields(text, "`expires_in` is a number of seconds.")?),
        "ping" => Body::Ping(fields(text, "`received` is a count of messages.")?),
        "topology" => Body::Topology(fields(text, "`topology` needs `policy`: auto, p2p or sfu.")?),
        "media_offer" => Body::MediaOffer(fields(
            text,
            "`media_offer` needs `connection` and `sdp`, strings; `publish` says of sections what they are: mic, camera, screen or sound; `seats` is a list of lists of them.",
        )?),
        "media_watch" => Body::MediaWatch(fields(
            text,
            "`media_watch` needs `connection`, a string, and `slots`, a list; see its table of fields.",
        )?),
        "media_close" => Body::MediaClose(fields(text, "`media_close` needs `connection`, a string.")?),
        "next" => Body::Next,
        "leave" => Body::Leave,
        _ => return Err(Refusal::new(ErrorCode::UnknownType, "This server knows no message of this type.")),
    })
}

fn fields<'a, T: Deserialize<'a>>(text: &'a str, what: &'static str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|_| Refusal::bad(what))
}

#[cfg(test)]
mod tests;
