//! The attributes of NAT behaviour discovery (RFC 5780 §7).

use std::net::SocketAddr;

use super::{
    Attribute, CHANGE_REQUEST, OTHER_ADDRESS, PADDING, RESPONSE_ORIGIN, RESPONSE_PORT, parse_address,
    write_address,
};
use crate::header::TransactionId;

/// Asks the server to answer from its other address, its other port, or both (RFC 5780 §7.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeRequest {
    /// From the other IP address.
    pub address: bool,
    /// From the other port.
    pub port: bool,
}

impl Attribute<'_> for ChangeRequest {
    const TYPE: u16 = CHANGE_REQUEST;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        let bits = u32::from_be_bytes(value.try_into().ok()?);
        Some(Self { address: bits & 4 != 0, port: bits & 2 != 0 })
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(&[0, 0, 0, u8::from(self.address) << 2 | u8::from(self.port) << 1]);
    }
}

/// Where the answer was sent from (RFC 5780 §7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseOrigin(pub SocketAddr);

impl Attribute<'_> for ResponseOrigin {
    const TYPE: u16 = RESPONSE_ORIGIN;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        parse_address(value).map(Self)
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        write_address(self.0, value);
    }
}

/// The address with both the other IP address and the other port (RFC 5780 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherAddress(pub SocketAddr);

impl Attribute<'_> for OtherAddress {
    const TYPE: u16 = OTHER_ADDRESS;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        parse_address(value).map(Self)
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        write_address(self.0, value);
    }
}

/// Asks that the answer go to another port of the same address (RFC 5780 §7.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponsePort(pub u16);

impl Attribute<'_> for ResponsePort {
    const TYPE: u16 = RESPONSE_PORT;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        // Two bytes of port and, in some senders, two of padding counted in the length.
        value.first_chunk::<2>().map(|port| Self(u16::from_be_bytes(*port)))
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(&self.0.to_be_bytes());
    }
}

/// Makes a message this many bytes longer, to test fragmentation (RFC 5780 §7.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding(pub u16);

impl Attribute<'_> for Padding {
    const TYPE: u16 = PADDING;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        u16::try_from(value.len()).ok().map(Self)
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.resize(value.len() + usize::from(self.0), 0);
    }
}
