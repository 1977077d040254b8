//! What the application sends, and how (RFC 9260 §11.1.5, RFC 3758 §4).

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::time::Time;

/// How a message is to be carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// It may overtake, and be overtaken by, other messages of its stream.
    pub unordered: bool,
    /// When to give it up.
    pub reliability: Reliability,
}

/// When an undelivered message is given up (RFC 3758 §4, RFC 7496 §3). Where the peer does not support
/// that, every message is reliable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliability {
    /// Never.
    #[default]
    Reliable,
    /// When one of its fragments would have to be retransmitted more often than this.
    MaxRetransmits(u16),
    /// When it is older than this.
    MaxLifetime(Duration),
}

/// A message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The send buffer has no room. [`crate::Event::Writable`] says when it has.
    Full,
    /// A message has at least one byte; data channels have a way to say "empty".
    Empty,
    /// A message has at most 2^32 - 1 bytes.
    TooLong,
    /// The stream is not one of those negotiated.
    NoSuchStream,
    /// The stream is being reset; wait for [`crate::Event::StreamsReset`].
    Resetting,
    /// The association has ended, or is shutting down.
    Closed,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the send buffer is full; wait until it is writable",
            Self::Empty => "a message needs at least one byte",
            Self::TooLong => "a message has at most 4,294,967,295 bytes",
            Self::NoSuchStream => "the stream is beyond those negotiated",
            Self::Resetting => "the stream is being reset; wait until that is done",
            Self::Closed => "the association has ended or is shutting down",
        })
    }
}

impl Error for SendError {}

/// A message's bytes: shared with the application, or copied into a buffer of ours that is used again.
#[derive(Debug)]
pub(crate) enum Payload {
    Shared(Bytes),
    Owned(Vec<u8>),
}

impl Payload {
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// A message that waits or is under way.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) payload: Payload,
    pub(crate) stream: u16,
    pub(crate) unordered: bool,
    pub(crate) ppid: u32,
    /// SSN or MID; given with the first fragment.
    pub(crate) number: u32,
    /// Bytes that were put into chunks.
    pub(crate) sent: u32,
    /// Fragments that were put into chunks.
    pub(crate) fragments: u32,
    /// Chunks of it that the peer has not acknowledged cumulatively.
    pub(crate) under_way: u32,
    /// TSN of its first chunk.
    pub(crate) first_tsn: u64,
    /// TSN of its last chunk so far.
    pub(crate) last_tsn: u64,
    pub(crate) max_retransmits: u16,
    pub(crate) expires: Time,
    /// Still in its stream's queue.
    pub(crate) queued: bool,
    pub(crate) abandoned: bool,
    /// The next message of the stream.
    pub(crate) next: u32,
}

impl Message {
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.payload.as_slice().len()).unwrap_or(u32::MAX)
    }

    /// Whether it may be given up at all.
    #[inline]
    pub(crate) fn is_partially_reliable(&self) -> bool {
        self.max_retransmits != u16::MAX || self.expires != Time::NEVER
    }

    /// Whether it is to be given up rather than sent for the `transmissions`-th time.
    pub(crate) fn has_expired(&self, now: Time, transmissions: u16) -> bool {
        now >= self.expires || (transmissions > self.max_retransmits && self.max_retransmits != u16::MAX)
    }
}
