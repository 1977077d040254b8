//! Messages that wait to be sent (RFC 9260 §11.1.5; RFC 8260 §3).
//!
//! Limits: the bytes that wait, each message counting [`MESSAGE_OVERHEAD`] more, stay within
//! `Config::send_buffer`, and a quarter more for streams with at most [`MODEST`] bytes waiting; what is
//! under way is bounded by the congestion window and `Config::max_in_flight`.

use std::collections::VecDeque;

use bytes::Bytes;

use super::fragment::Fragment;
use super::message::{Message, Options, Payload, Reliability, SendError};
use super::scheduler::Scheduler;
use crate::buffers::Buffers;
use crate::slab::{ByStream, Slab};
use crate::time::{Time, nanos};

/// What a message costs beside its bytes.
pub(crate) const MESSAGE_OVERHEAD: usize = 128;
/// Bytes that wait for a stream which is taken into the reserve.
const MODEST: usize = 64 << 10;
/// The weight of a stream that was given none: "normal" of RFC 8831 §6.4.
const NORMAL_WEIGHT: u16 = 256;
const NONE: u32 = u32::MAX;

/// A stream that we send on.
#[derive(Debug)]
struct Stream {
    /// First and last message that is not wholly sent.
    head: u32,
    tail: u32,
    /// Bytes not yet sent.
    buffered: usize,
    low_threshold: usize,
    weight: u16,
    virtual_time: u64,
    next_ordered: u32,
    next_unordered: u32,
    resetting: bool,
    /// The scheduler knows it. It may have nothing to send any more; then its turn shows that.
    scheduled: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            head: NONE,
            tail: NONE,
            buffered: 0,
            low_threshold: 0,
            weight: NORMAL_WEIGHT,
            virtual_time: 0,
            next_ordered: 0,
            next_unordered: 0,
            resetting: false,
            scheduled: false,
        }
    }
}

/// What the scheduler found.
pub(crate) enum Next {
    Fragment(Fragment),
    /// This message, of which a part was sent, became too old.
    Expired(u32),
}

/// Messages by stream, and the streams' turns.
#[derive(Debug)]
pub(crate) struct Outbox {
    messages: Slab<Message>,
    streams: ByStream<Stream>,
    scheduler: Scheduler,
    /// Bytes and overhead that count against the limit.
    charged: usize,
    limit: usize,
    /// Bytes that wait.
    buffered: usize,
    /// Someone was refused.
    was_full: bool,
    /// Streams whose amount fell to the threshold.
    low: VecDeque<u16>,
    /// Where copies of messages are kept.
    buffers: Buffers,
    /// The peer can skip what we give up.
    pub(crate) partial_reliability: bool,
    interleaving: bool,
    /// Streams that the peer takes.
    stream_limit: u16,
}

impl Outbox {
    pub(crate) fn new(limit: usize, stream_limit: u16) -> Self {
        Self {
            messages: Slab::default(),
            streams: ByStream::default(),
            scheduler: Scheduler::default(),
            charged: 0,
            limit,
            buffered: 0,
            was_full: false,
            low: VecDeque::new(),
            buffers: Buffers::default(),
            partial_reliability: false,
            interleaving: false,
            stream_limit,
        }
    }

    /// What was agreed upon with the peer. Messages that wait for streams which it does not take are dropped: nothing may
    /// be sent on those (RFC 9260 §6.5).
    pub(crate) fn agree(&mut self, stream_limit: u16, interleaving: bool, partial_reliability: bool) {
        (self.interleaving, self.partial_reliability) = (interleaving, partial_reliability);
        self.stream_limit = stream_limit;
        let beyond = self.streams.iter_mut().map(|(id, _)| id).filter(|id| *id >= stream_limit);
        for id in beyond.collect::<Vec<_>>() {
            while !self.is_drained(id) {
                self.drop_head(id);
            }
        }
    }

    /// Streams that the peer takes; before it has said so, those that we hope for.
    pub(crate) fn stream_limit(&self) -> u16 {
        self.stream_limit
    }

    /// Takes a message without copying it.
    pub(crate) fn push(
        &mut self,
        now: Time,
        (stream, ppid): (u16, u32),
        bytes: Bytes,
        options: Options,
    ) -> Result<(), SendError> {
        self.check(stream, bytes.len())?;
        self.enqueue(now, (stream, ppid), Payload::Shared(bytes), options);
        Ok(())
    }

    /// Takes a copy of a message, in a buffer that is used again.
    pub(crate) fn push_copy(
        &mut self,
        now: Time,
        (stream, ppid): (u16, u32),
        bytes: &[u8],
        options: Options,
    ) -> Result<(), SendError> {
        self.check(stream, bytes.len())?;
        let mut buffer = self.buffers.take(bytes.len());
        buffer.extend_from_slice(bytes);
        self.enqueue(now, (stream, ppid), Payload::Owned(buffer), options);
        Ok(())
    }

