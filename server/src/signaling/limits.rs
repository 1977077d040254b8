//! What bounds a client, a room and the server. Sent in `welcome`, so that a client can stay within them.

use std::time::Duration;

use serde::Serialize;

/// The table *Limits* of `docs/signaling.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Limits {
    /// Bytes of one WebSocket message.
    pub(crate) message_bytes: usize,
    /// Sustained, per connection, with a burst of four seconds' worth.
    pub(crate) messages_per_second: u32,
    /// Unicode scalar values.
    pub(crate) chat_characters: usize,
    /// Bytes of JSON.
    pub(crate) presence_bytes: usize,
    /// Unicode scalar values of a display name.
    pub(crate) name_characters: usize,
    /// Characters of a room's name.
    pub(crate) room_characters: usize,
    /// People who send to each other directly; of more, the server forwards.
    pub(crate) mesh_capacity: usize,
    /// Peers in a `call` room.
    pub(crate) call_capacity: usize,
    /// Peers in a `live` room, streamer included.
    pub(crate) live_capacity: usize,
    /// Peers in a `send` room.
    pub(crate) send_capacity: usize,
    /// Rooms at once, matches of lobbies included.
    pub(crate) rooms: usize,
    /// Connections at once; as many sessions.
    pub(crate) connections: usize,
    /// Bytes that wait for one slow or absent reader.
    pub(crate) queued_bytes: usize,
    /// Seconds that a dropped connection may be away.
    pub(crate) grace_seconds: u64,
}

impl Limits {
    pub(crate) fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 262_144,
            messages_per_second: 50,
            chat_characters: 4_000,
            presence_bytes: 1_024,
            name_characters: 64,
            room_characters: 64,
            mesh_capacity: 4,
            call_capacity: 4,
            live_capacity: 32,
            send_capacity: 4,
            rooms: 10_000,
            connections: 20_000,
            queued_bytes: 1_048_576,
            grace_seconds: 30,
        }
    }
}
