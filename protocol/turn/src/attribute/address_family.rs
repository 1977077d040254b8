//! REQUESTED-ADDRESS-FAMILY, ADDITIONAL-ADDRESS-FAMILY, ADDRESS-ERROR-CODE (RFC 8656 §18.6, §18.11,
//! §18.12).

use std::net::IpAddr;

use stun::TransactionId;
use stun::attribute::{Attribute, ErrorCode};

/// The version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// 0x01.
    Ipv4,
    /// 0x02.
    Ipv6,
}

impl Family {
    /// The family of an address.
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }

    fn number(self) -> u8 {
        match self {
            Self::Ipv4 => 1,
            Self::Ipv6 => 2,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Ipv4),
            2 => Some(Self::Ipv6),
            _ => None,
        }
    }
}

/// REQUESTED-ADDRESS-FAMILY; `None` for a family that RFC 8656 does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedAddressFamily(pub Option<Family>);

impl Attribute<'_> for RequestedAddressFamily {
    const TYPE: u16 = 0x0017;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        let [family, _, _, _] = value.try_into().ok()?;
        Some(Self(Family::from_number(family)))
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(&[self.0.map_or(0, Family::number), 0, 0, 0]);
    }
}

/// ADDITIONAL-ADDRESS-FAMILY; `None` for a family that RFC 8656 does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdditionalAddressFamily(pub Option<Family>);

impl Attribute<'_> for AdditionalAddressFamily {
    const TYPE: u16 = 0x8000;

    fn parse(value: &[u8], transaction: &TransactionId) -> Option<Self> {
        RequestedAddressFamily::parse(value, transaction).map(|family| Self(family.0))
    }

    fn write(&self, transaction: &TransactionId, value: &mut Vec<u8>) {
        RequestedAddressFamily(self.0).write(transaction, value);
    }
}

/// ADDRESS-ERROR-CODE: why one of two families was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressErrorCode<'a> {
    /// The family that was not granted.
    pub family: Family,
    /// 440 or 508.
    pub error: ErrorCode<'a>,
}

impl<'a> Attribute<'a> for AddressErrorCode<'a> {
    const TYPE: u16 = 0x8001;

    fn parse(value: &'a [u8], transaction: &TransactionId) -> Option<Self> {
        let family = Family::from_number(*value.first()?)?;
        Some(Self { family, error: ErrorCode::parse(value, transaction)? })
    }

    fn write(&self, transaction: &TransactionId, value: &mut Vec<u8>) {
        let start = value.len();
        self.error.write(transaction, value);
        // The family stands where ERROR-CODE has a reserved byte.
        value[start] = self.family.number();
    }
}
