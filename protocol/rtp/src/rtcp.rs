//! RTCP (RFC 3550 §6) and what feedback adds to it (RFC 4585, 5104, 5506, 3611, 8888): one file per packet.
//!
//! [`packets`] reads a datagram's packets as checked views that take nothing from the heap; each packet's type appends
//! itself to a buffer, so that a compound packet is several appended in turn. Reduced-size packets, those without a report
//! in front (RFC 5506), are read like any other.
//!
//! ```
//! use twocan_rtp::Ssrc;
//! use twocan_rtp::rtcp::{self, Pli, RtcpPacket};
//!
//! let mut buffer = Vec::new();
//! Pli { sender: Ssrc(1), media: Ssrc(2) }.write(&mut buffer);
//! let Some(Ok(RtcpPacket::Pli(pli))) = rtcp::packets(&buffer).next() else { panic!("it was a PLI") };
//! assert_eq!(pli.media, Ssrc(2));
//! ```

mod application;
mod bye;
mod congestion_feedback;
mod extended_report;
mod fir;
mod nack;
mod packet;
mod pli;
mod raw;
mod remb;
mod report;
mod report_block;
mod source_description;
mod tmmbr;
mod transport_feedback;

pub use application::Application;
pub use bye::Bye;
pub use congestion_feedback::{ArrivalOffset, CongestionFeedback, Ecn, Metric, StreamReport};
pub use extended_report::{Dlrr, ExtendedReport, XrBlock};
pub use fir::{Fir, FirEntry};
pub use nack::Nack;
pub use packet::{Packets, RtcpPacket, packets};
pub use pli::Pli;
pub use raw::{RawPacket, RawPackets};
pub use remb::Remb;
pub use report::{ReceiverReport, SenderInfo, SenderReport};
pub use report_block::ReportBlock;
pub use source_description::{Chunk, Item, SourceDescription};
pub use tmmbr::{Tmmbr, TmmbrEntry};
pub use transport_feedback::{Arrival, FeedbackHead, ReferenceTime, TICK, TransportFeedback};

/// The packet types that are RTCP's where it shares a port with RTP (RFC 5761 §4).
const KINDS: std::ops::RangeInclusive<u8> = 192..=223;

wire::faults! {
    /// Why a packet of RTCP says nothing.
    pub enum RtcpFault {
        /// It ends before its length says, or before its fields do.
        Truncated => "rtcp_truncated",
        /// Its version is not 2.
        Version => "rtcp_version",
        /// Its padding is longer than it, or stands before the last packet.
        Padding => "rtcp_padding",
        /// A text in it is not in the bounds that its length says.
        Text => "rtcp_text",
        /// Its statuses say more, or other, than it holds.
        Status => "rtcp_status",
    }
}

impl From<wire::Truncated> for RtcpFault {
    fn from(_: wire::Truncated) -> Self {
        Self::Truncated
    }
}

/// Whether a datagram on a port that both share is RTCP rather than RTP (RFC 5761 §4). Both have 2 as the first two bits
/// (RFC 7983 tells them from everything else).
#[inline]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|kind| KINDS.contains(kind))
}

#[cfg(test)]
mod tests;
