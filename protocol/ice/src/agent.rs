//! The agent: one transport's ICE, as verbs (RFC 8445 §2; the procedures are in the modules below).

use std::collections::VecDeque;
use std::time::Instant;

use stun::transaction::{self, Transactions};
use stun::{Class, Message, ParseError};
use wire::{Received, Transmit};

use crate::credentials::Credentials;
use crate::path::{Path, Protocol};
use crate::random::Random;
use crate::session::Session;

mod answer;
mod candidates;
mod check;
mod config;
mod consent;
mod embed;
mod event;
mod fault;
mod names;
mod nomination;
mod pacer;
mod recognise;
mod report;
mod request;
mod response;
mod restart;
mod state;
mod tcp;
mod timeout;

use answer::Answer;
pub use candidates::NeedsRestart;
use check::Check;
pub(crate) use check::Purpose;
pub use config::{Config, RemoteParameters, Role};
use embed::Embedding;
pub use event::{ConnectionId, Event, Incoming, Reason, Selected, State};
pub use fault::{Counters, Fault};
use pacer::Pacer;
pub use report::{CandidateReport, PairReport};

use crate::limits;

/// Finds a path to the peer and keeps it.
///
/// Call order: [`add_local`](Self::add_local) candidates as they are gathered and tell them to the peer,
/// [`set_remote`](Self::set_remote) when its description comes, [`add_remote`](Self::add_remote) its
/// candidates. Give what arrives to [`handle_datagram`](Self::handle_datagram) and
/// [`handle_frame`](Self::handle_frame), and call [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) says. **After each of these** take everything that
/// [`poll_event`](Self::poll_event) gives, then everything that [`poll_transmit`](Self::poll_transmit) and,
/// where there are TCP candidates, [`poll_frame`](Self::poll_frame) give: events first, so that what is
/// [`embed`](Self::embed)ded because of them is in the answers.
pub struct Agent {
    config: Config,
    role: Role,
    tiebreaker: u64,
    random: Random,
    session: Session,
    /// The generation before, while it carries data or its credentials may still be used by the peer.
    previous: Option<Box<Session>>,
    /// Until when those are understood, once it no longer carries data.
    linger: Option<Instant>,
    datagrams: Transactions<Check>,
    frames: Transactions<Check>,
    answers: VecDeque<Answer>,
    frame_answers: VecDeque<Answer>,
    pacer: Pacer,
    embedding: Option<Box<Embedding>>,
    events: VecDeque<Event>,
    state: State,
    closed: bool,
    counters: Counters,
    /// The next identifier of a candidate, pair or name.
    next_id: u32,
}

impl Agent {
    /// An agent that has no candidates and knows no peer.
    pub fn new(mut config: Config) -> Self {
        let mut random = Random::new(&config.seed);
        config.pacing = config.pacing.max(config::MIN_PACING);
        config.rto = config.rto.max(config::MIN_RTO);
        config.requests = config.requests.clamp(1, 16);
        let generated = Credentials::generate(&mut random);
        let credentials = config.credentials.take().unwrap_or(generated);
        Self {
            role: if config.lite { Role::Controlled } else { config.role },
            tiebreaker: random.u64(),
            session: Session::new(0, credentials),
            previous: None,
            linger: None,
            datagrams: Transactions::new(limits::CHECKS),
            frames: Transactions::new(limits::CHECKS),
            answers: VecDeque::new(),
            frame_answers: VecDeque::new(),
            pacer: Pacer::new(config.pacing),
            embedding: None,
            events: VecDeque::new(),
            state: State::New,
            closed: false,
            counters: Counters::default(),
            next_id: 0,
            random,
            config,
        }
    }

    /// Takes a datagram that arrived at a local candidate's base; through a relay, with the relayed address
    /// as its destination and the peer's as its source.
    ///
    /// Addresses must be written as candidates' are: where a socket takes both families, without the IPv6
    /// form of IPv4 addresses (`to_canonical`).
    #[expect(clippy::needless_pass_by_value, reason = "the verbs' common shape: a datagram is handed over")]
    pub fn handle_datagram(&mut self, now: Instant, datagram: Received<'_>) -> Result<Incoming, Fault> {
        self.handle(now, Protocol::Udp, &datagram)
    }

    /// Takes a frame (RFC 4571, without its length) of a TCP connection: one that the agent asked for, or one
    /// that was opened to a passive candidate.
    #[expect(clippy::needless_pass_by_value, reason = "the verbs' common shape: a frame is handed over")]
    pub fn handle_frame(&mut self, now: Instant, frame: Received<'_>) -> Result<Incoming, Fault> {
        self.handle(now, Protocol::Tcp, &frame)
    }

