//! ERROR-CODE: why a request was refused (RFC 8489 §14.8).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           Reserved, should be 0         |Class|     Number    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      Reason Phrase (variable)                                ..
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Attribute, ERROR_CODE};
use crate::header::TransactionId;

/// A code of 300 to 699 and a phrase for people (at most 763 bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode<'a> {
    code: u16,
    /// The phrase; may be empty.
    pub reason: &'a str,
}

impl<'a> ErrorCode<'a> {
    /// A code and its phrase; a code outside of 300 to 699 becomes 500, the server error.
    pub fn new(code: u16, reason: &'a str) -> Self {
        Self { code: if (300..700).contains(&code) { code } else { 500 }, reason }
    }

    /// The code, 300 to 699.
    pub fn code(&self) -> u16 {
        self.code
    }
}

impl<'a> Attribute<'a> for ErrorCode<'a> {
    const TYPE: u16 = ERROR_CODE;

    fn parse(value: &'a [u8], _: &TransactionId) -> Option<Self> {
        let (head, reason) = value.split_first_chunk::<4>()?;
        let (class, number) = (u16::from(head[2] & 7), u16::from(head[3]));
        let reason = std::str::from_utf8(reason).ok().filter(|reason| reason.len() <= 763)?;
        ((3..=6).contains(&class) && number < 100).then_some(Self { code: class * 100 + number, reason })
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(&[0, 0, (self.code / 100) as u8, (self.code % 100) as u8]);
        value.extend_from_slice(self.reason.as_bytes());
    }
}
