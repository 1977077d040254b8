//! What a NAT does to us: a client of behaviour discovery (RFC 5780 §4).
//!
//! It sends Binding requests from several local ports to the server's addresses and concludes from what
//! comes back. One round, in this order, since the tests of filtering want no prior traffic to the server's
//! alternate address (§4.4):
//!
//! 1. connectivity, from the first port (§4.2);
//! 2. filtering, from the first port (§4.4); the second port and the ports for lifetimes open their bindings;
//! 3. mapping, from the first port (§4.3);
//! 4. hairpinning between first and second port (§3.4), and a trial of RESPONSE-PORT;
//! 5. lifetimes: each port stays idle for its own time, then the second port asks the server to answer
//!    there (§4.6). All ports wait at once, so that this takes as long as the longest.
//!
//! A server without a second address, or without CHANGE-REQUEST or RESPONSE-PORT, leaves gaps; the report says
//! which and why. Call order as in [`client`](crate::client): send, receive, let time pass, take the event.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use wire::{Received, Transmit};

use crate::attribute::{ChangeRequest, ErrorCode, MappedAddress, OtherAddress, Software, XorMappedAddress};
use crate::client::{Binding, Fault, Request as _, mapped_address};
use crate::header::{Class, Method};
use crate::message::Message;
use crate::transaction::{self, Schedule, TransactionIds, Transactions};
use crate::writer::Writer;

mod conclusion;
mod report;
#[cfg(test)]
mod tests;

pub use report::{Filtering, Finding, Lifetime, Mapping, Report, Why};

/// Not more than ten new transactions a second, and not in step with the retransmissions (RFC 5780 §5).
const PACE: Duration = Duration::from_millis(110);

/// Three tries, given up after 2.5 s: silence is an expected answer here, and must not take 39.5 s.
const SCHEDULE: Schedule = Schedule::Datagrams { rto: Duration::from_millis(500), requests: 3, last_wait: 2 };

/// Also makes the first request long enough.
const SOFTWARE: &str = "twocan nat";

/// At most this many lifetimes are tried in one round.
pub const MAX_LIFETIMES: usize = 16;

/// What to find out, and from where.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's first address.
    pub server: SocketAddr,
    /// When the server names no second address: its second port, if it is known otherwise, or another STUN
    /// server, for a partial answer.
    pub alternate: Option<SocketAddr>,
    /// The local address of the port that is examined; one that had no traffic of late (§4.1).
    pub local: SocketAddr,
    /// A second local port.
    pub second: SocketAddr,
    /// How long to leave a binding idle, and the unused local port to do it with; at most
    /// [`MAX_LIFETIMES`]. None to skip this.
    pub lifetimes: Vec<(Duration, SocketAddr)>,
    /// A second port that the server may serve though it cannot name it: OTHER-ADDRESS is for servers with two
    /// addresses (RFC 5780 §7.4). Asked only if nothing comes from the port that it answers from when told to
    /// change it.
    pub guess: Option<u16>,
    /// Secret randomness for transaction identifiers.
    pub seed: [u8; 32],
}

/// The round is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// All that could be found out.
    Finished(Report),
}

/// What the next deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The next request may start.
    Pace,
    /// A request is sent once more, or given up.
    Transaction(transaction::Reason),
    /// A binding was idle for as long as it should be.
    Idle,
}

/// One question to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Probe {
    /// Test I: first port to server.
    Connect,
    /// Filtering, test II: answer from the other address and port.
    FilterBoth,
    /// Filtering, test III: answer from the other port.
    FilterPort,
    /// Mapping, test II: first port to the other address, same port (or what comes closest).
    MapAddress,
    /// The same, to a second port that the server may have and did not name.
    MapGuess,
    /// Mapping, test III: first port to the other address and port.
    MapBoth,
    /// Second port to server.
    Second,
    /// Does RESPONSE-PORT work: asked from the second port, answered to the first.
    Control,
    /// First port to the second's mapped address. It opens filters for the next.
    HairpinOut,
    /// Second port to the first's mapped address.
    HairpinBack,
    /// A port for lifetimes to server.
    Open(usize),
    /// Asked from the second port, answered to a port for lifetimes.
    Idle(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Asked, or about to be.
    Waiting,
    /// The server saw us at this address.
    Mapped(SocketAddr),
    /// It came where it should, from where it should.
    Arrived,
    /// The server answered as if we had asked for nothing special.
    Plain,
    /// The server refused with this error code.
    Refused(u16),
    /// Nothing came.
    Silent,
}

/// What we know of other addresses of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alternate {
    None,
    /// OTHER-ADDRESS with the same IP address.
    Port(SocketAddr),
    /// OTHER-ADDRESS with another IP address and another port, as it should be.
    Both(SocketAddr),
    /// Another server: good for mapping only.
    Foreign(SocketAddr),
}

