//! Which section of the session description a stream belongs to (RFC 8843 §15, RFC 7941).

use super::{Extension, Kind, MAX_LEN};

/// The `a=mid` of the section.
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  ID   | len-1 | token, as ASCII
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mid<'a>(pub &'a [u8]);

impl<'a> Extension<'a> for Mid<'a> {
    const KIND: Kind = Kind::Mid;

    #[inline]
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0[..self.0.len().min(MAX_LEN)]);
    }
}
