//! Outstanding requests and when to send them again (RFC 8489 §6.2): over datagrams with doubling
//! intervals (§6.2.1), over streams once, with a time limit (§6.2.2).
//!
//! This is the machinery alone. It knows nothing of credentials, addresses' meaning or what an answer
//! says: [`client`](crate::client) adds those for talking to a server, ICE's checks add their own.
//!
//! Call order: [`begin`](Transactions::begin) requests, send everything that
//! [`poll_transmit`](Transactions::poll_transmit) gives, call
//! [`handle_timeout`](Transactions::handle_timeout) when [`poll_timeout`](Transactions::poll_timeout) says,
//! give answers to [`finish`](Transactions::finish), and collect the rest from
//! [`poll_expired`](Transactions::poll_expired).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use wire::Transmit;

use crate::header::TransactionId;

mod identifiers;
mod round_trip;
#[cfg(test)]
mod tests;

pub use identifiers::TransactionIds;
pub use round_trip::RoundTrip;

/// No interval is longer, whatever the schedule says.
const MAX_INTERVAL: Duration = Duration::from_secs(3600);

/// When a request is sent again, and when it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Over UDP or DTLS: sent at 0, `rto`, 3 `rto`, 7 `rto`, … (RFC 8489 §6.2.1).
    Datagrams {
        /// The first interval; each next one is twice as long.
        rto: Duration,
        /// Rc: how often the request is sent in all, at least once.
        requests: u32,
        /// Rm: how many `rto` to wait after the last.
        last_wait: u32,
    },
    /// Over TCP or TLS: sent once, given up after Ti (RFC 8489 §6.2.2).
    Stream {
        /// Ti.
        timeout: Duration,
    },
}

impl Schedule {
    /// RTO 500 ms, Rc 7, Rm 16: given up after 39.5 s.
    pub const DATAGRAMS: Self =
        Self::Datagrams { rto: Duration::from_millis(500), requests: 7, last_wait: 16 };
    /// Ti 39.5 s.
    pub const STREAM: Self = Self::Stream { timeout: Duration::from_millis(39_500) };

    /// How long to wait after the request was sent `sent` times; whether to send it again then.
    fn after(self, sent: u32) -> (Duration, bool) {
        let (interval, again) = match self {
            Self::Stream { timeout } => (timeout, false),
            Self::Datagrams { rto, requests, last_wait } if sent >= requests => {
                (rto.saturating_mul(last_wait), false)
            }
            Self::Datagrams { rto, .. } => (rto.saturating_mul(1 << (sent.max(1) - 1).min(31)), true),
        };
        (interval.min(MAX_INTERVAL), again)
    }
}

/// The table of outstanding requests; `T` is what the caller wants to know when one ends.
#[derive(Debug)]
pub struct Transactions<T> {
    open: BTreeMap<TransactionId, Open<T>>,
    /// When something is due for the ones that were sent.
    deadlines: BTreeSet<(Instant, TransactionId)>,
    /// The ones to be sent now, the first or another time.
    unsent: VecDeque<TransactionId>,
    expired: VecDeque<T>,
    limit: usize,
}

#[derive(Debug)]
struct Open<T> {
    request: Vec<u8>,
    source: SocketAddr,
    destination: SocketAddr,
    schedule: Schedule,
    sent: u32,
    first_sent: Option<Instant>,
    deadline: Option<Instant>,
    value: T,
}

/// A transaction that got its answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Finished<T> {
    /// What the caller stored.
    pub value: T,
    /// How long the answer took, if the request was sent only once (Karn's algorithm).
    pub round_trip: Option<Duration>,
}

/// What the next deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A request is sent once more.
    Retransmission,
    /// A request is given up.
    GiveUp,
}

/// As many requests are outstanding as the table's limit allows: wait until one ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many requests are outstanding: wait until one of them ends")
    }
}

impl Error for TooMany {}

impl<T> Transactions<T> {
    /// An empty table of at most `limit` outstanding requests. RFC 8489 §6.2 wants ten to one server.
    pub fn new(limit: usize) -> Self {
        Self {
            open: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            unsent: VecDeque::new(),
            expired: VecDeque::new(),
            limit,
        }
    }

