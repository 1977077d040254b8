//! What peers do wrong, each kind counted (RFC 9260 §8.5, §3.3.10).

use std::error::Error;
use std::fmt;

/// A packet, or a part of one, was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Not a packet: shorter than its header, or a chunk's length is wrong.
    Malformed,
    /// The ports are not the association's.
    WrongPorts,
    /// The checksum does not match (RFC 9260 §6.8).
    BadChecksum,
    /// The verification tag is not ours (RFC 9260 §8.5).
    WrongTag,
    /// The chunk makes no sense in this state.
    Unexpected,
    /// A COOKIE ECHO with a cookie that is not ours.
    BadCookie,
    /// The peer tries to begin a new association in the place of this one.
    Restart,
    /// A TSN that arrived before.
    Duplicate,
    /// A TSN that no SACK could name.
    TooFarAhead,
    /// Data for a stream that was not negotiated.
    NoSuchStream,
    /// Data beyond the window that we advertised.
    NoRoom,
    /// Data of the kind that was not negotiated, or without a byte; ends the association.
    ProtocolViolation,
    /// A message longer than our limit; ends the association.
    MessageTooLong,
    /// A SACK for what was never sent.
    AckOfUnsent,
    /// A SACK that another one overtook.
    StaleSack,
    /// A SACK whose gap blocks are not in order or too far ahead.
    BadGapBlock,
    /// A HEARTBEAT ACK that answers none of ours.
    BadHeartbeat,
    /// More HEARTBEATs than are answered at once.
    TooManyHeartbeats,
    /// A RE-CONFIG with a number that is not its turn.
    BadReConfig,
    /// A chunk of a type that we do not know.
    UnknownChunk,
    /// The association has ended.
    Ended,
}

impl Fault {
    /// How many kinds there are.
    pub const COUNT: usize = Self::Ended as usize + 1;
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the peer's packet was dropped in whole or in part: {self:?}")
    }
}

impl Error for Fault {}

/// How often each fault happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    counts: [u32; Fault::COUNT],
}

impl Default for Faults {
    fn default() -> Self {
        Self { counts: [0; Fault::COUNT] }
    }
}

impl Faults {
    pub(crate) fn count(&mut self, fault: Fault) {
        let count = &mut self.counts[fault as usize];
        *count = count.saturating_add(1);
    }

    /// How often this one happened.
    pub fn of(&self, fault: Fault) -> u32 {
        self.counts[fault as usize]
    }

    /// How many there were in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().copied().map(u64::from).sum()
    }
}
