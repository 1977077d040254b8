//! A packet of a publication, looked at once for all who may receive it (RFC 3550 §5.1).

use bytes::Bytes;
use rtp::Timestamp;
use rtp::codec::{Codec, PayloadInfo};
use rtp::dependency::Frame;
use rtp::extension::AudioLevel;

use crate::fault::Fault;
use crate::rewrite::Descriptor;
use crate::targets::Targets;

/// Where a packet comes from: an encoding, and which of the sources that it had one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) encoding: u8,
    pub(crate) generation: u32,
}

/// What a packet says of itself.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) origin: Origin,
    pub(crate) codec: Codec,
    /// All of it.
    pub(crate) bytes: &'a Bytes,
    /// Where its payload begins.
    pub(crate) head: usize,
    pub(crate) number: u64,
    /// Whether a later one came before.
    pub(crate) is_late: bool,
    pub(crate) timestamp: Timestamp,
    pub(crate) marker: bool,
    /// What must be added to the source's timestamps to have arrivals, in ticks.
    pub(crate) lag: u32,
    pub(crate) info: PayloadInfo,
    /// Which picture it is of, counted without wrapping around.
    pub(crate) picture: Option<u64>,
    /// Where that stands in its payload, for those who have other numbers.
    pub(crate) descriptor: Option<Descriptor>,
    /// Whether it is the first packet of what can be decoded without anything before it.
    pub(crate) begins: bool,
    /// What its dependency descriptor says, and what it may be chosen from.
    pub(crate) frame: Option<Frame>,
    /// How loud it is, where it is of sound and says so.
    pub(crate) level: Option<AudioLevel>,
    /// What is wrong with it that does not keep it from being forwarded.
    pub(crate) fault: Option<Fault>,
    pub(crate) targets: &'a Targets,
}

impl Seen<'_> {
    /// Whether it is of padding only: it counts as a packet, and that is all.
    pub(crate) fn is_empty(&self) -> bool {
        self.head >= self.bytes.len()
    }
}
