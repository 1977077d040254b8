//! One SCTP association over DTLS (RFC 9260, RFC 8261), as a state machine.

mod ending;
mod handshake;
mod heartbeat;
mod path_mtu;
mod receive;
mod reset;
mod session;
mod timers;
mod transmit;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::config::Config;
use crate::event::{CloseReason, Event};
use crate::fault::{Fault, Faults};
use crate::packet::Init;
use crate::random::mix;
use crate::receive::Inbox;
use crate::send::{Options, Outbox, SendError};
use crate::time::{Clock, Time};

pub use handshake::BadInit;
use handshake::{Answer, Echo, Retry};
use session::{Phase, Session};

/// A packet was appended to the caller's buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transmit {
    /// It probes the path's MTU (RFC 8899): it must not be fragmented on its way, and may get lost.
    pub is_probe: bool,
}

/// An association between two ends of a DTLS connection.
///
/// Call order: after [`connect`](Self::connect) (both ends may), and after each call that takes `now`, call
/// [`poll_transmit`](Self::poll_transmit) until it returns `None`, [`poll_event`](Self::poll_event) until it
/// returns `None`, and [`handle_timeout`](Self::handle_timeout) when the time of
/// [`poll_timeout`](Self::poll_timeout) comes. Taking messages makes room: a `poll_transmit` after it may
/// tell the peer so.
///
/// Memory: an idle one takes a few KiB. A busy one is bounded by `Config::receive_window`,
/// `Config::send_buffer` and `Config::max_in_flight`, and about 100 bytes for each packet under way.
#[derive(Debug)]
pub struct Association {
    config: Config,
    clock: Clock,
    /// What we say in INIT, INIT ACK and SDP.
    local: Init,
    seed: u64,
    state: State,
    outbox: Outbox,
    inbox: Inbox,
    events: VecDeque<Event>,
    faults: Faults,
    /// The last INIT that we answered.
    answer: Option<Answer>,
    /// Chunks that go out alone, with the tag they go to: `MAX_PREPARED` at most.
    prepared: VecDeque<(u32, Vec<u8>)>,
    /// INIT chunks that were sent and received.
    inits: u32,
}

/// Packets outside of an association that wait to be sent.
const MAX_PREPARED: usize = 4;

#[derive(Debug)]
enum State {
    /// Nothing was said yet, or only an INIT of the peer's was answered.
    Closed,
    /// We sent an INIT.
    CookieWait(Retry),
    /// We sent a COOKIE ECHO.
    CookieEchoed(Echo),
    /// Established, or shutting down.
    Open(Box<Session>),
    Ended,
}

impl Association {
    /// A new association that does nothing until [`Self::connect`] is called or the peer begins. `seed`
    /// must be another for each: tags, first TSNs and the times of probes come from it.
    pub fn new(now: Instant, config: Config, seed: u64) -> Self {
        let config = config.within_bounds();
        let [tag, tsn] = [mix(seed), mix(seed ^ 1)].map(|random| (random >> 32) as u32);
        let local = Init {
            initiate_tag: tag.max(1),
            a_rwnd: u32::try_from(config.receive_window).unwrap_or(u32::MAX),
            outbound_streams: config.streams,
            inbound_streams: config.streams,
            initial_tsn: tsn,
            partial_reliability: true,
            reconfig: true,
            interleaving: config.interleaving,
            padding: config.max_packet_size >= 2 * config.packet_size,
            zero_checksum: config.zero_checksum,
        };
        Self {
            clock: Clock::new(now),
            local,
            seed: mix(seed ^ 2),
            state: State::Closed,
            outbox: Outbox::new(config.send_buffer, config.streams),
            inbox: Inbox::new(&config),
            events: VecDeque::new(),
            faults: Faults::default(),
            answer: None,
            prepared: VecDeque::new(),
            inits: 0,
            config,
        }
    }

    /// Takes a packet, as DTLS opened it. An error tells of the first fault; what else the packet held was
    /// taken.
    pub fn handle_packet(&mut self, now: Instant, packet: &[u8]) -> Result<(), Fault> {
        let now = self.clock.time(now);
        self.receive(now, packet)
    }

