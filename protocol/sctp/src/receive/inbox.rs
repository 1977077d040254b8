//! Fragments become messages (RFC 9260 §6.5, §6.6, §6.9), within a bound.
//!
//! Limits: what waits here, be it for missing fragments or for the application, stays within
//! `Config::receive_window` (an eighth more for the one chunk that everything waits for). Each message that
//! waits counts [`OVERHEAD`] bytes more than it has, so does each fragment.

use std::collections::VecDeque;

use super::assembly::{Part, TooLong};
use super::ordered::Ordered;
use super::stash::{Stash, Stashed};
use super::unordered::Unordered;
use crate::buffers::Buffers;
use crate::config::Config;
use crate::event::{Event, ReceivedMessage};
use crate::serial::{BEGINNING, expand, expand_16};
use crate::slab::ByStream;

/// What a message or fragment costs beside its bytes.
const OVERHEAD: usize = 128;

/// How many times as much as it holds a message's buffer may take.
const SLACK: usize = 4;

/// A DATA or I-DATA chunk, with its TSN unwrapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) tsn: u64,
    pub(crate) stream: u16,
    pub(crate) number: Number,
    pub(crate) ppid: u32,
    pub(crate) unordered: bool,
    pub(crate) begin: bool,
    pub(crate) end: bool,
    pub(crate) payload: &'a [u8],
}

/// How a chunk names its message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// DATA: fragments have consecutive TSNs.
    Ssn(u16),
    /// I-DATA.
    Mid { mid: u32, fsn: u32 },
}

/// A chunk was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no room now.
    NoRoom,
    /// There will never be room: everything here waits for fragments that find no room.
    Exhausted,
    /// The message is longer than we said we take.
    TooLong,
}

#[derive(Debug)]
struct Lanes {
    ordered: Ordered,
    unordered: Option<Box<Unordered>>,
}

/// What the messages of all streams share.
pub(super) struct Shared<'a> {
    pub(super) buffers: &'a mut Buffers,
    pub(super) used: &'a mut usize,
    waiting: &'a mut usize,
    pub(super) next_id: &'a mut u64,
    pub(super) events: &'a mut VecDeque<Event>,
    pub(super) piece_size: usize,
    pub(super) max_message_size: u64,
}

impl Shared<'_> {
    #[inline]
    pub(super) fn deliver(&mut self, mut message: ReceivedMessage) {
        if message.data.capacity() / SLACK > message.data.len() {
            // Used again after a longer message. The application may hold it for long, and only its length is counted.
            message.data.shrink_to_fit();
        }
        let cost = message.data.len() + OVERHEAD;
        *self.used += cost;
        *self.waiting += cost;
        self.events.push_back(Event::Message(message));
    }

    pub(super) fn stash(&mut self, stash: &mut Stash, key: (u64, u64), part: &Part<'_>) {
        let mut payload = self.buffers.take(part.payload.len());
        payload.extend_from_slice(part.payload);
        *self.used += payload.len() + OVERHEAD;
        let Part { begin, end, ppid, .. } = *part;
        if let Some(second) = stash.insert(Stashed { key, begin, end, ppid, payload }) {
            self.unstash(second);
        }
    }

    pub(super) fn unstash(&mut self, entry: Stashed) {
        *self.used -= entry.payload.len() + OVERHEAD;
        self.buffers.give_back(entry.payload);
    }
}

/// All streams that we receive on.
#[derive(Debug)]
pub(crate) struct Inbox {
    streams: ByStream<Lanes>,
    buffers: Buffers,
    used: usize,
    /// Of `used`: what waits for the application.
    waiting: usize,
    limit: usize,
    piece_size: usize,
    max_message_size: u64,
    next_id: u64,
}

