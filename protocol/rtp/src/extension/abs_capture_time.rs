//! When a frame was captured: an extension that no RFC describes (RFC 8285 carries it), libwebrtc does.

use wire::Reader;

use super::{Extension, Kind};
use crate::time::NtpTime;

/// The capture time of a packet's first frame, by the clock of the system that captured it.
///
/// ```text
/// +---------------+-----------------------------------------------+
/// |  ID   |len=7,15|     absolute capture timestamp, 64 bits      :
/// +---------------+-----------------------------------------------+
/// :    estimated capture clock offset, 64 bits with a sign (optional)
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsCaptureTime {
    /// By the capturer's own NTP clock.
    pub timestamp: NtpTime,
    /// How far the capturer's clock is ahead of the sender's, in units of 2^-32 s.
    pub clock_offset: Option<i64>,
}

impl<'a> Extension<'a> for AbsCaptureTime {
    const KIND: Kind = Kind::AbsCaptureTime;

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let timestamp = NtpTime(reader.u64().ok()?);
        let clock_offset = match reader.rest().len() {
            0 => None,
            8 => Some(reader.u64().ok()?.cast_signed()),
            _ => return None,
        };
        Some(Self { timestamp, clock_offset })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.timestamp.0.to_be_bytes());
        if let Some(offset) = self.clock_offset {
            out.extend_from_slice(&offset.to_be_bytes());
        }
    }
}
