//! The attributes of STUN, each a type with its wire form (RFC 8489 §14, RFC 5780 §7).
//!
//! TURN's and ICE's own attributes live in their crates.

use std::error::Error;
use std::fmt;

use crate::header::TransactionId;

mod address;
mod discovery;
mod error_code;
mod password_algorithms;
mod text;
mod unknown;

pub use address::{
    AlternateServer, MappedAddress, XorMappedAddress, parse_address, parse_xor_address, write_address,
    write_xor_address,
};
pub use discovery::{ChangeRequest, OtherAddress, Padding, ResponseOrigin, ResponsePort};
pub use error_code::ErrorCode;
pub use password_algorithms::{PasswordAlgorithm, PasswordAlgorithms};
pub use text::{AlternateDomain, Nonce, Realm, Software, UserHash, Username};
pub use unknown::UnknownAttributes;

/// An attribute with a known wire form.
pub trait Attribute<'a>: Sized {
    /// Its type; below 0x8000 a receiver must understand it.
    const TYPE: u16;

    /// Reads the value (without padding); `None` when it is malformed.
    fn parse(value: &'a [u8], transaction: &TransactionId) -> Option<Self>;

    /// Appends the value (without padding).
    fn write(&self, transaction: &TransactionId, value: &mut Vec<u8>);
}

/// An attribute of this type has a value that does not have the type's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAttribute(pub u16);

impl fmt::Display for BadAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the value of attribute {:#06x} is malformed", self.0)
    }
}

impl Error for BadAttribute {}

// RFC 8489 §18.3.
pub(crate) const MAPPED_ADDRESS: u16 = 0x0001;
pub(crate) const CHANGE_REQUEST: u16 = 0x0003;
pub(crate) const USERNAME: u16 = 0x0006;
/// MESSAGE-INTEGRITY.
pub const MESSAGE_INTEGRITY: u16 = 0x0008;
pub(crate) const ERROR_CODE: u16 = 0x0009;
pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
pub(crate) const REALM: u16 = 0x0014;
pub(crate) const NONCE: u16 = 0x0015;
/// MESSAGE-INTEGRITY-SHA256.
pub const MESSAGE_INTEGRITY_SHA256: u16 = 0x001C;
pub(crate) const PASSWORD_ALGORITHM: u16 = 0x001D;
pub(crate) const USERHASH: u16 = 0x001E;
pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
pub(crate) const PADDING: u16 = 0x0026;
pub(crate) const RESPONSE_PORT: u16 = 0x0027;
pub(crate) const PASSWORD_ALGORITHMS: u16 = 0x8002;
pub(crate) const ALTERNATE_DOMAIN: u16 = 0x8003;
pub(crate) const SOFTWARE: u16 = 0x8022;
pub(crate) const ALTERNATE_SERVER: u16 = 0x8023;
/// FINGERPRINT.
pub const FINGERPRINT: u16 = 0x8028;
pub(crate) const RESPONSE_ORIGIN: u16 = 0x802B;
pub(crate) const OTHER_ADDRESS: u16 = 0x802C;

/// The comprehension-required types of RFC 8489, which every usage understands.
pub(crate) fn is_base(kind: u16) -> bool {
    matches!(
        kind,
        MAPPED_ADDRESS
            | USERNAME
            | MESSAGE_INTEGRITY
            | ERROR_CODE
            | UNKNOWN_ATTRIBUTES
            | REALM
            | NONCE
            | MESSAGE_INTEGRITY_SHA256
            | PASSWORD_ALGORITHM
            | USERHASH
            | XOR_MAPPED_ADDRESS
    )
}
