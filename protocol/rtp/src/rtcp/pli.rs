//! PLI: a picture was lost, and a key frame would help (RFC 4585 §6.3.1).

use super::RtcpFault;
use super::raw::{PAYLOAD_FEEDBACK, RawPacket, begin, end, put_u32};
use crate::number::Ssrc;

/// A request for a key frame.
///
/// ```text
/// +-+-+-+---------+---------------+-------------------------------+
/// |V=2|P|  FMT=1  |    PT=206     |          length = 2           |
/// +-+-+-+---------+---------------+-------------------------------+
/// |                    SSRC of packet sender                      |
/// +---------------------------------------------------------------+
/// |                    SSRC of media source                       |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pli {
    /// Who asks.
    pub sender: Ssrc,
    /// Whose picture it is.
    pub media: Ssrc,
}

impl Pli {
    /// Its format.
    pub const FORMAT: u8 = 1;

    pub(super) fn parse(raw: RawPacket<'_>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        Ok(Self { sender: Ssrc(reader.u32()?), media: Ssrc(reader.u32()?) })
    }

    /// Appends it.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = begin(out, Self::FORMAT, PAYLOAD_FEEDBACK);
        put_u32(out, self.sender.0);
        put_u32(out, self.media.0);
        end(out, start);
    }
}
