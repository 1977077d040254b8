//! Attributes that hold an address: MAPPED-ADDRESS, XOR-MAPPED-ADDRESS, ALTERNATE-SERVER
//! (RFC 8489 §14.1, §14.2, §14.15).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0 0 0 0 0 0 0|    Family     |           Port                |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                 Address (32 bits or 128 bits)                 |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use wire::Reader;

use super::{ALTERNATE_SERVER, Attribute, MAPPED_ADDRESS, XOR_MAPPED_ADDRESS};
use crate::header::{MAGIC_COOKIE, TransactionId};

const IPV4: u8 = 1;
const IPV6: u8 = 2;

/// The address a request came from, in the clear: some NATs rewrite it, so prefer the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappedAddress(pub SocketAddr);

/// The address a request came from, obscured from NATs that rewrite what looks like an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XorMappedAddress(pub SocketAddr);

/// Another server that the client should use (with error 300).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlternateServer(pub SocketAddr);

/// Reads an address value in the clear.
pub fn parse_address(value: &[u8]) -> Option<SocketAddr> {
    let mut reader = Reader::new(value);
    let (_, family, port) = (reader.u8().ok()?, reader.u8().ok()?, reader.u16().ok()?);
    let ip = match family {
        IPV4 => IpAddr::from(reader.array::<4>().ok()?),
        IPV6 => IpAddr::from(reader.array::<16>().ok()?),
        _ => return None,
    };
    reader.is_empty().then_some(SocketAddr::new(ip, port))
}

/// Appends an address value in the clear.
pub fn write_address(address: SocketAddr, value: &mut Vec<u8>) {
    value.extend_from_slice(&[0, if address.is_ipv4() { IPV4 } else { IPV6 }]);
    value.extend_from_slice(&address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => value.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => value.extend_from_slice(&ip.octets()),
    }
}

/// Reads an address value XORed with cookie and transaction (RFC 8489 §14.2).
pub fn parse_xor_address(value: &[u8], transaction: &TransactionId) -> Option<SocketAddr> {
    parse_address(value).map(|address| xor(address, transaction))
}

/// Appends an address value XORed with cookie and transaction (RFC 8489 §14.2).
pub fn write_xor_address(address: SocketAddr, transaction: &TransactionId, value: &mut Vec<u8>) {
    write_address(xor(address, transaction), value);
}

/// Its own inverse.
fn xor(address: SocketAddr, transaction: &TransactionId) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() ^ MAGIC_COOKIE)),
        IpAddr::V6(ip) => {
            let mut mask = [0; 16];
            mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
            mask[4..].copy_from_slice(&transaction.0);
            IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() ^ u128::from_be_bytes(mask)))
        }
    };
    SocketAddr::new(ip, address.port() ^ (MAGIC_COOKIE >> 16) as u16)
}

impl Attribute<'_> for MappedAddress {
    const TYPE: u16 = MAPPED_ADDRESS;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        parse_address(value).map(Self)
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        write_address(self.0, value);
    }
}

impl Attribute<'_> for XorMappedAddress {
    const TYPE: u16 = XOR_MAPPED_ADDRESS;

    fn parse(value: &[u8], transaction: &TransactionId) -> Option<Self> {
        parse_xor_address(value, transaction).map(Self)
    }

    fn write(&self, transaction: &TransactionId, value: &mut Vec<u8>) {
        write_xor_address(self.0, transaction, value);
    }
}

impl Attribute<'_> for AlternateServer {
    const TYPE: u16 = ALTERNATE_SERVER;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        parse_address(value).map(Self)
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        write_address(self.0, value);
    }
}
