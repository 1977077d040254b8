//! ICMP: why a datagram to a peer was dropped (RFC 8656 §18.13).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Reserved                     |  ICMP Type    |  ICMP Code    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                          Error Data                           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! Figure 11 of the RFC draws type and code nine and seven bits wide; its text and every ICMP message
//! say eight and eight.

use stun::TransactionId;
use stun::attribute::Attribute;
use wire::Reader;

/// An ICMP error's type, code and data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Of ICMPv4 or ICMPv6, as the peer's address is.
    pub kind: u8,
    /// What it means depends on `kind`.
    pub code: u8,
    /// The next hop's MTU in bytes where the datagram was too big, else 0.
    pub data: u32,
}

impl Icmp {
    /// Whether RFC 8656 §11.5 has this error passed on to a client.
    pub fn is_relayed(&self, ipv4: bool) -> bool {
        if ipv4 { matches!(self.kind, 3 | 11) } else { matches!(self.kind, 1..=3) }
    }

    /// With `data` zeroed where RFC 8656 §18.13 gives it no meaning: it is an MTU where the datagram was
    /// too big.
    pub fn with_meaningful_data(self, ipv4: bool) -> Self {
        let too_big = if ipv4 { (self.kind, self.code) == (3, 4) } else { self.kind == 2 };
        Self { data: if too_big { self.data } else { 0 }, ..self }
    }
}

impl Attribute<'_> for Icmp {
    const TYPE: u16 = 0x8004;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        let mut reader = Reader::new(value);
        let (_, kind, code) = (reader.u16().ok()?, reader.u8().ok()?, reader.u8().ok()?);
        let data = reader.u32().ok()?;
        reader.is_empty().then_some(Self { kind, code, data })
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(&[0, 0, self.kind, self.code]);
        value.extend_from_slice(&self.data.to_be_bytes());
    }
}
