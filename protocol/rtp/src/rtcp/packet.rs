//! A packet of any known type (RFC 3550 §6, and the feedback that WebRTC uses).

use super::raw::{PAYLOAD_FEEDBACK, RawPacket, RawPackets, TRANSPORT_FEEDBACK};
use super::{
    Application, Bye, CongestionFeedback, ExtendedReport, Fir, Nack, Pli, ReceiverReport, Remb, RtcpFault,
    SenderReport, SourceDescription, Tmmbr, TransportFeedback,
};

/// A packet of any type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the packet of that name")]
pub enum RtcpPacket<'a> {
    SenderReport(SenderReport<'a>),
    ReceiverReport(ReceiverReport<'a>),
    SourceDescription(SourceDescription<'a>),
    Bye(Bye<'a>),
    Application(Application<'a>),
    ExtendedReport(ExtendedReport<'a>),
    Nack(Nack<'a>),
    Tmmbr(Tmmbr<'a>),
    CongestionFeedback(CongestionFeedback<'a>),
    TransportFeedback(TransportFeedback<'a>),
    Pli(Pli),
    Fir(Fir<'a>),
    Remb(Remb<'a>),
    Unknown(RawPacket<'a>),
}

impl<'a> RtcpPacket<'a> {
    /// Reads a packet by its type, and by its format where it is feedback.
    pub fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        Ok(match (raw.kind, raw.count) {
            (SenderReport::KIND, _) => Self::SenderReport(SenderReport::parse(raw)?),
            (ReceiverReport::KIND, _) => Self::ReceiverReport(ReceiverReport::parse(raw)?),
            (SourceDescription::KIND, _) => Self::SourceDescription(SourceDescription::parse(raw)?),
            (Bye::KIND, _) => Self::Bye(Bye::parse(raw)?),
            (Application::KIND, _) => Self::Application(Application::parse(raw)?),
            (ExtendedReport::KIND, _) => Self::ExtendedReport(ExtendedReport::parse(raw)?),
            (TRANSPORT_FEEDBACK, Nack::FORMAT) => Self::Nack(Nack::parse(raw)?),
            (TRANSPORT_FEEDBACK, Tmmbr::FORMAT) => Self::Tmmbr(Tmmbr::parse(raw)?),
            (TRANSPORT_FEEDBACK, CongestionFeedback::FORMAT) => {
                Self::CongestionFeedback(CongestionFeedback::parse(raw)?)
            }
            (TRANSPORT_FEEDBACK, TransportFeedback::FORMAT) => {
                Self::TransportFeedback(TransportFeedback::parse(raw)?)
            }
            (PAYLOAD_FEEDBACK, Pli::FORMAT) => Self::Pli(Pli::parse(raw)?),
            (PAYLOAD_FEEDBACK, Fir::FORMAT) => Self::Fir(Fir::parse(raw)?),
            // The format is for whatever an application likes: only the name in it tells.
            (PAYLOAD_FEEDBACK, Remb::FORMAT) if Remb::is_named(raw) => Self::Remb(Remb::parse(raw)?),
            _ => Self::Unknown(raw),
        })
    }
}

/// Reads the packets of a datagram in order. A packet that is malformed is a fault in its place; one whose length is wrong
/// ends them.
pub fn packets(datagram: &[u8]) -> Packets<'_> {
    Packets { raw: RawPackets::new(datagram) }
}

/// See [`packets`].
#[derive(Clone, Copy, Debug)]
pub struct Packets<'a> {
    raw: RawPackets<'a>,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<RtcpPacket<'a>, RtcpFault>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.raw.next()?.and_then(RtcpPacket::parse))
    }
}