impl Inbox {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            streams: ByStream::default(),
            buffers: Buffers::default(),
            used: 0,
            waiting: 0,
            limit: config.receive_window,
            piece_size: config.piece_size,
            max_message_size: config.max_receive_message_size,
            next_id: 0,
        }
    }

    /// Bytes for which there is room.
    pub(crate) fn window(&self) -> usize {
        self.limit.saturating_sub(self.used)
    }

    fn split<'a>(&'a mut self, events: &'a mut VecDeque<Event>) -> (&'a mut ByStream<Lanes>, Shared<'a>) {
        let shared = Shared {
            buffers: &mut self.buffers,
            used: &mut self.used,
            waiting: &mut self.waiting,
            next_id: &mut self.next_id,
            events,
            piece_size: self.piece_size,
            max_message_size: self.max_message_size,
        };
        (&mut self.streams, shared)
    }

    /// Takes a chunk that did not arrive before. `is_next`: no earlier TSN is missing.
    #[inline]
    pub(crate) fn take(
        &mut self,
        chunk: &Incoming<'_>,
        is_next: bool,
        events: &mut VecDeque<Event>,
    ) -> Result<(), Refusal> {
        if self.used + chunk.payload.len() > self.limit {
            if !is_next || self.waiting > 0 && self.used > self.limit + self.limit / 8 {
                return Err(Refusal::NoRoom);
            }
            if self.used > self.limit + self.limit / 8 {
                return Err(Refusal::Exhausted);
            }
        }
        let (streams, mut shared) = self.split(events);
        let lanes = streams
            .get_or_insert_with(chunk.stream, || Lanes { ordered: Ordered::new(BEGINNING), unordered: None });
        let Incoming { stream, ppid, unordered, begin, end, payload, .. } = *chunk;
        let part = Part { stream, unordered, begin, end, ppid, payload };
        let taken = if unordered {
            let lane = lanes.unordered.get_or_insert_with(|| Box::new(Unordered::new(BEGINNING)));
            let key = match chunk.number {
                Number::Ssn(_) => (0, chunk.tsn),
                Number::Mid { mid, fsn } => {
                    let message = expand(lane.highest, mid);
                    lane.highest = lane.highest.max(message);
                    (message, u64::from(fsn))
                }
            };
            lane.take(key, &part, &mut shared)
        } else {
            let next = lanes.ordered.next();
            let key = match chunk.number {
                Number::Ssn(ssn) => (expand_16(next, ssn), chunk.tsn),
                Number::Mid { mid, fsn } => (expand(next, mid), u64::from(fsn)),
            };
            lanes.ordered.take(key, &part, &mut shared)
        };
        taken.map_err(|TooLong| Refusal::TooLong)
    }

    /// The application took a message.
    pub(crate) fn taken(&mut self, length: usize) {
        self.used = self.used.saturating_sub(length + OVERHEAD);
        self.waiting = self.waiting.saturating_sub(length + OVERHEAD);
    }

    /// The application needs this buffer no more.
    pub(crate) fn recycle(&mut self, buffer: Vec<u8>) {
        self.buffers.give_back(buffer);
    }

    /// Ordered messages of the stream up to this one will not come (RFC 3758 §3.6).
    pub(crate) fn skip_ordered(
        &mut self,
        stream: u16,
        number: Number,
        events: &mut VecDeque<Event>,
    ) -> Result<(), Refusal> {
        let (streams, mut shared) = self.split(events);
        let lanes = streams
            .get_or_insert_with(stream, || Lanes { ordered: Ordered::new(BEGINNING), unordered: None });
        let next = lanes.ordered.next();
        let message = match number {
            Number::Ssn(ssn) => expand_16(next, ssn),
            Number::Mid { mid, .. } => expand(next, mid),
        };
        lanes.ordered.skip(message, stream, &mut shared).map_err(|TooLong| Refusal::TooLong)
    }

    /// Unordered messages of the stream up to this one will not be whole (RFC 8260 §2.3.1).
    pub(crate) fn skip_unordered(&mut self, stream: u16, mid: u32, events: &mut VecDeque<Event>) {
        let (streams, mut shared) = self.split(events);
        if let Some(lane) = streams.get_mut(stream).and_then(|lanes| lanes.unordered.as_mut()) {
            let message = expand(lane.highest, mid);
            lane.highest = lane.highest.max(message);
            lane.skip(stream, &mut shared, |key| key.0 <= message);
        }
    }

    /// Unordered messages that lack a fragment up to this TSN will not be whole (RFC 3758 §3.6).
    pub(crate) fn skip_unordered_up_to(&mut self, tsn: u64, events: &mut VecDeque<Event>) {
        let (streams, mut shared) = self.split(events);
        for (stream, lanes) in streams.iter_mut() {
            if let Some(lane) = &mut lanes.unordered {
                lane.skip(stream, &mut shared, |key| key.1 <= tsn);
            }
        }
    }

    /// The peer reset the stream (RFC 6525 §5.2.2).
    pub(crate) fn reset(&mut self, stream: u16, events: &mut VecDeque<Event>) {
        let (streams, mut shared) = self.split(events);
        if let Some(mut lanes) = streams.remove(stream) {
            lanes.ordered.clear(stream, BEGINNING, &mut shared);
            if let Some(lane) = &mut lanes.unordered {
                lane.clear(stream, BEGINNING, &mut shared);
            }
        }
    }

    /// The streams that we received something on.
    pub(crate) fn streams(&mut self) -> Vec<u16> {
        self.streams.iter_mut().map(|(stream, _)| stream).collect()
    }

    /// Gives back memory that a busy past needed.
    pub(crate) fn shrink(&mut self) {
        for (_, lanes) in self.streams.iter_mut() {
            lanes.ordered.shrink();
            if let Some(lane) = &mut lanes.unordered {
                lane.shrink();
            }
        }
        self.buffers = Buffers::default();
    }
}
