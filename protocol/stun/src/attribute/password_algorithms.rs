//! PASSWORD-ALGORITHMS, what a server offers, and PASSWORD-ALGORITHM, what the client chose
//! (RFC 8489 §14.11, §14.12).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          Algorithm            |  Algorithm Parameters Length  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                Algorithm Parameters (variable)               ..
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use wire::Reader;

use super::{Attribute, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS};
use crate::credentials::Algorithm;
use crate::header::TransactionId;

/// The server's offer, the preferred one first. Kept as bytes, because a client must echo it unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordAlgorithms<'a>(&'a [u8]);

impl PasswordAlgorithms<'static> {
    /// SHA-256 before MD5.
    pub const SHA256_MD5: Self = Self(&[0, 2, 0, 0, 0, 1, 0, 0]);
}

impl<'a> PasswordAlgorithms<'a> {
    /// The offer as it stands on the wire, to echo it.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The offered algorithms that this crate knows, in order.
    pub fn known(self) -> impl Iterator<Item = Algorithm> + use<'a> {
        let mut reader = Reader::new(self.0);
        std::iter::from_fn(move || read(&mut reader)).filter_map(|(number, empty)| {
            // Neither of the known algorithms takes parameters.
            if empty { Algorithm::from_number(number) } else { None }
        })
    }
}

impl<'a> Attribute<'a> for PasswordAlgorithms<'a> {
    const TYPE: u16 = PASSWORD_ALGORITHMS;

    fn parse(value: &'a [u8], _: &TransactionId) -> Option<Self> {
        let mut reader = Reader::new(value);
        while !reader.is_empty() {
            read(&mut reader)?;
        }
        Some(Self(value))
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(self.0);
    }
}

/// The client's choice: a number that may be one we do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordAlgorithm(pub u16);

impl Attribute<'_> for PasswordAlgorithm {
    const TYPE: u16 = PASSWORD_ALGORITHM;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        let mut reader = Reader::new(value);
        let (number, _) = read(&mut reader)?;
        reader.is_empty().then_some(Self(number))
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(&self.0.to_be_bytes());
        value.extend_from_slice(&[0, 0]);
    }
}

/// One algorithm's number, and whether its parameters are empty. The last may come without its padding.
fn read(reader: &mut Reader<'_>) -> Option<(u16, bool)> {
    let number = reader.u16().ok()?;
    let length = usize::from(reader.u16().ok()?);
    reader.bytes(length).ok()?;
    let padding = (length.wrapping_neg() % 4).min(reader.rest().len());
    reader.bytes(padding).ok()?;
    Some((number, length == 0))
}