    fn handle(&mut self, now: Instant, protocol: Protocol, it: &Received<'_>) -> Result<Incoming, Fault> {
        // RFC 7983 §7: DTLS, too, begins with two zero bits.
        if !matches!(it.bytes.first(), Some(0..=3)) {
            return Ok(Incoming::NotStun);
        }
        let path = Path { protocol, local: it.destination, remote: it.source };
        let result = match Message::parse(it.bytes) {
            Ok(_) if self.closed => Err(Fault::Over),
            Ok(message) => self.handle_message(now, path, &message),
            Err(ParseError::NotStun | ParseError::NoCookie) => return Ok(Incoming::NotStun),
            Err(_) => Err(Fault::Malformed),
        };
        if let Err(fault) = result {
            self.counters.count(fault);
        }
        self.settle(now);
        result.map(|()| Incoming::Stun)
    }

    fn handle_message(&mut self, now: Instant, path: Path, message: &Message<'_>) -> Result<(), Fault> {
        if !message.has_valid_fingerprint() {
            return Err(Fault::BadFingerprint);
        }
        if message.method() != stun::Method::BINDING {
            return Err(Fault::UnknownMethod);
        }
        match message.class() {
            Class::Request => self.handle_request(now, path, message),
            Class::Success | Class::Error => self.handle_response(now, path, message),
            // A keepalive (RFC 8445 §11): that it came is all it says.
            Class::Indication => Ok(()),
        }
    }

    /// Appends the next datagram that must be sent now, from and to where the result says.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(transmit) = self.poll_answer(Protocol::Udp, buffer) {
            return Some(transmit);
        }
        self.schedule(now);
        self.datagrams.poll_transmit(now, buffer)
    }

    /// Appends the next frame that must be sent now, without its length, on the connection between the two
    /// addresses of the result. Without TCP candidates there is none.
    pub fn poll_frame(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(transmit) = self.poll_answer(Protocol::Tcp, buffer) {
            return Some(transmit);
        }
        self.schedule(now);
        self.frames.poll_transmit(now, buffer)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        // Few come once there is a path.
        if self.events.is_empty() && !matches!(self.state, State::New | State::Checking) {
            self.events = VecDeque::new();
        }
        Some(event)
    }

    /// Ends everything: nothing is sent or understood any more. Closing twice is closing once.
    pub fn close(&mut self) {
        self.closed = true;
        self.previous = None;
        self.linger = None;
        let generation = self.session.generation;
        self.session = Session::new(generation, self.session.credentials.clone());
        self.datagrams = Transactions::new(limits::CHECKS);
        self.frames = Transactions::new(limits::CHECKS);
        self.answers = VecDeque::new();
        self.frame_answers = VecDeque::new();
        self.update_state();
    }

    /// How far the agent is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Who decides, by now.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Says who decides, where signaling learns it only after the agent was made: before
    /// [`set_remote`](Self::set_remote). Later, the agents settle it between them.
    pub fn set_role(&mut self, role: Role) {
        let is_new = self.session.remote.is_none() && self.session.generation == 0;
        if is_new && !self.config.lite {
            self.role = role;
        }
        self.config.role = role;
    }

    /// Our present credentials, for the description.
    pub fn credentials(&self) -> &Credentials {
        &self.session.credentials
    }

    /// What was not accepted, by reason.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The present generation, then the one before it.
    fn sessions(&self) -> impl Iterator<Item = &Session> {
        std::iter::once(&self.session).chain(self.previous.as_deref())
    }

    fn session_mut(&mut self, generation: u32) -> Option<&mut Session> {
        if self.session.generation == generation {
            return Some(&mut self.session);
        }
        self.previous.as_deref_mut().filter(|previous| previous.generation == generation)
    }

    /// The generation whose user name fragment of ours this is.
    fn generation_of(&self, ufrag: &str) -> Option<u32> {
        let mut sessions = self.sessions();
        sessions.find(|session| session.credentials.ufrag.as_str() == ufrag).map(|session| session.generation)
    }

    /// The generation that data goes by.
    fn carrier(&self) -> Option<&Session> {
        self.sessions().find(|session| session.selected.is_some())
    }

    fn transactions(&mut self, protocol: Protocol) -> &mut Transactions<Check> {
        match protocol {
            Protocol::Udp => &mut self.datagrams,
            Protocol::Tcp => &mut self.frames,
        }
    }

    fn fresh_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// What follows from whatever just changed.
    fn settle(&mut self, now: Instant) {
        self.settle_lites(now);
        while self.select(now) {
            // Of the pair that took over, something may be due already.
            self.tend(now);
        }
        self.nominate(now);
        self.update_state();
    }
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent")
            .field("ufrag", &self.session.credentials.ufrag)
            .field("role", &self.role)
            .field("state", &self.state)
            .field("pairs", &self.session.pairs.len())
            .finish_non_exhaustive()
    }
}

impl From<transaction::Reason> for Reason {
    fn from(reason: transaction::Reason) -> Self {
        match reason {
            transaction::Reason::Retransmission => Self::Retransmission,
            transaction::Reason::GiveUp => Self::GiveUp,
        }
    }
}
