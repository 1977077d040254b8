//! Error causes in ABORT and ERROR (RFC 9260 §3.3.10).

use super::{Malformed, Parameter, Parameters};

/// An error cause (RFC 9260 §3.3.10): a code, and information that depends on it.
///
/// ```text
/// +-------------------------------+-------------------------------+
/// |          Cause Code           |         Cause Length          |
/// +-------------------------------+-------------------------------+
/// \                  Cause-Specific Information                   \
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause<'a> {
    /// The cause code.
    pub code: u16,
    /// Information that depends on the code.
    pub info: &'a [u8],
}

impl Cause<'_> {
    /// Stale Cookie (§3.3.10.3).
    pub const STALE_COOKIE: u16 = 3;
    /// Out of Resource (§3.3.10.4).
    pub const OUT_OF_RESOURCE: u16 = 4;
    /// Unrecognized Chunk Type (§3.3.10.6); the info is that chunk.
    pub const UNRECOGNIZED_CHUNK: u16 = 6;
    /// No User Data (§3.3.10.9); the info is the TSN.
    pub const NO_USER_DATA: u16 = 9;
    /// Restart of an Association with New Addresses (§3.3.10.11).
    pub const RESTART: u16 = 11;
    /// User-Initiated Abort (§3.3.10.12); the info is the application's reason.
    pub const USER_INITIATED: u16 = 12;
    /// Protocol Violation (§3.3.10.13).
    pub const PROTOCOL_VIOLATION: u16 = 13;

    /// Appends the cause, padded.
    pub fn write(&self, out: &mut Vec<u8>) {
        Parameter { kind: self.code, value: self.info }.write(out);
    }
}

/// The causes of a chunk, in order.
#[derive(Clone, Copy, Debug)]
pub struct Causes<'a>(pub(super) Parameters<'a>);

impl<'a> Iterator for Causes<'a> {
    type Item = Result<Cause<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let parameter = self.0.next()?;
        Some(parameter.map(|parameter| Cause { code: parameter.kind, info: parameter.value }))
    }
}
