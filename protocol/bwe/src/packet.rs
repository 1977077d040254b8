//! What an estimator is told: which packets left, and which arrived (RFC 8888 §3.1, RFC 3168 §5; the transport-wide
//! feedback of draft-holmer-rmcat-transport-wide-cc-extensions says the same without ECN).

use std::time::{Duration, Instant};

use crate::rate::{DataRate, DataSize};

/// A packet that has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number: that of the transport-wide extension without its wrapping, or one that the caller gives. Each packet's
    /// is greater than those before.
    pub sequence: u64,
    /// With all headers: what the path carries.
    pub size: DataSize,
    /// When it left.
    pub at: Instant,
    /// What it is.
    pub kind: Kind,
    /// The probe that it belongs to, as the pacer said.
    pub probe: Option<ProbeId>,
}

/// What a packet is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Sent for the first time.
    #[default]
    Media,
    /// Sent again.
    Retransmission,
    /// Of no use but to measure with.
    Padding,
}

/// What the other end says of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The packet's number.
    pub sequence: u64,
    /// When it arrived, by the receiver's clock since any moment that does not change; `None` where it has not arrived.
    pub at: Option<Duration>,
    /// Its mark; [`Ecn::NotEct`] where feedback does not tell.
    pub ecn: Ecn,
}

/// The two ECN bits as they arrived (RFC 3168 §5, RFC 9331 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ecn {
    /// No ECN.
    #[default]
    NotEct,
    /// ECN as of RFC 9331 (L4S): marks are many and early.
    Ect1,
    /// ECN as of RFC 3168: a mark stands for a loss.
    Ect0,
    /// Congestion was met on the way.
    Ce,
}

/// Names a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(pub u32);

/// Packets to be sent in one go at a given rate, so that the times of their arrival tell whether the path carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Its name, for [`Sent::probe`].
    pub id: ProbeId,
    /// How fast.
    pub rate: DataRate,
    /// How much at least.
    pub size: DataSize,
    /// How many packets at least.
    pub packets: u32,
}
