//! What ends an allocation, or keeps it from coming about (RFC 8656 §7.4, §8.3).

use std::error::Error;
use std::fmt;

/// Why there is no allocation, or none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer that can be used.
    Stun(stun::client::Failure),
    /// The server refused with this error code.
    Refused(u16),
    /// The server granted it without saying an address.
    NoAddress,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Stun(failure) => return failure.fmt(f),
            Self::NoAddress => "the server grants a relay without saying its address",
            Self::Refused(401 | 441) => "the server does not take this user name and password",
            Self::Refused(403) => "the server forbids it to this user",
            Self::Refused(437) => "the server already relays for this address and port: use another port",
            Self::Refused(440) => "the server has no relay of this address family",
            Self::Refused(442) => "the server relays no UDP",
            Self::Refused(486) => "this user has as many relays as the server allows",
            Self::Refused(508) => "the server has no room for another relay: try again later",
            Self::Refused(code) => return write!(f, "the server refuses with error {code}"),
        };
        f.write_str(words)
    }
}

impl Error for Failure {}

/// Why a datagram was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It did not come from the server, or not to the address that we speak from.
    NotTheServer,
    /// ChannelData that is shorter than it says, or of a channel that was never bound.
    BadChannel,
    /// A Data indication without XOR-PEER-ADDRESS, or without DATA and ICMP.
    BadIndication,
    /// A peer's data, though that peer has no permission any more.
    NotPermitted,
    /// No answer that means anything here.
    Stun(stun::client::Fault),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTheServer => "a datagram that is not between us and the server",
            Self::BadChannel => "data of a channel that is not bound, or cut short",
            Self::BadIndication => "a Data indication without peer or data",
            Self::NotPermitted => "data of a peer that was not permitted",
            Self::Stun(fault) => return fault.fmt(f),
        })
    }
}

impl Error for Fault {}

/// How many datagrams were dropped, by reason; those of STUN are counted by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named after the faults")]
pub struct Counters {
    pub not_the_server: u64,
    pub bad_channel: u64,
    pub bad_indication: u64,
    pub not_permitted: u64,
}

impl Counters {
    pub(super) fn count(&mut self, fault: Fault) {
        *match fault {
            Fault::NotTheServer => &mut self.not_the_server,
            Fault::BadChannel => &mut self.bad_channel,
            Fault::BadIndication => &mut self.bad_indication,
            Fault::NotPermitted => &mut self.not_permitted,
            Fault::Stun(_) => return,
        } += 1;
    }
}
