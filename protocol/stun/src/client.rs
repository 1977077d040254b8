//! A client of one STUN server (RFC 8489 §6, §9.2, §10): requests with retransmission, long-term
//! credentials, and redirection. TURN's client is built on it.
//!
//! Call order: [`request`](Client::request); send everything that
//! [`poll_transmit`](Client::poll_transmit) gives; give what arrives to
//! [`handle_datagram`](Client::handle_datagram) and call [`handle_timeout`](Client::handle_timeout) when
//! [`poll_timeout`](Client::poll_timeout) says; after each of these, take the events and send again.
//!
//! Deviation: the checks of §9.2.5 are made of answers to requests that carried credentials. Taken by
//! the letter they would throw away every answer to a first request, which carries none (§9.2.3.1).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use wire::{Received, Transmit};

use crate::attribute::{AlternateDomain, AlternateServer, ErrorCode, Software, UnknownAttributes};
use crate::header::{Class, TransactionId};
use crate::message::{Message, OwnedMessage};
use crate::transaction::{Reason, RoundTrip, Schedule, TooMany, TransactionIds, Transactions};
use crate::writer::Writer;

mod fault;
mod long_term;
mod request;
#[cfg(test)]
mod tests;

pub use fault::{Counters, Failure, Fault};
pub use long_term::{LongTerm, Proof};
pub use request::{Binding, Request, mapped_address};

/// A request is put anew at most this often because the server wants (other) credentials.
const MAX_CHALLENGES: u32 = 3;

/// To a server asked within this time a redirection does not lead back (RFC 8489 §10).
const REDIRECT_MEMORY: Duration = Duration::from_secs(300);

/// At most this many servers are remembered as asked already: a longer chain of redirections is a loop.
const MAX_REDIRECTS: usize = 8;

/// How to talk to the server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The local address to send from.
    pub local: SocketAddr,
    /// The server.
    pub server: SocketAddr,
    /// Datagrams or a stream. Over datagrams the first interval is raised to what the measured round trip asks.
    pub schedule: Schedule,
    /// Who we are, if the server should ask.
    pub credentials: Option<LongTerm>,
    /// What SOFTWARE says; not sent when empty.
    pub software: String,
    /// Whether requests end with FINGERPRINT, for a port that carries other protocols too.
    pub fingerprint: bool,
    /// How many requests may be outstanding. RFC 8489 §6.2 wants at most ten.
    pub limit: usize,
    /// Secret randomness for transaction identifiers.
    pub seed: [u8; 32],
}

impl Config {
    /// A client over UDP with RFC 8489's timing and without credentials.
    pub fn new(local: SocketAddr, server: SocketAddr, seed: [u8; 32]) -> Self {
        Self {
            local,
            server,
            schedule: Schedule::DATAGRAMS,
            credentials: None,
            software: String::new(),
            fingerprint: false,
            limit: 10,
            seed,
        }
    }
}

/// Names a request in its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(u64);

/// A request ended.
#[derive(Debug)]
pub struct Event<R> {
    /// Which one.
    pub id: RequestId,
    /// The request itself.
    pub request: R,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Debug)]
pub enum Outcome {
    /// Granted; proven to be the server's answer if the request carried credentials.
    Success(OwnedMessage),
    /// Refused with an ERROR-CODE.
    Refused(OwnedMessage),
    /// Another server should be asked: connect to it if need be, call [`Client::follow`] and put the request again.
    Alternate {
        /// That server, of the same address family.
        server: SocketAddr,
        /// The name its certificate bears, if not the same as the present server's.
        domain: Option<String>,
    },
    /// No answer that could be used.
    Failed(Failure),
}

/// The client's state. `R` is the usage's type of request.
#[derive(Debug)]
pub struct Client<R> {
    config: Config,
    transactions: Transactions<Attempt<R>>,
    ids: TransactionIds,
    round_trip: RoundTrip,
    asked: Vec<(SocketAddr, Instant)>,
    events: VecDeque<Event<R>>,
    counters: Counters,
    next: u64,
}

/// A request in one transaction; each challenge starts another transaction for it.
#[derive(Debug)]
struct Attempt<R> {
    id: RequestId,
    request: R,
    proof: Option<Proof>,
    challenges: u32,
    /// An answer was thrown away because its proof did not hold.
    violated: bool,
}