    fn check(&mut self, stream: u16, length: usize) -> Result<(), SendError> {
        if length == 0 {
            return Err(SendError::Empty);
        }
        if u32::try_from(length).is_err() {
            return Err(SendError::TooLong);
        }
        if stream >= self.stream_limit {
            return Err(SendError::NoSuchStream);
        }
        if self.streams.get(stream).is_some_and(|stream| stream.resetting) {
            return Err(SendError::Resetting);
        }
        // A message that is larger than the whole buffer is taken when nothing else waits.
        if self.charged > 0 && self.charged + length + MESSAGE_OVERHEAD > self.limit_of(stream, length) {
            self.was_full = true;
            return Err(SendError::Full);
        }
        Ok(())
    }

    /// How much may wait in all for this stream to take a message: more for one that has little waiting, so that a stream
    /// which fills the buffer does not shut out the others.
    fn limit_of(&self, stream: u16, length: usize) -> usize {
        let waiting = self.streams.get(stream).map_or(0, |stream| stream.buffered);
        let reserve = if waiting + length <= MODEST { self.limit / 4 } else { 0 };
        self.limit.saturating_add(reserve)
    }

    fn enqueue(&mut self, now: Time, (id, ppid): (u16, u32), payload: Payload, options: Options) {
        let length = payload.as_slice().len();
        let (max_retransmits, expires) = match options.reliability {
            Reliability::Reliable => (u16::MAX, Time::NEVER),
            Reliability::MaxRetransmits(most) => (most.min(u16::MAX - 1), Time::NEVER),
            Reliability::MaxLifetime(lifetime) => (u16::MAX, now.plus(nanos(lifetime))),
        };
        let message = self.messages.insert(Message {
            payload,
            stream: id,
            unordered: options.unordered,
            ppid,
            number: 0,
            sent: 0,
            fragments: 0,
            under_way: 0,
            first_tsn: 0,
            last_tsn: 0,
            max_retransmits,
            expires,
            queued: true,
            abandoned: false,
            next: NONE,
        });
        let stream = self.streams.get_or_insert_with(id, Stream::default);
        if stream.head == NONE {
            stream.head = message;
        } else if let Some(tail) = self.messages.get_mut(stream.tail) {
            tail.next = message;
        }
        if !stream.scheduled {
            stream.scheduled = true;
            self.scheduler.activate(id, stream.virtual_time);
        }
        stream.tail = message;
        stream.buffered += length;
        self.buffered += length;
        self.charged += length + MESSAGE_OVERHEAD;
    }

