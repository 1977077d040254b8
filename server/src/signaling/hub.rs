//! The room machine: every connection, session and room of one server.

mod audience;
mod counters;
mod join;
mod leave;
mod matching;
mod media;
mod relay;
mod timers;
mod topology;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::value::RawValue;

pub(crate) use counters::Counters;

use crate::conference::Request;

use super::{
    error::{ErrorCode, Refusal},
    inbound::{self, Body},
    keys::Keys,
    limits::Limits,
    lobby::Lobby,
    names::{PeerId, RoomName},
    outbound::Message,
    rate::Bucket,
    room::{Room, RoomKey},
    session::Session,
    time::Now,
};
use timers::{Timer, Timers};

/// One WebSocket. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(u64);

/// What the operator decides.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    /// Admit only with invitations.
    pub(crate) invitation_required: bool,
    /// A connection from which nothing arrives for so long counts as dropped.
    pub(crate) idle: Duration,
    /// How long a draining server leaves connections open after `going_away`.
    pub(crate) linger: Duration,
    /// Whether there are media workers.
    pub(crate) media: bool,
    /// What `welcome` calls this server.
    pub(crate) server: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            invitation_required: false,
            idle: Duration::from_secs(60),
            linger: Duration::from_secs(1),
            media: false,
            server: concat!("twocan/", env!("CARGO_PKG_VERSION")).into(),
        }
    }
}

/// Where `joined.ice_servers` comes from: a list of `RTCIceServer` with fresh credentials.
pub(crate) trait IceServers: Send {
    /// For a client that reached the server under `host` (the `Host` header).
    fn ice_servers(&self, host: &str, now: Now) -> Box<RawValue>;
}

/// Something for the sockets, or the media workers, to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Hand it to the media workers; [`Hub::handle_media`] is to be told what they say.
    Media(Request),
    /// Send a text message.
    Send { connection: ConnectionId, text: Bytes },
    /// Close the connection, after what was sent before. Nothing follows for it.
    Close { connection: ConnectionId, code: CloseCode },
}

/// Why the server closes a WebSocket (RFC 6455 §7.4, and two of our own).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseCode {
    /// After `left`.
    Normal = 1000,
    /// Over the message size, or over the rate for too long.
    Policy = 1008,
    /// The server restarts.
    Restart = 1012,
    /// The client reads too slowly, or the server is full.
    TryAgainLater = 1013,
    /// Another connection took this session over.
    TakenOver = 4000,
    /// Nothing was heard for the idle time.
    Idle = 4001,
}

/// Why a connection is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The socket closed or broke: the client may come back.
    Closed,
    /// Its queue overflowed: the session ends.
    TooSlow,
    /// It sent more at once than is read at all: the session ends.
    TooLarge,
}

impl CloseCode {
    /// The words in the close frame.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Normal => "left",
            Self::Policy => "over the limits",
            Self::Restart => "restarting",
            Self::TryAgainLater => "try again later",
            Self::TakenOver => "taken over by another connection",
            Self::Idle => "nothing heard",
        }
    }
}

struct Connection {
    session: Option<PeerId>,
    host: Box<str>,
    last_heard: Instant,
    rate: Bucket,
    /// How often the rate may be exceeded before the connection is closed.
    patience: Bucket,
    /// When its next [`Timer::Idle`] is due: it goes with the connection.
    idle_check: Instant,
}

/// See the [module above](super) for the order of calls.
pub(crate) struct Hub {
    settings: Settings,
    keys: Keys,
    random: ChaCha20Rng,
    ice: Box<dyn IceServers>,
    next_connection: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    sessions: BTreeMap<PeerId, Session>,
    rooms: BTreeMap<RoomKey, Room>,
    lobbies: BTreeMap<RoomName, Lobby>,
    /// Lobbies where people wait for a partner because there are as many rooms as there may be.
    starved: BTreeSet<RoomName>,
    /// Rooms that programs stream into.
    streamed: BTreeSet<RoomKey>,
    timers: Timers,
    outputs: VecDeque<Output>,
    draining: Option<Draining>,
    counters: Counters,
}

#[derive(Clone, Copy)]
struct Draining {
    /// When every connection is closed; those that come later are closed at once.
    until: Instant,
}

