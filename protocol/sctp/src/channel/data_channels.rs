//! The data channels of a connection (RFC 8831 §6, RFC 8832 §6).

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::time::Instant;

use bytes::Bytes;

use super::open_message::OpenMessage;
use super::ppid;
use crate::association::{Association, Transmit};
use crate::event::{CloseReason, Reason};
use crate::fault::Fault;
use crate::send::{Options, Reliability, SendError};
use crate::slab::{ByStream, Slab};

/// Names a channel, before and after it has a stream. Never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId {
    index: u32,
    generation: u32,
}

impl ChannelId {
    /// A number that no other channel of the connection has.
    pub fn number(self) -> u32 {
        self.generation
    }
}

/// Our role in DTLS, which decides whose channels have even numbers (RFC 8832 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Even stream numbers.
    Client,
    /// Odd ones.
    Server,
}

/// What a message holds (RFC 8831 §6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text; meant to be UTF-8, and not checked here.
    String,
    /// Bytes.
    Binary,
}

/// How a channel carries messages (RFC 8831 §6.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelOptions {
    /// Messages arrive in the order they were sent.
    pub ordered: bool,
    /// When messages are given up.
    pub reliability: Reliability,
    /// The share beside other channels: 128 very low, 256 low, 512 medium, 1024 high (RFC 8831 §6.4).
    pub priority: u16,
    /// Both ends make the channel, with this stream, without telling each other.
    pub negotiated: Option<u16>,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self { ordered: true, reliability: Reliability::Reliable, priority: 256, negotiated: None }
    }
}

/// Where a channel stands (W3C webrtc-pc §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelState {
    /// No association yet, or no stream.
    Connecting,
    /// Messages flow.
    Open,
    /// It delivers what it has, then closes.
    Closing,
}

/// A data channel.
#[derive(Debug)]
pub struct Channel {
    pub(super) generation: u32,
    pub(super) label: String,
    pub(super) protocol: String,
    pub(super) options: ChannelOptions,
    pub(super) stream: Option<u16>,
    pub(super) state: ChannelState,
    /// The peer knows of it: before, nothing may overtake our OPEN (RFC 8832 §6).
    pub(super) is_known: bool,
    pub(super) outgoing_reset: Reset,
    pub(super) incoming_reset: bool,
    pub(super) is_incoming: bool,
    pub(super) stats: ChannelStats,
    low_threshold: usize,
}

/// How much a channel has carried (W3C webrtc-stats, `RTCDataChannelStats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelStats {
    /// Messages that were given to it.
    pub messages_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Messages that were handed out, to their end.
    pub messages_received: u64,
    /// Bytes that were handed out.
    pub bytes_received: u64,
}

/// How many channels a connection has had (`RTCPeerConnectionStats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelCounts {
    /// Those that were ever open.
    pub opened: u32,
    /// Those of them that are so no more.
    pub closed: u32,
}

/// How far the reset of our direction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reset {
    No,
    Requested,
    Done,
}

impl Channel {
    /// Its name, which need not be unique.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The subprotocol, or nothing.
    pub fn protocol(&self) -> &str {
        &self.protocol
    }

    /// How it carries messages.
    pub fn options(&self) -> &ChannelOptions {
        &self.options
    }

    /// Its SCTP stream, once it has one: the `id` of W3C's data channel.
    pub fn stream(&self) -> Option<u16> {
        self.stream
    }

    /// Where it stands.
    pub fn state(&self) -> ChannelState {
        self.state
    }

    /// How much it has carried.
    pub fn stats(&self) -> ChannelStats {
        self.stats
    }
}

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelEvent {
    /// The association is there.
    Established,
    /// The peer opened a channel.
    Incoming(ChannelId),
    /// A channel of ours can be used.
    Opened(ChannelId),
    /// A message, or a piece of a long one.
    Message(ChannelMessage),
    /// The rest of a message, of which pieces were handed out, will not come.
    MessageAborted {
        /// The channel.
        channel: ChannelId,
        /// [`ChannelMessage::id`].
        id: u64,
    },
    /// The channel has no more waiting than its low threshold.
    BufferedAmountLow(ChannelId),
    /// Messages were refused for lack of room, and there is room again.
    Writable,
    /// The peer closes the channel. Nothing more can be sent.
    Closing(ChannelId),
    /// The channel is gone.
    Closed(ChannelId),
    /// The association is gone, and each channel before.
    Ended(CloseReason),
}