/// A binding that nothing is sent through for a while.
#[derive(Clone, Copy, Debug)]
struct Idle {
    since: Instant,
    until: Instant,
    index: usize,
}

/// The state of one round.
#[derive(Debug)]
pub struct Discovery {
    config: Config,
    transactions: Transactions<Probe>,
    ids: TransactionIds,
    answers: BTreeMap<Probe, Answer>,
    alternate: Alternate,
    /// MAPPED-ADDRESS and XOR-MAPPED-ADDRESS of test I differ.
    rewritten: Option<bool>,
    queue: VecDeque<Probe>,
    next_start: Instant,
    idle: Vec<Idle>,
    finished: Option<Event>,
    over: bool,
}

impl Discovery {
    /// A round that begins now.
    pub fn new(now: Instant, mut config: Config) -> Self {
        config.lifetimes.truncate(MAX_LIFETIMES);
        let mut discovery = Self {
            transactions: Transactions::new(MAX_LIFETIMES + 10),
            ids: TransactionIds::new(&config.seed),
            answers: BTreeMap::new(),
            alternate: Alternate::None,
            rewritten: None,
            queue: VecDeque::new(),
            next_start: now,
            idle: Vec::new(),
            finished: None,
            over: false,
            config,
        };
        discovery.advance(now);
        discovery
    }

    /// What is known so far.
    pub fn report(&self) -> Report {
        self.conclude()
    }

    /// Takes a datagram from any of the local ports.
    #[expect(clippy::needless_pass_by_value, reason = "the verbs' common shape: a datagram is handed over")]
    pub fn handle_datagram(&mut self, now: Instant, datagram: Received<'_>) -> Result<(), Fault> {
        let message = Message::parse(datagram.bytes).map_err(Fault::NotStun)?;
        let probe = *self.transactions.get(message.transaction()).ok_or(Fault::UnknownTransaction)?;
        if message.method() != Method::BINDING {
            return Err(Fault::WrongMethod);
        }
        let answer = self.read(probe, &message, (datagram.source, datagram.destination))?;
        self.transactions.cancel(message.transaction());
        self.answered(now, probe, answer);
        Ok(())
    }

