//! A packet of the peer's, in the clear (RFC 3550 §5.1).

use std::time::Instant;

use bytes::Bytes;
use rtp::{HeaderFault, NtpTime, Packet, Timestamp};

use crate::media::TransceiverId;

/// A packet of media that came in, or was put together from a retransmission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPacket {
    /// Whose it is.
    pub transceiver: TransceiverId,
    /// Which of [`receive_rids`](crate::Agreement::receive_rids) it is of; 0 where there are none.
    pub encoding: usize,
    /// Its number, which does not wrap around. Packets come in the order of their arrival.
    pub sequence_number: u64,
    /// Whether it came as a retransmission.
    pub is_repair: bool,
    /// When it came.
    pub arrived: Instant,
    /// All of it, padding apart.
    pub bytes: Bytes,
}

/// What a sender's report says: which moment of its clock a timestamp is (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderClock {
    /// By the sender's clock, which all its streams have in common.
    pub ntp: NtpTime,
    /// In ticks of the codec's clock.
    pub timestamp: Timestamp,
    /// When the report came.
    pub arrived: Instant,
}

impl MediaPacket {
    /// Its header and payload.
    pub fn read(&self) -> Result<Packet<'_>, HeaderFault> {
        Packet::parse(&self.bytes)
    }
}