/// A received message, or a piece of one that is longer than `Config::piece_size`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelMessage {
    /// The channel.
    pub channel: ChannelId,
    /// What it holds.
    pub kind: Kind,
    /// The same for all pieces of a message, and no other's.
    pub id: u64,
    /// The message begins with this piece.
    pub first: bool,
    /// The message ends with this piece.
    pub last: bool,
    /// The bytes. Give the buffer back when done: [`DataChannels::recycle`].
    pub data: Vec<u8>,
}

/// Something is not possible with this channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelError {
    /// There is no such channel any more.
    Gone,
    /// It is not open.
    NotOpen,
    /// Longer than the peer takes (`max-message-size`, RFC 8841).
    TooLong,
    /// The send buffer is full. [`ChannelEvent::Writable`] says when there is room.
    Full,
    /// Every stream is in use, or the given one is.
    NoStream,
    /// Label or protocol has more than 65,535 bytes.
    LabelTooLong,
    /// The association has ended.
    Ended,
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "the channel is closed; open another",
            Self::NotOpen => "the channel is not open; wait until it is",
            Self::TooLong => "the message is longer than the peer takes; cut it",
            Self::Full => "the send buffer is full; wait until it is writable",
            Self::NoStream => "the stream is in use, or all are; close a channel first",
            Self::LabelTooLong => "label and protocol have at most 65,535 bytes each",
            Self::Ended => "the association has ended; connect anew",
        })
    }
}

impl Error for ChannelError {}

impl From<SendError> for ChannelError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Full => Self::Full,
            SendError::TooLong => Self::TooLong,
            SendError::NoSuchStream => Self::NoStream,
            SendError::Empty | SendError::Resetting => Self::NotOpen,
            SendError::Closed => Self::Ended,
        }
    }
}

/// Data channels over an association of their own: the same verbs, channels for streams.
///
/// Limits: the peer may open [`Self::MAX_INCOMING`] channels, whose labels and protocols have
/// [`Self::MAX_LABELS`] bytes together; further ones are closed at once.
#[derive(Debug)]
pub struct DataChannels {
    pub(super) association: Association,
    pub(super) channels: Slab<Channel>,
    pub(super) by_stream: ByStream<u32>,
    pub(super) events: VecDeque<ChannelEvent>,
    /// Channels without a stream, in the order they were made.
    waiting: Vec<u32>,
    generation: u32,
    role: Option<Role>,
    max_message_size: u64,
    pub(super) incoming_count: usize,
    pub(super) label_bytes: usize,
    pub(super) dropped: u64,
    pub(super) counts: ChannelCounts,
}

impl DataChannels {
    /// Channels that the peer may have open.
    pub const MAX_INCOMING: usize = 4096;
    /// Bytes of their labels and protocols.
    pub const MAX_LABELS: usize = 1 << 20;

    /// Channels over this association.
    pub fn new(association: Association) -> Self {
        Self {
            association,
            channels: Slab::default(),
            by_stream: ByStream::default(),
            events: VecDeque::new(),
            waiting: Vec::new(),
            generation: 0,
            role: None,
            max_message_size: 65_536,
            incoming_count: 0,
            label_bytes: 0,
            dropped: 0,
            counts: ChannelCounts::default(),
        }
    }

    /// The association: for handshake, shutdown and figures.
    pub fn association(&self) -> &Association {
        &self.association
    }

    /// The association, to begin or end it. Sending on its streams is the channels' business.
    pub fn association_mut(&mut self) -> &mut Association {
        &mut self.association
    }

    /// Our role in DTLS is known: channels that wait get their streams.
    pub fn set_role(&mut self, now: Instant, role: Role) {
        self.role = Some(role);
        for index in std::mem::take(&mut self.waiting) {
            if self.assign(now, index).is_err() {
                self.remove(index);
            }
        }
    }