/// What one wrong password costs, in messages: at the usual rate a connection guesses four a second at most.
const WRONG_PASSWORD_COST: u32 = 12;

impl Hub {
    pub(crate) fn new(settings: Settings, keys: Keys, seed: [u8; 32], ice: Box<dyn IceServers>) -> Self {
        Self {
            settings,
            keys,
            random: ChaCha20Rng::from_seed(seed),
            ice,
            next_connection: 0,
            connections: BTreeMap::new(),
            sessions: BTreeMap::new(),
            rooms: BTreeMap::new(),
            lobbies: BTreeMap::new(),
            starved: BTreeSet::new(),
            streamed: BTreeSet::new(),
            timers: Timers::default(),
            outputs: VecDeque::new(),
            draining: None,
            counters: Counters::default(),
        }
    }

    /// A client connected, having asked for `host`.
    pub(crate) fn connect(&mut self, now: Now, host: &str) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.counters.connections_total += 1;
        let limits = &self.settings.limits;
        let (rate, burst) = (limits.messages_per_second, limits.messages_per_second.saturating_mul(4));
        let welcome = Message::Welcome { version: 1, server: &self.settings.server, limits }.to_bytes();
        let full = self.connections.len() >= limits.connections;
        let idle_check = now.instant + self.settings.idle;
        self.timers.add(idle_check, Timer::Idle(id));
        self.connections.insert(
            id,
            Connection {
                session: None,
                host: host.into(),
                last_heard: now.instant,
                rate: Bucket::new(now.instant, rate, burst),
                patience: Bucket::new(now.instant, 5, 500),
                idle_check,
            },
        );
        self.send_now(id, welcome);
        if let Some(Draining { until }) = self.draining {
            self.announce_drain(id);
            if now.instant >= until {
                self.close(id, CloseCode::Restart);
            }
        } else if full {
            self.send_refusal(
                id,
                None,
                &Refusal::retry_after(
                    ErrorCode::ServerFull,
                    "The server has its limit of connections. Try again in a while.",
                    Duration::from_secs(10),
                ),
            );
            self.close(id, CloseCode::TryAgainLater);
        }
        id
    }

    /// A text message arrived.
    pub(crate) fn handle_message(&mut self, now: Now, id: ConnectionId, text: &str) {
        let most = self.settings.limits.message_bytes;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.last_heard = now.instant;
        self.counters.messages_received += 1;
        if text.len() > most {
            self.expel(now, id, CloseCode::Policy);
            return;
        }
        let request = inbound::parse(text);
        let admitted = self.count_and_admit(now, id, request.counted);
        let result = match admitted {
            Ok(()) => request.body.and_then(|body| self.handle_request(now, id, request.id, body)),
            Err(Excess { retry, patient: true }) => {
                let why = "Too many messages: this one was dropped. Wait before you repeat it.";
                Err(Refusal::retry_after(ErrorCode::RateLimited, why, retry))
            }
            Err(Excess { patient: false, .. }) => {
                self.expel(now, id, CloseCode::Policy);
                return;
            }
        };
        if let Err(refusal) = result {
            self.send_refusal(id, request.id, &refusal);
        }
    }

    /// A binary message arrived, which this protocol has not.
    pub(crate) fn handle_binary(&mut self, now: Now, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.last_heard = now.instant;
        self.counters.messages_received += 1;
        match self.count_and_admit(now, id, true) {
            Err(Excess { patient: false, .. }) => self.expel(now, id, CloseCode::Policy),
            _ => self.send_refusal(id, None, &Refusal::bad("Messages are text, not binary.")),
        }
    }

    /// The socket is gone.
    pub(crate) fn handle_disconnect(&mut self, now: Now, id: ConnectionId, why: Gone) {
        match why {
            Gone::TooSlow => self.expel(now, id, CloseCode::TryAgainLater),
            Gone::TooLarge => self.expel(now, id, CloseCode::Policy),
            Gone::Closed => {
                if let Some(connection) = self.forget(id) {
                    self.detach(now, connection.session);
                }
            }
        }
    }

    /// The server is about to stop: says so, admits nobody new, and closes every connection a little
    /// later.
    pub(crate) fn drain(&mut self, now: Now) {
        if self.draining.is_some() {
            return;
        }
        let until = now.instant + self.settings.linger;
        self.draining = Some(Draining { until });
        self.timers.add(until, Timer::EndOfDrain);
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            self.announce_drain(id);
        }
    }

    /// What the sockets have to do next.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Hub::handle_timeout`] wants to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// How many connections are open.
    pub(crate) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// What happened so far, and how much there is now.
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = self.counters.clone();
        counters.connections = self.connections.len();
        counters.sessions = self.sessions.len();
        counters.rooms = self.rooms.len();
        counters.waiting = self.lobbies.values().map(Lobby::people).sum();
        counters
    }

    /// What people are called.
    pub(crate) fn names(&self) -> impl Iterator<Item = (PeerId, String)> {
        self.sessions.iter().map(|(peer, session)| (*peer, session.name.as_str().to_owned()))
    }

    fn handle_request(
        &mut self,
        now: Now,
        id: ConnectionId,
        request: Option<u64>,
        body: Body<'_>,
    ) -> Result<(), Refusal> {
        match body {
            Body::Topology(topology) => self.set_policy(now, id, topology.policy),
            Body::MediaOffer(offer) => self.media_offer(now, id, request, &offer),
            Body::MediaWatch(watch) => self.media_watch(id, request, &watch),
            Body::MediaClose(close) => self.media_close(id, &close),
            Body::Join(join) => self.join(now, id, &join),
            Body::Ping(ping) => self.ping(id, &ping),
            Body::Leave => self.leave(now, id),
            Body::Next => self.next_partner(now, id),
            Body::Signal(signal) => self.signal(id, &signal),
            Body::Chat(chat) => self.chat(now, id, &chat),
            Body::Presence(presence) => self.presence(id, &presence),
            Body::Invite(invite) => self.invite(now, id, &invite),
        }
    }

    /// Counts the message for resuming, and against the rate.
    fn count_and_admit(&mut self, now: Now, id: ConnectionId, counted: bool) -> Result<(), Excess> {
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        if counted && let Some(session) = connection.session.and_then(|peer| self.sessions.get_mut(&peer)) {
            session.handled += u64::from(session.started);
        }
        connection.rate.take(now.instant, 1).map_err(|retry| {
            let patient = connection.patience.take(now.instant, 1).is_ok();
            Excess { retry, patient }
        })
    }

    fn announce_drain(&mut self, id: ConnectionId) {
        // Spread over two seconds, so that a restarted server is not met by everyone at once.
        let retry = 1_000 + self.random.next_u64() % 2_000;
        self.send_now(id, Message::GoingAway { reason: "restart", retry }.to_bytes());
    }

    /// Sends to a connection, outside of any session's count.
    fn send_now(&mut self, connection: ConnectionId, text: Bytes) {
        self.counters.messages_sent += 1;
        self.outputs.push_back(Output::Send { connection, text });
    }

    /// Sends to a peer within its session's count: now, or when it is back.
    fn send_counted(&mut self, peer: PeerId, text: &Bytes) {
        let most_bytes = self.settings.limits.queued_bytes;
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        session.outbox.push(text.clone(), most_bytes);
        if let Some(connection) = session.connection() {
            self.send_now(connection, text.clone());
        }
    }

    fn send_refusal(&mut self, connection: ConnectionId, id: Option<u64>, refusal: &Refusal) {
        self.counters.count_error(refusal.code);
        let retry = refusal.retry.map(|retry| u64::try_from(retry.as_millis()).unwrap_or(u64::MAX).max(1));
        let message = Message::Error { code: refusal.code, message: refusal.message, id, retry };
        self.send_now(connection, message.to_bytes());
    }

    /// Closes a connection and forgets it. Its session is the caller's business.
    fn close(&mut self, connection: ConnectionId, code: CloseCode) -> Option<Connection> {
        let closed = self.forget(connection)?;
        self.outputs.push_back(Output::Close { connection, code });
        Some(closed)
    }

    fn forget(&mut self, id: ConnectionId) -> Option<Connection> {
        let connection = self.connections.remove(&id)?;
        self.timers.remove(connection.idle_check, Timer::Idle(id));
        Some(connection)
    }
}

/// Over the rate.
struct Excess {
    retry: Duration,
    /// Whether it is worth an answer yet.
    patient: bool,
}

#[cfg(test)]
mod invariants;
#[cfg(test)]
mod tests;