    /// Does what is due at `now`. Calling it too early, or too often, does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.clock.time(now);
        self.expire(now);
    }

    /// Appends one packet to `buffer`, behind whatever is there, if there is one to send now. Call it until
    /// it returns `None`.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let now = self.clock.time(now);
        self.transmit(now, buffer)
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            if let Event::Message(message) = &event {
                self.inbox.taken(message.data.len());
                if let State::Open(session) = &mut self.state {
                    session.acknowledger.window_changed(self.inbox.window(), self.config.receive_window);
                }
            }
            return Some(event);
        }
        if let Some(stream) = self.outbox.take_low() {
            return Some(Event::BufferedAmountLow { stream });
        }
        self.outbox.take_writable().then_some(Event::Writable)
    }

    /// When [`Self::handle_timeout`] is to be called next, and what for.
    pub fn poll_timeout(&self) -> Option<(Instant, crate::Reason)> {
        let (time, reason) = self.deadline()?;
        Some((self.clock.instant(time), reason))
    }

    /// Queues a message without copying it; its fragments are cut when they leave. Before the association
    /// is established messages wait; those for streams that the peer then does not take
    /// ([`stream_limit`](Self::stream_limit)) are dropped.
    pub fn send(
        &mut self,
        now: Instant,
        stream: u16,
        ppid: u32,
        bytes: Bytes,
        options: Options,
    ) -> Result<(), SendError> {
        self.check_open()?;
        self.outbox.push(self.clock.time(now), (stream, ppid), bytes, options)
    }

    /// Queues a copy of a message, in a buffer that is used again.
    pub fn send_copy(
        &mut self,
        now: Instant,
        stream: u16,
        ppid: u32,
        bytes: &[u8],
        options: Options,
    ) -> Result<(), SendError> {
        self.check_open()?;
        self.outbox.push_copy(self.clock.time(now), (stream, ppid), bytes, options)
    }

    fn check_open(&self) -> Result<(), SendError> {
        match &self.state {
            State::Ended => Err(SendError::Closed),
            State::Open(session) if session.phase != Phase::Established => Err(SendError::Closed),
            _ => Ok(()),
        }
    }

    /// Takes back the buffer of a message that is not needed any more, to use it again.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        self.inbox.recycle(buffer);
    }

    /// Bytes of the stream that wait to be sent for the first time.
    pub fn buffered_amount(&self, stream: u16) -> usize {
        self.outbox.buffered_amount(stream)
    }

    /// When the stream's [`Self::buffered_amount`] falls to this, [`Event::BufferedAmountLow`] says so. Zero
    /// at first.
    pub fn set_buffered_amount_low_threshold(&mut self, stream: u16, threshold: usize) {
        self.outbox.set_low_threshold(stream, threshold);
    }

    /// The stream's share beside others that have something to send; 256 at first. With interleaving
    /// (RFC 8260) it holds for every packet, without between messages.
    pub fn set_weight(&mut self, stream: u16, weight: u16) {
        self.outbox.set_weight(stream, weight);
    }

    /// Whether data flows.
    pub fn is_established(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Whether the association has ended.
    pub fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Streams that we may send on: from zero up to, not including, this.
    pub fn stream_limit(&self) -> u16 {
        self.outbox.stream_limit()
    }

    /// What the peer did wrong so far.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Figures of the present.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            buffered: self.outbox.total_buffered(),
            receive_window: self.inbox.window(),
            inits: self.inits,
            ..Stats::default()
        };
        if let State::Open(session) = &self.state {
            let (round_trip, congestion) = (session.sender.round_trip(), session.sender.congestion());
            stats.round_trip = round_trip.smoothed().map(Duration::from_nanos);
            stats.congestion_window = congestion.cwnd();
            stats.bandwidth = congestion.bandwidth();
            stats.in_flight = session.sender.in_flight();
            stats.packet_size = session.packet_size;
            stats.interleaving = session.interleaving;
            stats.zero_checksum = session.zero_checksum;
            stats.congestion_state = Some(congestion.state());
        }
        stats
    }

    fn push_prepared(&mut self, tag: u32, write: impl FnOnce(&mut Vec<u8>)) {
        if self.prepared.len() < MAX_PREPARED {
            let mut chunk = Vec::new();
            write(&mut chunk);
            self.prepared.push_back((tag, chunk));
        }
    }

    fn end(&mut self, reason: CloseReason) {
        if !self.is_ended() {
            self.state = State::Ended;
            self.outbox = Outbox::new(0, 0);
            self.events.push_back(Event::Closed(reason));
        }
    }

    fn agree(&mut self, session: &Session) {
        let Session { outbound_streams, interleaving, partial_reliability, .. } = *session;
        self.outbox.agree(outbound_streams, interleaving, partial_reliability);
    }

    fn establish(&mut self, session: Box<Session>) {
        self.agree(&session);
        self.state = State::Open(session);
        self.events.push_back(Event::Established);
    }
}

/// Figures of an association, for statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Smoothed round trip.
    pub round_trip: Option<Duration>,
    /// Bytes that may be under way.
    pub congestion_window: u64,
    /// Bytes under way.
    pub in_flight: u64,
    /// What the path is believed to deliver, in bytes a second.
    pub bandwidth: u64,
    /// Bytes that wait to be sent for the first time.
    pub buffered: usize,
    /// Bytes for which we have room.
    pub receive_window: usize,
    /// Bytes of the largest packets.
    pub packet_size: usize,
    /// Messages may be interleaved.
    pub interleaving: bool,
    /// Our packets have no checksum.
    pub zero_checksum: bool,
    /// INIT chunks that were sent and received: none where descriptions said them.
    pub inits: u32,
    /// Where the congestion control stands.
    pub(crate) congestion_state: Option<crate::congestion::State>,
}

/// The earlier of two deadlines.
fn earlier(
    a: Option<(Time, crate::Reason)>,
    b: Option<(Time, crate::Reason)>,
) -> Option<(Time, crate::Reason)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.0 < a.0 { b } else { a }),
        (a, b) => a.or(b),
    }
}