    /// The peer's `max-message-size` (RFC 8841 §6); zero: no limit. 65,536 at first.
    pub fn set_max_message_size(&mut self, bytes: u64) {
        self.max_message_size = if bytes == 0 { u64::MAX } else { bytes };
    }

    /// The same; the largest number where there is no limit.
    pub fn max_message_size(&self) -> u64 {
        self.max_message_size
    }

    /// Makes a channel. It opens as soon as association and role are there; the peer hears of it with the
    /// first packet.
    pub fn open(
        &mut self,
        now: Instant,
        label: &str,
        protocol: &str,
        options: ChannelOptions,
    ) -> Result<ChannelId, ChannelError> {
        if label.len() > 65_535 || protocol.len() > 65_535 {
            return Err(ChannelError::LabelTooLong);
        }
        if self.association.is_ended() {
            return Err(ChannelError::Ended);
        }
        if options.negotiated.is_some_and(|stream| {
            stream >= self.association.stream_limit() || self.by_stream.get(stream).is_some()
        }) {
            return Err(ChannelError::NoStream);
        }
        let negotiated = options.negotiated;
        let index = self.insert(label.to_owned(), protocol.to_owned(), options, negotiated);
        if negotiated.is_none() && self.role.is_none() {
            self.waiting.push(index);
        } else if let Err(error) = self.assign(now, index) {
            // Nobody has its name yet: no event.
            self.remove(index);
            self.events.pop_back();
            return Err(error);
        }
        Ok(self.id(index))
    }

