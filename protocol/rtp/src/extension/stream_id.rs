//! Which encoding of its section a stream is, or repairs (RFC 8852 §3).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len-1 | letters and digits
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Kind, MAX_LEN};

/// The `a=rid` of a stream (RFC 8852 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpStreamId<'a>(pub &'a [u8]);

/// The `a=rid` of the stream that this one repairs (RFC 8852 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepairedRtpStreamId<'a>(pub &'a [u8]);

/// Letters and digits, and what implementations use besides: RFC 8851 §10 has `-` and `_`.
fn is_id(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl<'a> Extension<'a> for RtpStreamId<'a> {
    const KIND: Kind = Kind::RtpStreamId;

    #[inline]
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        is_id(bytes).then_some(Self(bytes))
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0[..self.0.len().min(MAX_LEN)]);
    }
}

impl<'a> Extension<'a> for RepairedRtpStreamId<'a> {
    const KIND: Kind = Kind::RepairedRtpStreamId;

    #[inline]
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        is_id(bytes).then_some(Self(bytes))
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0[..self.0.len().min(MAX_LEN)]);
    }
}