    /// Puts a request (a whole message) on its way from `source` to `destination`.
    ///
    /// `id` is the message's own; one that is still outstanding is replaced.
    pub fn begin(
        &mut self,
        id: TransactionId,
        (source, destination): (SocketAddr, SocketAddr),
        schedule: Schedule,
        request: Vec<u8>,
        value: T,
    ) -> Result<(), TooMany> {
        self.cancel(id);
        if self.open.len() >= self.limit {
            return Err(TooMany);
        }
        let open =
            Open { request, source, destination, schedule, sent: 0, first_sent: None, deadline: None, value };
        self.open.insert(id, open);
        self.unsent.push_back(id);
        Ok(())
    }

    /// How many requests are outstanding.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is outstanding.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// What the caller stored for an outstanding request.
    pub fn get(&self, id: TransactionId) -> Option<&T> {
        self.open.get(&id).map(|open| &open.value)
    }

    /// What the caller stored for an outstanding request, to change it.
    pub fn get_mut(&mut self, id: TransactionId) -> Option<&mut T> {
        self.open.get_mut(&id).map(|open| &mut open.value)
    }

    /// From where and to where an outstanding request is sent.
    pub fn path(&self, id: TransactionId) -> Option<(SocketAddr, SocketAddr)> {
        self.open.get(&id).map(|open| (open.source, open.destination))
    }

    /// Ends a transaction because its answer came.
    pub fn finish(&mut self, now: Instant, id: TransactionId) -> Option<Finished<T>> {
        let open = self.remove(id)?;
        let round_trip = match (open.sent, open.first_sent) {
            (1, Some(first)) => Some(now.saturating_duration_since(first)),
            _ => None,
        };
        Some(Finished { value: open.value, round_trip })
    }

    /// Ends a transaction without an answer.
    pub fn cancel(&mut self, id: TransactionId) -> Option<T> {
        self.remove(id).map(|open| open.value)
    }

    /// Sends a request no more, and waits for its answer `wait` longer: what ICE calls to cancel a check
    /// (RFC 8445 §7.3.1.4). One that was never sent ends at once.
    pub fn hold(&mut self, now: Instant, id: TransactionId, wait: Duration) {
        let Some(open) = self.open.get_mut(&id) else { return };
        if open.sent == 0 {
            self.remove(id);
            return;
        }
        open.schedule = Schedule::Stream { timeout: wait };
        match open.deadline.replace(now + wait) {
            Some(before) => {
                self.deadlines.remove(&(before, id));
            }
            None => self.unsent.retain(|other| *other != id),
        }
        self.deadlines.insert((now + wait, id));
    }

    /// Ends all transactions, in the order of their identifiers, because their path is gone.
    pub fn cancel_all(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.deadlines.clear();
        self.unsent.clear();
        std::mem::take(&mut self.open).into_values().map(|open| open.value)
    }

    /// Queues what must be sent again by now, and ends what has waited long enough.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((deadline, id)) = self.deadlines.first().copied() {
            if deadline > now {
                break;
            }
            self.deadlines.remove(&(deadline, id));
            let Some(open) = self.open.get_mut(&id) else { continue };
            open.deadline = None;
            if open.schedule.after(open.sent).1 {
                self.unsent.push_back(id);
            } else if let Some(value) = self.cancel(id) {
                self.expired.push_back(value);
            }
        }
    }

    /// Appends the next request that must be sent now.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        while let Some(id) = self.unsent.pop_front() {
            let Some(open) = self.open.get_mut(&id) else { continue };
            open.sent += 1;
            open.first_sent.get_or_insert(now);
            let deadline = now + open.schedule.after(open.sent).0;
            open.deadline = Some(deadline);
            self.deadlines.insert((deadline, id));
            buffer.extend_from_slice(&open.request);
            return Some(Transmit { source: open.source, destination: open.destination, segment_size: None });
        }
        None
    }

    /// The next one that got no answer in time.
    pub fn poll_expired(&mut self) -> Option<T> {
        self.expired.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), and what for.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let (deadline, id) = self.deadlines.first()?;
        let again = self.open.get(id).is_some_and(|open| open.schedule.after(open.sent).1);
        Some((*deadline, if again { Reason::Retransmission } else { Reason::GiveUp }))
    }

    fn remove(&mut self, id: TransactionId) -> Option<Open<T>> {
        let open = self.open.remove(&id)?;
        if let Some(deadline) = open.deadline {
            self.deadlines.remove(&(deadline, id));
        } else {
            self.unsent.retain(|other| *other != id);
        }
        if self.open.is_empty() {
            // An empty tree keeps its root, of 2 KiB.
            self.open = BTreeMap::new();
            self.deadlines = BTreeSet::new();
            self.unsent = VecDeque::new();
        }
        Some(open)
    }
}