    pub(super) fn insert(
        &mut self,
        label: String,
        protocol: String,
        options: ChannelOptions,
        stream: Option<u16>,
    ) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        self.label_bytes += label.len() + protocol.len();
        let index = self.channels.insert(Channel {
            generation: self.generation,
            label,
            protocol,
            options,
            stream,
            state: ChannelState::Connecting,
            is_known: stream.is_some(),
            outgoing_reset: Reset::No,
            incoming_reset: false,
            is_incoming: false,
            stats: ChannelStats::default(),
            low_threshold: 0,
        });
        if let Some(stream) = stream {
            *self.by_stream.get_or_insert_with(stream, || index) = index;
        }
        index
    }

    /// Gives the channel its stream, and tells the peer of it.
    fn assign(&mut self, now: Instant, index: u32) -> Result<(), ChannelError> {
        let free = self.free_stream();
        let Some(channel) = self.channels.get_mut(index) else { return Ok(()) };
        if channel.stream.is_none() {
            let stream = free.ok_or(ChannelError::NoStream)?;
            let open = OpenMessage::open(&channel.label, &channel.protocol, &channel.options);
            self.association.send(now, stream, ppid::DCEP, open.into(), Options::default())?;
            channel.stream = Some(stream);
            self.by_stream.get_or_insert_with(stream, || index);
        }
        if let Some(stream) = channel.stream {
            self.association.set_weight(stream, channel.options.priority);
            self.association.set_buffered_amount_low_threshold(stream, channel.low_threshold);
        }
        if self.association.is_established() {
            channel.state = ChannelState::Open;
            self.counts.opened += 1;
            let id = self.id(index);
            self.events.push_back(ChannelEvent::Opened(id));
        }
        Ok(())
    }

    fn free_stream(&self) -> Option<u16> {
        let first = match self.role? {
            Role::Client => 0,
            Role::Server => 1,
        };
        (first..self.association.stream_limit())
            .step_by(2)
            .find(|stream| self.by_stream.get(*stream).is_none())
    }

    pub(super) fn id(&self, index: u32) -> ChannelId {
        let generation = self.channels.get(index).map_or(0, |channel| channel.generation);
        ChannelId { index, generation }
    }

    /// The channel, while it is there.
    pub fn get(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.get(id.index).filter(|channel| channel.generation == id.generation)
    }

    /// Queues a message without copying it.
    pub fn send(
        &mut self,
        now: Instant,
        id: ChannelId,
        kind: Kind,
        bytes: Bytes,
    ) -> Result<(), ChannelError> {
        let length = bytes.len();
        let (stream, options) = self.check_send(id, length)?;
        let (ppid, bytes) = match (kind, bytes.is_empty()) {
            (Kind::String, false) => (ppid::STRING, bytes),
            (Kind::Binary, false) => (ppid::BINARY, bytes),
            (Kind::String, true) => (ppid::STRING_EMPTY, Bytes::from_static(&[0])),
            (Kind::Binary, true) => (ppid::BINARY_EMPTY, Bytes::from_static(&[0])),
        };
        self.association.send(now, stream, ppid, bytes, options)?;
        self.count_sent(id, length);
        Ok(())
    }

    /// Queues a copy of a message, in a buffer that is used again.
    pub fn send_copy(
        &mut self,
        now: Instant,
        id: ChannelId,
        kind: Kind,
        bytes: &[u8],
    ) -> Result<(), ChannelError> {
        if bytes.is_empty() {
            return self.send(now, id, kind, Bytes::new());
        }
        let (stream, options) = self.check_send(id, bytes.len())?;
        let ppid = if kind == Kind::String { ppid::STRING } else { ppid::BINARY };
        self.association.send_copy(now, stream, ppid, bytes, options)?;
        self.count_sent(id, bytes.len());
        Ok(())
    }

    fn count_sent(&mut self, id: ChannelId, length: usize) {
        if let Some(channel) = self.channels.get_mut(id.index) {
            channel.stats.messages_sent += 1;
            channel.stats.bytes_sent += length as u64;
        }
    }

    fn check_send(&self, id: ChannelId, length: usize) -> Result<(u16, Options), ChannelError> {
        let channel = self.get(id).ok_or(ChannelError::Gone)?;
        let stream = channel.stream.filter(|_| channel.state == ChannelState::Open);
        if length as u64 > self.max_message_size {
            return Err(ChannelError::TooLong);
        }
        let ChannelOptions { ordered, reliability, .. } = channel.options;
        // Nothing overtakes the OPEN, and nothing of a channel that the peer does not know is given up.
        let unordered = !ordered && channel.is_known;
        Ok((stream.ok_or(ChannelError::NotOpen)?, Options { unordered, reliability }))
    }

    /// Closes the channel, once what it has was delivered (RFC 8831 §6.7).
    pub fn close(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(id.index) else { return };
        if channel.generation != id.generation || channel.state == ChannelState::Closing {
            return;
        }
        if !self.association.is_established() {
            self.remove(id.index);
            return;
        }
        self.counts.closed += u32::from(channel.state == ChannelState::Open);
        channel.state = ChannelState::Closing;
        self.request_reset(id.index);
    }

    /// Bytes of the channel that wait to be sent for the first time.
    pub fn buffered_amount(&self, id: ChannelId) -> usize {
        let stream = self.get(id).and_then(Channel::stream);
        stream.map_or(0, |stream| self.association.buffered_amount(stream))
    }

    /// When [`Self::buffered_amount`] falls to this, [`ChannelEvent::BufferedAmountLow`] says so.
    pub fn set_buffered_amount_low_threshold(&mut self, id: ChannelId, threshold: usize) {
        let Some(channel) = self.channels.get_mut(id.index) else { return };
        if channel.generation == id.generation {
            channel.low_threshold = threshold;
            if let Some(stream) = channel.stream {
                self.association.set_buffered_amount_low_threshold(stream, threshold);
            }
        }
    }

    /// All channels there are.
    pub fn ids(&self) -> impl Iterator<Item = ChannelId> + '_ {
        self.channels.indices().map(|index| self.id(index))
    }

    /// How many there have been.
    pub fn counts(&self) -> ChannelCounts {
        self.counts
    }

    /// Messages that belonged to no channel, or made no sense on theirs.
    pub fn dropped_messages(&self) -> u64 {
        self.dropped
    }

    /// [`Association::recycle`].
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        self.association.recycle(buffer);
    }

    /// [`Association::handle_packet`].
    pub fn handle_packet(&mut self, now: Instant, packet: &[u8]) -> Result<(), Fault> {
        self.association.handle_packet(now, packet)
    }

    /// [`Association::handle_timeout`].
    pub fn handle_timeout(&mut self, now: Instant) {
        self.association.handle_timeout(now);
    }

    /// [`Association::poll_transmit`].
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        self.association.poll_transmit(now, buffer)
    }

    /// [`Association::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        self.association.poll_timeout()
    }
}
