//! The attributes that TURN adds to STUN (RFC 8656 §18).

use std::net::SocketAddr;
use std::time::Duration;

use stun::TransactionId;
use stun::attribute::ErrorCode;
use stun::attribute::{Attribute, parse_xor_address, write_xor_address};

use crate::channel::ChannelNumber;

mod address_family;
mod icmp;

pub use address_family::{AdditionalAddressFamily, AddressErrorCode, Family, RequestedAddressFamily};
pub use icmp::Icmp;

/// What a TURN server understands beyond STUN's own comprehension-required attributes.
pub const KNOWN: &[u16] = &[
    ChannelNumberAttribute::TYPE,
    Lifetime::TYPE,
    XorPeerAddress::TYPE,
    Data::TYPE,
    XorRelayedAddress::TYPE,
    RequestedAddressFamily::TYPE,
    EvenPort::TYPE,
    RequestedTransport::TYPE,
    DontFragment::TYPE,
    ReservationToken::TYPE,
];

/// CHANNEL-NUMBER (RFC 8656 §18.1): a number that may be outside of the allowed range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelNumberAttribute(pub u16);

impl From<ChannelNumber> for ChannelNumberAttribute {
    fn from(number: ChannelNumber) -> Self {
        Self(number.get())
    }
}

impl Attribute<'_> for ChannelNumberAttribute {
    const TYPE: u16 = 0x000C;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        let [a, b, _, _] = value.try_into().ok()?;
        Some(Self(u16::from_be_bytes([a, b])))
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(&self.0.to_be_bytes());
        value.extend_from_slice(&[0, 0]);
    }
}

/// LIFETIME (RFC 8656 §18.2): whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(pub Duration);

impl Attribute<'_> for Lifetime {
    const TYPE: u16 = 0x000D;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        let seconds = u32::from_be_bytes(value.try_into().ok()?);
        Some(Self(Duration::from_secs(seconds.into())))
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        let seconds = u32::try_from(self.0.as_secs()).unwrap_or(u32::MAX);
        value.extend_from_slice(&seconds.to_be_bytes());
    }
}

/// XOR-PEER-ADDRESS (RFC 8656 §18.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XorPeerAddress(pub SocketAddr);

impl Attribute<'_> for XorPeerAddress {
    const TYPE: u16 = 0x0012;

    fn parse(value: &[u8], transaction: &TransactionId) -> Option<Self> {
        parse_xor_address(value, transaction).map(Self)
    }

    fn write(&self, transaction: &TransactionId, value: &mut Vec<u8>) {
        write_xor_address(self.0, transaction, value);
    }
}

/// DATA (RFC 8656 §18.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a>(pub &'a [u8]);

impl<'a> Attribute<'a> for Data<'a> {
    const TYPE: u16 = 0x0013;

    fn parse(value: &'a [u8], _: &TransactionId) -> Option<Self> {
        Some(Self(value))
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(self.0);
    }
}

/// XOR-RELAYED-ADDRESS (RFC 8656 §18.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XorRelayedAddress(pub SocketAddr);

impl Attribute<'_> for XorRelayedAddress {
    const TYPE: u16 = 0x0016;

    fn parse(value: &[u8], transaction: &TransactionId) -> Option<Self> {
        parse_xor_address(value, transaction).map(Self)
    }

    fn write(&self, transaction: &TransactionId, value: &mut Vec<u8>) {
        write_xor_address(self.0, transaction, value);
    }
}

/// EVEN-PORT (RFC 8656 §18.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvenPort {
    /// Whether the next-higher port shall be kept for a later allocation.
    pub reserve_next: bool,
}

impl Attribute<'_> for EvenPort {
    const TYPE: u16 = 0x0018;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        let [flags] = value.try_into().ok()?;
        Some(Self { reserve_next: flags & 0x80 != 0 })
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.push(u8::from(self.reserve_next) << 7);
    }
}

/// REQUESTED-TRANSPORT (RFC 8656 §18.8): an IP protocol number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedTransport(pub u8);

impl RequestedTransport {
    /// The only one that RFC 8656 allows.
    pub const UDP: Self = Self(17);
}

impl Attribute<'_> for RequestedTransport {
    const TYPE: u16 = 0x0019;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        let [protocol, _, _, _] = value.try_into().ok()?;
        Some(Self(protocol))
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(&[self.0, 0, 0, 0]);
    }
}

/// DONT-FRAGMENT (RFC 8656 §18.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DontFragment;

impl Attribute<'_> for DontFragment {
    const TYPE: u16 = 0x001A;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        value.is_empty().then_some(Self)
    }

    fn write(&self, _: &TransactionId, _: &mut Vec<u8>) {}
}

/// RESERVATION-TOKEN (RFC 8656 §18.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReservationToken(pub [u8; 8]);

impl Attribute<'_> for ReservationToken {
    const TYPE: u16 = 0x0022;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        value.try_into().ok().map(Self)
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(&self.0);
    }
}

/// The error codes of TURN with their phrases (RFC 8489 §14.8, RFC 8656 §19).
pub(crate) fn error(code: u16) -> ErrorCode<'static> {
    ErrorCode::new(
        code,
        match code {
            300 => "Try Alternate",
            400 => "Bad Request",
            401 => "Unauthenticated",
            403 => "Forbidden",
            420 => "Unknown Attribute",
            437 => "Allocation Mismatch",
            438 => "Stale Nonce",
            440 => "Address Family not Supported",
            441 => "Wrong Credentials",
            442 => "Unsupported Transport Protocol",
            443 => "Peer Address Family Mismatch",
            486 => "Allocation Quota Reached",
            508 => "Insufficient Capacity",
            _ => "Server Error",
        },
    )
}
