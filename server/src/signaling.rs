//! Signaling: rooms, and the messages that people in a room send each other until their browsers are
//! connected. The protocol is written down in `docs/signaling.md`.
//!
//! Everything in here is a pure state machine: no socket, no clock, no global randomness. [`Hub`] takes
//! messages and time in and gives [`Output`]s out; `http::websocket` puts the sockets around it.
//!
//! Call order: after every `connect`, `handle_*` and `drain`, call [`Hub::poll_output`] until it returns
//! `None`; then sleep until [`Hub::poll_timeout`] and call [`Hub::handle_timeout`].

mod error;
mod hub;
mod inbound;
mod invitation;
mod keys;
mod limits;
mod lobby;
mod lock;
mod names;
mod outbound;
mod outbox;
mod rate;
mod room;
mod session;
mod time;
mod token;

pub(crate) use hub::{CloseCode, ConnectionId, Counters, Gone, Hub, IceServers, Output, Settings};
pub(crate) use keys::Keys;
pub(crate) use limits::Limits;
pub(crate) use names::PeerId;
pub(crate) use time::Now;