impl<R: Request> Client<R> {
    /// A client that has sent nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            transactions: Transactions::new(config.limit),
            ids: TransactionIds::new(&config.seed),
            round_trip: RoundTrip::default(),
            asked: Vec::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            next: 0,
            config,
        }
    }

    /// Puts a request. Its event comes from [`poll_event`](Self::poll_event), sooner or later, exactly once.
    pub fn request(&mut self, now: Instant, request: R) -> Result<RequestId, TooMany> {
        if self.transactions.len() >= self.config.limit {
            return Err(TooMany);
        }
        let id = RequestId(self.next);
        self.next += 1;
        self.send(now, Attempt { id, request, proof: None, challenges: 0, violated: false });
        Ok(id)
    }

    /// The present server.
    pub fn server(&self) -> SocketAddr {
        self.config.server
    }

    /// The smoothed round trip time to the server, measured in the last ten minutes.
    pub fn round_trip(&self, now: Instant) -> Option<Duration> {
        self.round_trip.smoothed(now)
    }

    /// What was thrown away, by reason.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Talks to another server from now on, with the same user name and password (RFC 8489 §10). `local`
    /// is where from: over a stream, the new connection's address.
    pub fn follow(&mut self, now: Instant, local: SocketAddr, server: SocketAddr) {
        self.remember(now, self.config.server);
        self.config.local = local;
        self.config.server = server;
        self.round_trip = RoundTrip::default();
        if let Some(credentials) = &mut self.config.credentials {
            credentials.forget_server();
        }
    }

    /// The path is gone: the connection was lost, or a hard ICMP error came (RFC 8489 §6.2.1, §6.2.2). Every
    /// outstanding request fails.
    pub fn handle_unreachable(&mut self) {
        for attempt in self.transactions.cancel_all() {
            let Attempt { id, request, .. } = attempt;
            self.events.push_back(Event { id, request, outcome: Outcome::Failed(Failure::Unreachable) });
        }
    }

    /// Takes a datagram, or a frame of a stream. What is no answer to an outstanding request is counted and dropped.
    #[expect(clippy::needless_pass_by_value, reason = "the verbs' common shape: a datagram is handed over")]
    pub fn handle_datagram(&mut self, now: Instant, datagram: Received<'_>) -> Result<(), Fault> {
        let result = self.receive(now, &datagram);
        if let Err(fault) = result {
            self.counters.count(fault);
        }
        result
    }

    /// Sends again what must be sent again, and gives up what waited long enough.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.transactions.handle_timeout(now);
        while let Some(attempt) = self.transactions.poll_expired() {
            let failure = if attempt.violated { Failure::IntegrityViolated } else { Failure::TimedOut };
            self.end(attempt, Outcome::Failed(failure));
        }
    }

    /// Appends the next message that must be sent now.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        self.transactions.poll_transmit(now, buffer)
    }

    /// The next request that ended.
    pub fn poll_event(&mut self) -> Option<Event<R>> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), and what for.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        self.transactions.poll_timeout()
    }

    fn receive(&mut self, now: Instant, datagram: &Received<'_>) -> Result<(), Fault> {
        let message = Message::parse(datagram.bytes).map_err(Fault::NotStun)?;
        if !matches!(message.class(), Class::Success | Class::Error) {
            return Err(Fault::NotAnAnswer);
        }
        let transaction = message.transaction();
        let attempt = self.transactions.get(transaction).ok_or(Fault::UnknownTransaction)?;
        if self.transactions.path(transaction) != Some((datagram.destination, datagram.source)) {
            return Err(Fault::WrongAddress);
        }
        if message.method() != attempt.request.method() {
            return Err(Fault::WrongMethod);
        }
        let code = match message.class() {
            Class::Error => message.get::<ErrorCode<'_>>().ok().flatten().map(|error| error.code()),
            _ => None,
        };
        if let (Some(code @ (401 | 438)), true) = (code, self.config.credentials.is_some()) {
            self.challenged(now, &message, code);
            return Ok(());
        }
        if long_term::is_bid_down(&message) {
            return Err(Fault::BidDown);
        }
        self.check_proof(now, &message)?;
        let Some(attempt) = self.finish(now, transaction) else { return Ok(()) };
        let outcome = self.outcome(now, &message, code, &attempt.request);
        self.end(attempt, outcome);
        Ok(())
    }

    /// What an answer means that is believed by now (RFC 8489 §6.3.3, §6.3.4).
    fn outcome(&mut self, now: Instant, message: &Message<'_>, code: Option<u16>, request: &R) -> Outcome {
        let unknown: UnknownAttributes = message.unknown(request.known()).collect();
        if !unknown.kinds().is_empty() {
            return Outcome::Failed(Failure::UnknownAttributes(unknown));
        }
        match (message.class(), code) {
            (Class::Success, _) => Outcome::Success(OwnedMessage::from(*message)),
            (_, None) => Outcome::Failed(Failure::NoErrorCode),
            (_, Some(300)) => self.redirected(now, message),
            (_, Some(_)) => Outcome::Refused(OwnedMessage::from(*message)),
        }
    }

    /// RFC 8489 §10.
    fn redirected(&mut self, now: Instant, message: &Message<'_>) -> Outcome {
        let same_family = |server: &SocketAddr| server.is_ipv4() == self.config.server.is_ipv4();
        let mut servers =
            message.all::<AlternateServer>().filter_map(Result::ok).map(|alternate| alternate.0);
        let Some(server) = servers.find(same_family) else {
            return Outcome::Failed(Failure::NoAlternate);
        };
        self.remember(now, self.config.server);
        if self.asked.iter().any(|(asked, _)| *asked == server) || self.asked.len() >= MAX_REDIRECTS {
            return Outcome::Failed(Failure::RedirectLoop);
        }
        let domain = message.get::<AlternateDomain<'_>>().ok().flatten().map(|domain| domain.0.to_owned());
        Outcome::Alternate { server, domain }
    }

    /// RFC 8489 §9.2.5 for 401 and 438: the request is put again with what the server asks for.
    fn challenged(&mut self, now: Instant, message: &Message<'_>, code: u16) {
        let Some(mut attempt) = self.finish(now, message.transaction()) else { return };
        let Some(credentials) = &mut self.config.credentials else { return };
        attempt.challenges += 1;
        let learnt = credentials.challenge(message, code, attempt.proof.as_ref());
        let failure = match learnt {
            Ok(()) if attempt.challenges <= MAX_CHALLENGES => return self.send(now, attempt),
            Ok(()) => Failure::TooManyChallenges,
            Err(failure) => failure,
        };
        self.end(attempt, Outcome::Failed(failure));
    }

    /// RFC 8489 §9.2.5: an answer without its proof never happened, but over a stream nothing better will come.
    fn check_proof(&mut self, now: Instant, message: &Message<'_>) -> Result<(), Fault> {
        let id = message.transaction();
        let Some(attempt) = self.transactions.get_mut(id) else { return Err(Fault::UnknownTransaction) };
        if attempt.proof.as_ref().is_none_or(|proof| proof.holds(message)) {
            return Ok(());
        }
        attempt.violated = true;
        if matches!(self.config.schedule, Schedule::Stream { .. })
            && let Some(attempt) = self.finish(now, id)
        {
            self.end(attempt, Outcome::Failed(Failure::IntegrityViolated));
        }
        Err(Fault::BadIntegrity)
    }

    fn send(&mut self, now: Instant, mut attempt: Attempt<R>) {
        let id = self.ids.next_id();
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Class::Request, attempt.request.method(), id);
        if !self.config.software.is_empty() {
            writer.add(&Software(&self.config.software));
        }
        attempt.request.write(&mut writer);
        attempt.proof =
            self.config.credentials.as_ref().and_then(|credentials| credentials.sign(&mut writer));
        if self.config.fingerprint {
            writer.fingerprint();
        }
        let schedule = match self.config.schedule {
            Schedule::Datagrams { rto, requests, last_wait } => {
                Schedule::Datagrams { rto: self.measured_rto(now, rto), requests, last_wait }
            }
            stream @ Schedule::Stream { .. } => stream,
        };
        let path = (self.config.local, self.config.server);
        // There is room: a new request was checked for it, and one put again left its place.
        let begun = self.transactions.begin(id, path, schedule, bytes, attempt);
        debug_assert_eq!(begun, Ok(()));
    }

    fn measured_rto(&self, now: Instant, configured: Duration) -> Duration {
        self.round_trip.smoothed(now).map_or(configured, |_| self.round_trip.rto(now).max(configured))
    }

    fn finish(&mut self, now: Instant, id: TransactionId) -> Option<Attempt<R>> {
        let finished = self.transactions.finish(now, id)?;
        if let Some(sample) = finished.round_trip {
            self.round_trip.measured(now, sample);
        }
        Some(finished.value)
    }

    fn end(&mut self, attempt: Attempt<R>, outcome: Outcome) {
        self.events.push_back(Event { id: attempt.id, request: attempt.request, outcome });
    }

    fn remember(&mut self, now: Instant, server: SocketAddr) {
        self.asked
            .retain(|(other, at)| *other != server && now.saturating_duration_since(*at) < REDIRECT_MEMORY);
        if self.asked.len() < MAX_REDIRECTS {
            self.asked.push((server, now));
        }
    }
}
