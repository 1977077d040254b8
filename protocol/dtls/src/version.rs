//! The versions: RFC 9147 §5.3.

use crate::record::header12::VERSION_12;

/// A version of DTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// DTLS 1.2 (RFC 6347).
    Dtls12,
    /// DTLS 1.3 (RFC 9147).
    Dtls13,
}

impl Version {
    /// On the wire versions count downwards.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Dtls12 => VERSION_12,
            Self::Dtls13 => 0xfefc,
        }
    }
}