    /// Starts, repeats and gives up what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.transactions.handle_timeout(now);
        while let Some(probe) = self.transactions.poll_expired() {
            self.answered(now, probe, Answer::Silent);
        }
        self.advance(now);
    }

    /// Appends the next request that must be sent now.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        self.transactions.poll_transmit(now, buffer)
    }

    /// The report, once, at the end.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.finished.take()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), and what for.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let transaction =
            self.transactions.poll_timeout().map(|(at, reason)| (at, Reason::Transaction(reason)));
        let pace = (!self.queue.is_empty()).then_some((self.next_start, Reason::Pace));
        // Without a working RESPONSE-PORT nothing can be done about them.
        let idle = self.idle.iter().filter(|_| self.answers.get(&Probe::Control) == Some(&Answer::Arrived));
        let idle = idle.map(|idle| (idle.until, Reason::Idle)).min();
        [transaction, pace, idle].into_iter().flatten().min()
    }

    /// What a message says to a probe; a fault when it says nothing and the probe goes on.
    fn read(
        &mut self,
        probe: Probe,
        message: &Message<'_>,
        (source, destination): (SocketAddr, SocketAddr),
    ) -> Result<Answer, Fault> {
        let (from, to) = self.route(probe);
        if let Probe::HairpinOut | Probe::HairpinBack = probe {
            // Our own request comes back to us: its source is whatever the NAT makes of it.
            let other_end = if probe == Probe::HairpinOut { self.config.second } else { self.config.local };
            return match message.class() {
                Class::Request if destination == other_end => Ok(Answer::Arrived),
                _ => Err(Fault::WrongAddress),
            };
        }
        let where_asked = source == to && destination == from;
        let unnamed_port = probe == Probe::FilterPort
            && self.other().is_none()
            && (source.ip(), destination) == (to.ip(), from)
            && source.port() != to.port();
        if unnamed_port && self.alternate == Alternate::None {
            self.alternate = Alternate::Port(source);
        }
        let where_wanted = unnamed_port || (source, destination) == self.wanted(probe);
        match message.class() {
            Class::Request | Class::Indication => Err(Fault::NotAnAnswer),
            _ if !where_asked && !where_wanted => Err(Fault::WrongAddress),
            Class::Error => {
                let code = message.get::<ErrorCode<'_>>().ok().flatten().map_or(500, |error| error.code());
                Ok(Answer::Refused(code))
            }
            Class::Success if !where_wanted => Ok(Answer::Plain),
            Class::Success if unnamed_port || self.wanted(probe) != (to, from) => Ok(Answer::Arrived),
            Class::Success if probe == Probe::FilterPort => Ok(Answer::Plain),
            Class::Success => {
                let Some(mapped) = mapped_address(message) else { return Ok(Answer::Refused(500)) };
                if probe == Probe::Connect {
                    self.learn_server(message);
                }
                Ok(Answer::Mapped(mapped))
            }
        }
    }

    fn learn_server(&mut self, message: &Message<'_>) {
        let server = self.config.server;
        let usable = |other: &SocketAddr| {
            other.is_ipv4() == server.is_ipv4() && other.port() != 0 && !other.ip().is_unspecified()
        };
        let other = message.get::<OtherAddress>().ok().flatten().map(|other| other.0).filter(usable);
        self.alternate = match (other, self.config.alternate.filter(usable)) {
            (Some(other), _) if other.ip() != server.ip() && other.port() != server.port() => {
                Alternate::Both(other)
            }
            (_, Some(foreign)) if foreign.ip() != server.ip() => Alternate::Foreign(foreign),
            (Some(other), _) if other.ip() != server.ip() => Alternate::Foreign(other),
            (Some(other), _) | (None, Some(other)) if other.port() != server.port() => Alternate::Port(other),
            _ => Alternate::None,
        };
        // A gateway that rewrites whatever looks like an address (§3.6) cannot see through the XOR.
        if let (Ok(Some(plain)), Ok(Some(xored))) =
            (message.get::<MappedAddress>(), message.get::<XorMappedAddress>())
        {
            self.rewritten = Some(plain.0 != xored.0);
        }
    }

    /// From where to where a probe is sent.
    fn route(&self, probe: Probe) -> (SocketAddr, SocketAddr) {
        let Config { server, local, second, .. } = self.config;
        match probe {
            Probe::Connect | Probe::FilterBoth | Probe::FilterPort => (local, server),
            Probe::MapAddress => match self.alternate {
                Alternate::Both(other) => (local, SocketAddr::new(other.ip(), server.port())),
                Alternate::Port(other) | Alternate::Foreign(other) => (local, other),
                Alternate::None => (local, server),
            },
            Probe::MapGuess => {
                (local, SocketAddr::new(server.ip(), self.config.guess.unwrap_or(server.port())))
            }
            Probe::MapBoth => (local, self.other().unwrap_or(server)),
            Probe::Second | Probe::Control | Probe::Idle(_) => (second, server),
            Probe::HairpinOut => (local, self.mapped(Probe::Second).unwrap_or(second)),
            Probe::HairpinBack => (second, self.mapped(Probe::Connect).unwrap_or(local)),
            Probe::Open(index) => (self.lifetime_port(index), server),
        }
    }

    /// From where to where its answer travels, if all goes as asked.
    fn wanted(&self, probe: Probe) -> (SocketAddr, SocketAddr) {
        let (from, to) = self.route(probe);
        match probe {
            Probe::FilterBoth => (self.other().unwrap_or(to), from),
            Probe::FilterPort => {
                (SocketAddr::new(to.ip(), self.other().map_or(to.port(), |other| other.port())), from)
            }
            Probe::Control => (to, self.config.local),
            Probe::Idle(index) => (to, self.lifetime_port(index)),
            _ => (to, from),
        }
    }

    fn binding(&self, probe: Probe) -> Binding {
        let change = match probe {
            Probe::FilterBoth => Some(ChangeRequest { address: true, port: true }),
            Probe::FilterPort => Some(ChangeRequest { address: false, port: true }),
            _ => None,
        };
        let answer_to = match probe {
            Probe::Control => self.mapped(Probe::Connect),
            Probe::Idle(index) => self.mapped(Probe::Open(index)),
            _ => None,
        };
        Binding { change, response_port: answer_to.map(|mapped| mapped.port()) }
    }

    fn answered(&mut self, now: Instant, probe: Probe, answer: Answer) {
        self.answers.insert(probe, answer);
        match (probe, answer) {
            (Probe::Open(index), Answer::Mapped(_)) => {
                let until = now + self.config.lifetimes[index].0;
                self.idle.push(Idle { since: now, until, index });
            }
            (Probe::MapGuess, Answer::Mapped(_)) => {
                self.alternate = Alternate::Port(self.route(probe).1);
                self.answers.insert(Probe::MapAddress, answer);
            }
            _ => {}
        }
        self.advance(now);
    }

    /// Asks what can be asked by now, in the order of the module's documentation.
    fn advance(&mut self, now: Instant) {
        self.want(Probe::Connect);
        if let Some(mapped) = self.mapped(Probe::Connect) {
            self.advance_connected(now, mapped);
        }
        if now >= self.next_start
            && let Some(probe) = self.queue.pop_front()
        {
            self.start(probe);
            self.next_start = now + PACE;
        }
        if self.answers.values().all(|answer| *answer != Answer::Waiting)
            && self.idle.is_empty()
            && !self.over
        {
            self.over = true;
            self.finished = Some(Event::Finished(self.conclude()));
        }
    }

    fn advance_connected(&mut self, now: Instant, mapped: SocketAddr) {
        if let Alternate::Both(_) = self.alternate {
            self.want(Probe::FilterBoth);
        }
        // Servers with one address and two ports name no other, but may answer from there (RFC 5780 §5).
        self.want(Probe::FilterPort);
        self.want(Probe::Second);
        (0..self.config.lifetimes.len()).for_each(|index| self.want(Probe::Open(index)));
        if self.is_waiting(Probe::FilterBoth) || self.is_waiting(Probe::FilterPort) {
            return;
        }
        // Silence may be a filter before a port that the server has and cannot name: one of the same address.
        let guess = self.config.guess.filter(|guess| *guess != self.config.server.port()).is_some();
        if self.alternate == Alternate::None && guess && self.is_silent(Probe::FilterPort) {
            self.want(Probe::MapGuess);
            if self.is_waiting(Probe::MapGuess) {
                return;
            }
        }
        if self.alternate != Alternate::None {
            self.want(Probe::MapAddress);
            if self.is_waiting(Probe::MapAddress) {
                return;
            }
        }
        if let (Alternate::Both(_), true) = (self.alternate, self.mapped(Probe::MapAddress) != Some(mapped)) {
            self.want(Probe::MapBoth);
            if self.is_waiting(Probe::MapBoth) {
                return;
            }
        }
        let Some(_) = self.mapped(Probe::Second) else {
            if !self.is_waiting(Probe::Second) {
                self.idle.clear();
            }
            return;
        };
        if mapped != self.config.local {
            self.want(Probe::HairpinOut);
            self.want(Probe::HairpinBack);
        }
        let open = self.answers.get(&Probe::FilterBoth) == Some(&Answer::Arrived);
        if self.config.lifetimes.is_empty() || (mapped == self.config.local && open) {
            // Neither a NAT nor a filter: nothing that could expire.
            return self.idle.clear();
        }
        self.want(Probe::Control);
        match self.answers.get(&Probe::Control) {
            Some(Answer::Waiting) => {}
            Some(Answer::Arrived) => {
                let due: Vec<Idle> = self.idle.extract_if(.., |idle| idle.until <= now).collect();
                for Idle { since, index, .. } in due {
                    // The trial of RESPONSE-PORT may have taken longer than the binding was meant to idle.
                    self.config.lifetimes[index].0 = now - since;
                    self.want(Probe::Idle(index));
                }
            }
            _ => self.idle.clear(),
        }
    }

    fn want(&mut self, probe: Probe) {
        if let Entry::Vacant(entry) = self.answers.entry(probe) {
            entry.insert(Answer::Waiting);
            self.queue.push_back(probe);
        }
    }

    fn start(&mut self, probe: Probe) {
        let (id, mut bytes) = (self.ids.next_id(), Vec::new());
        let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, id);
        self.binding(probe).write(&mut writer);
        if probe == Probe::Connect {
            // A server that answers no more than 1.5 times what it was sent can then say all that §6.1 wants.
            writer.add(&Software(SOFTWARE));
        }
        if self.transactions.begin(id, self.route(probe), SCHEDULE, bytes, probe).is_err() {
            self.answers.insert(probe, Answer::Silent);
        }
    }

    fn is_waiting(&self, probe: Probe) -> bool {
        self.answers.get(&probe) == Some(&Answer::Waiting)
    }

    fn is_silent(&self, probe: Probe) -> bool {
        self.answers.get(&probe) == Some(&Answer::Silent)
    }

    fn mapped(&self, probe: Probe) -> Option<SocketAddr> {
        match self.answers.get(&probe) {
            Some(Answer::Mapped(mapped)) => Some(*mapped),
            _ => None,
        }
    }

    /// The server's own second address.
    fn other(&self) -> Option<SocketAddr> {
        match self.alternate {
            Alternate::Port(other) | Alternate::Both(other) => Some(other),
            Alternate::None | Alternate::Foreign(_) => None,
        }
    }

    fn lifetime_port(&self, index: usize) -> SocketAddr {
        self.config.lifetimes.get(index).map_or(self.config.local, |(_, port)| *port)
    }
}