    /// Whether nothing waits to be sent for the first time.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.buffered == 0
    }

    /// Bytes of the stream that wait to be sent for the first time.
    pub(crate) fn buffered_amount(&self, stream: u16) -> usize {
        self.streams.get(stream).map_or(0, |stream| stream.buffered)
    }

    /// Bytes of all streams that wait to be sent for the first time.
    pub(crate) fn total_buffered(&self) -> usize {
        self.buffered
    }

    #[inline]
    pub(crate) fn message(&self, index: u32) -> Option<&Message> {
        self.messages.get(index)
    }

    #[inline]
    pub(crate) fn message_mut(&mut self, index: u32) -> Option<&mut Message> {
        self.messages.get_mut(index)
    }

    /// The next fragment for a packet that has `room` bytes for payload, `full` being what an otherwise
    /// empty packet has. A message is begun at the end of a packet only where it fits whole or at least
    /// half a packet is left: splitting small messages costs more than it fills.
    #[inline]
    pub(crate) fn next(&mut self, now: Time, room: usize, full: usize) -> Option<Next> {
        loop {
            let Self { scheduler, streams, messages, .. } = self;
            let id = scheduler.pick(|current| {
                self.interleaving
                    || streams
                        .get(current)
                        .and_then(|stream| messages.get(stream.head))
                        .is_none_or(|message| message.sent == 0)
            })?;
            let stream = streams.get_mut(id)?;
            let index = stream.head;
            let Some(message) = messages.get_mut(index) else {
                stream.virtual_time = scheduler.retire();
                stream.scheduled = false;
                continue;
            };
            if now >= message.expires && self.partial_reliability {
                let is_unsent = message.sent == 0;
                self.drop_head(id);
                if is_unsent {
                    continue;
                }
                return Some(Next::Expired(index));
            }
            let left = message.len() - message.sent;
            let length = (left as usize).min(room);
            if length < left as usize && room < full && room * 2 < full {
                return None;
            }
            if message.sent == 0 {
                let counter =
                    if message.unordered { &mut stream.next_unordered } else { &mut stream.next_ordered };
                // Without interleaving, unordered messages have no number (RFC 9260 §3.3.1).
                if self.interleaving || !message.unordered {
                    message.number = *counter;
                    *counter = counter.wrapping_add(1);
                }
            }
            let Ok(length) = u16::try_from(length) else { return None };
            let fragment = Fragment { message: index, offset: message.sent, length, fsn: message.fragments };
            message.sent += u32::from(length);
            message.fragments += 1;
            message.under_way += 1;
            let weight = stream.weight;
            let is_done = message.sent == message.len();
            self.scheduler.served(u64::from(length), weight);
            self.unbuffer(id, usize::from(length));
            if is_done {
                self.charged = self.charged.saturating_sub(MESSAGE_OVERHEAD);
                self.unlink_head(id);
            }
            return Some(Next::Fragment(fragment));
        }
    }

    /// Takes the first message out of its stream's queue. It is forgotten, unless some of it was sent.
    fn drop_head(&mut self, id: u16) {
        let Some(index) = self.streams.get(id).map(|stream| stream.head) else { return };
        let Some(message) = self.messages.get(index) else { return };
        let (unsent, was_begun) = ((message.len() - message.sent) as usize, message.sent > 0);
        self.unbuffer(id, unsent);
        self.charged = self.charged.saturating_sub(MESSAGE_OVERHEAD);
        self.unlink_head(id);
        if !was_begun {
            self.forget(index);
        }
    }

    fn unlink_head(&mut self, id: u16) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let Some(message) = self.messages.get_mut(stream.head) else { return };
        message.queued = false;
        stream.head = message.next;
    }

    fn unbuffer(&mut self, id: u16, bytes: usize) {
        self.buffered -= bytes.min(self.buffered);
        self.charged = self.charged.saturating_sub(bytes);
        let Some(stream) = self.streams.get_mut(id) else { return };
        let before = stream.buffered;
        stream.buffered = before.saturating_sub(bytes);
        if before > stream.low_threshold && stream.buffered <= stream.low_threshold {
            self.low.push_back(id);
        }
    }

    /// Takes a message that is given up out of its stream's queue, where it still is there. Only the first
    /// message of a stream can have been begun.
    pub(crate) fn withdraw(&mut self, index: u32) {
        let Some(message) = self.messages.get_mut(index) else { return };
        message.abandoned = true;
        let (queued, stream) = (message.queued, message.stream);
        if queued && self.streams.get(stream).is_some_and(|stream| stream.head == index) {
            self.drop_head(stream);
        }
    }

    /// One chunk of the message needs it no more.
    #[inline]
    pub(crate) fn release(&mut self, index: u32) {
        let Some(message) = self.messages.get_mut(index) else { return };
        message.under_way -= 1;
        if message.under_way == 0 && !message.queued {
            self.forget(index);
        }
    }

    fn forget(&mut self, index: u32) {
        if let Some(Message { payload: Payload::Owned(buffer), .. }) = self.messages.remove(index) {
            self.buffers.give_back(buffer);
        }
    }
}

/// Streams: what the application sets and asks, and their reset (RFC 6525 §5).
impl Outbox {
    /// The stream's share beside others (RFC 8260 §3.6).
    pub(crate) fn set_weight(&mut self, stream: u16, weight: u16) {
        self.streams.get_or_insert_with(stream, Stream::default).weight = weight.max(1);
    }

    pub(crate) fn set_low_threshold(&mut self, stream: u16, threshold: usize) {
        self.streams.get_or_insert_with(stream, Stream::default).low_threshold = threshold;
    }

    /// A stream whose amount fell to its threshold.
    pub(crate) fn take_low(&mut self) -> Option<u16> {
        self.low.pop_front()
    }

    /// Whether someone was refused, and there is room again.
    pub(crate) fn take_writable(&mut self) -> bool {
        let is_writable = self.was_full && self.charged * 2 <= self.limit;
        self.was_full &= !is_writable;
        is_writable
    }

    /// No more messages for these streams, until [`Self::finish_reset`].
    pub(crate) fn begin_reset(&mut self, stream: u16) {
        self.streams.get_or_insert_with(stream, Stream::default).resetting = true;
    }

    /// Whether everything of the stream has a TSN.
    pub(crate) fn is_drained(&self, stream: u16) -> bool {
        self.streams.get(stream).is_none_or(|stream| stream.head == NONE)
    }

    /// The stream's numbers begin anew, or go on where the peer refused.
    pub(crate) fn finish_reset(&mut self, stream: u16, was_performed: bool) {
        let Some(stream) = self.streams.get_mut(stream) else { return };
        stream.resetting = false;
        if was_performed {
            (stream.next_ordered, stream.next_unordered) = (0, 0);
        }
    }

    /// Gives back memory that a busy past needed.
    pub(crate) fn shrink(&mut self) {
        self.messages.shrink();
        self.scheduler.shrink();
        self.low.shrink_to_fit();
        self.buffers = Buffers::default();
    }
}
