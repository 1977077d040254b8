//! TMMBR: the bitrate that a sender must not exceed (RFC 5104 §4.2.1). It is read only: REMB and transport-wide feedback
//! have its place.

use super::RtcpFault;
use super::raw::RawPacket;
use crate::number::Ssrc;

/// Requests to keep below a bitrate.
///
/// ```text
/// +-+-+-+---------+---------------+-------------------------------+
/// |V=2|P|  FMT=3  |    PT=205     |            length             |
/// +-+-+-+---------+---------------+-------------------------------+
/// |                    SSRC of packet sender                      |
/// +---------------------------------------------------------------+
/// |                    unused: 0                                  |
/// +---------------------------------------------------------------+
/// |                    SSRC                                       |  any number of these
/// +-----------+---------------------------------+-----------------+
/// | MxTBR Exp |  MxTBR Mantissa                 |Measured Overhead|
/// +-----------+---------------------------------+-----------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tmmbr<'a> {
    /// Who asks.
    pub sender: Ssrc,
    entries: &'a [[u8; 8]],
}

/// A request to one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TmmbrEntry {
    /// The source.
    pub ssrc: Ssrc,
    /// Bits per second; what exceeds 64 bits reads as the most that they hold.
    pub bitrate: u64,
    /// Bytes of headers per packet that this counts.
    pub overhead: u16,
}

impl<'a> Tmmbr<'a> {
    /// Its format.
    pub const FORMAT: u8 = 3;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        let (sender, _) = (Ssrc(reader.u32()?), reader.u32()?);
        Ok(Self { sender, entries: reader.rest().as_chunks().0 })
    }

    /// The requests.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = TmmbrEntry> + 'a {
        self.entries.iter().map(|&[a, b, c, d, e, f, g, h]| {
            let rate = u32::from_be_bytes([e, f, g, h]);
            let mantissa = u64::from(rate >> 9 & 0x1_FFFF);
            TmmbrEntry {
                ssrc: Ssrc(u32::from_be_bytes([a, b, c, d])),
                bitrate: mantissa.saturating_mul(1 << (rate >> 26)),
                overhead: (rate & 0x1FF) as u16,
            }
        })
    }
}
