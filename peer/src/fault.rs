//! Why a datagram was dropped.

use std::fmt;

/// Why a datagram was dropped, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// ICE did not take it.
    Ice(ice::Fault),
    /// It is not from the peer, as far as ICE knows.
    Stranger,
    /// DTLS did not take it.
    Dtls(dtls::Fault),
    /// SCTP did not take it, or not all of it.
    Sctp(sctp::Fault),
    /// It is a STUN server's, and was not taken.
    Stun(stun::client::Fault),
    /// It is a relay's, and was not taken.
    Turn(turn::client::Fault),
    /// Bytes on a connection that nobody knows, or that are no frames.
    Stream,
    /// Media that was not taken.
    Media(MediaFault),
    /// Of no protocol that RFC 7983 knows on such a port.
    Unknown,
    /// The peer connection is closed.
    Closed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ice(fault) => return fault.fmt(f),
            Self::Dtls(fault) => return fault.fmt(f),
            Self::Sctp(fault) => return write!(f, "{fault}"),
            Self::Stun(fault) => return fault.fmt(f),
            Self::Turn(fault) => return fault.fmt(f),
            Self::Stream => "bytes of an unknown connection, or none that belong on it",
            Self::Stranger => "a datagram from where no check was answered",
            Self::Media(fault) => return fault.fmt(f),
            Self::Unknown => "a datagram of no known protocol",
            Self::Closed => "the peer connection is closed",
        })
    }
}

impl std::error::Error for Fault {}

/// Why media was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaFault {
    /// Nobody has agreed on any.
    NotAgreed,
    /// It came before the keys were there.
    NoKeys,
    /// It does not open.
    Srtp(srtp::Fault),
    /// It is no packet of RTP.
    Header(rtp::HeaderFault),
    /// A part of it is no packet of RTCP.
    Rtcp(rtp::rtcp::RtcpFault),
    /// It belongs to no section, or to no encoding of it.
    Unrouted,
    /// Its payload type was not agreed on in its section.
    PayloadType,
    /// It came before.
    Duplicate,
    /// As many sources as there may be.
    TooManySources,
}

impl fmt::Display for MediaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAgreed => "media, though none was agreed on",
            Self::NoKeys => "media before the handshake was done",
            Self::Srtp(fault) => return fault.fmt(f),
            Self::Header(fault) => return fault.fmt(f),
            Self::Rtcp(fault) => return fault.fmt(f),
            Self::Unrouted => "a packet that belongs to no section or encoding",
            Self::PayloadType => "a payload type that was not agreed on",
            Self::Duplicate => "a packet that came before",
            Self::TooManySources => "another source than the ones there may be",
        })
    }
}

/// How many datagrams were dropped, by protocol; each protocol counts its own faults in detail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named after the faults")]
pub struct Counters {
    pub ice: u64,
    pub stranger: u64,
    pub stun: u64,
    pub turn: u64,
    pub stream: u64,
    pub dtls: u64,
    pub sctp: u64,
    pub rtp: u64,
    pub unknown: u64,
}

impl Counters {
    pub(crate) fn count(&mut self, fault: Fault) {
        *match fault {
            Fault::Ice(_) => &mut self.ice,
            Fault::Stranger => &mut self.stranger,
            Fault::Stun(_) => &mut self.stun,
            Fault::Turn(_) => &mut self.turn,
            Fault::Stream => &mut self.stream,
            Fault::Dtls(_) => &mut self.dtls,
            Fault::Sctp(_) => &mut self.sctp,
            Fault::Media(_) => &mut self.rtp,
            Fault::Unknown | Fault::Closed => &mut self.unknown,
        } += 1;
    }
}
