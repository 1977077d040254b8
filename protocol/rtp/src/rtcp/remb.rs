//! REMB: the bitrate that a receiver believes to be possible (draft-alvestrand-rmcat-remb-03 §2.2).

use super::RtcpFault;
use super::raw::{PAYLOAD_FEEDBACK, RawPacket, begin, end, put_u32};
use crate::number::Ssrc;

const NAME: [u8; 4] = *b"REMB";
const MANTISSA_BITS: u32 = 18;

/// A receiver's estimate over several streams.
///
/// ```text
/// +-+-+-+---------+---------------+-------------------------------+
/// |V=2|P| FMT=15  |   PT=206      |            length             |
/// +-+-+-+---------+---------------+-------------------------------+
/// |                  SSRC of packet sender                        |
/// +---------------------------------------------------------------+
/// |                  unused: 0                                    |
/// +---------------------------------------------------------------+
/// |  Unique identifier 'R' 'E' 'M' 'B'                            |
/// +---------------+-----------+-----------------------------------+
/// |  Num SSRC     | BR Exp    |  BR Mantissa                      |
/// +---------------+-----------+-----------------------------------+
/// |   SSRC feedback, Num SSRC of them                             |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remb<'a> {
    /// Who estimates.
    pub sender: Ssrc,
    /// Bits per second; what exceeds 64 bits reads as the most that they hold.
    pub bitrate: u64,
    sources: &'a [[u8; 4]],
}

impl<'a> Remb<'a> {
    /// Its format, which other applications use too.
    pub const FORMAT: u8 = 15;

    pub(super) fn is_named(raw: RawPacket<'_>) -> bool {
        raw.body.get(8..12) == Some(&NAME)
    }

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        let sender = Ssrc(reader.u32()?);
        let (_, _, rate) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let (count, exponent) = (rate >> 24, rate >> MANTISSA_BITS & 0x3F);
        let mantissa = u64::from(rate & ((1 << MANTISSA_BITS) - 1));
        let bitrate = mantissa.saturating_mul(1 << exponent);
        let sources = reader.bytes(count as usize * 4)?.as_chunks().0;
        Ok(Self { sender, bitrate, sources })
    }

    /// The streams it is about: up to 255.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = Ssrc> + 'a {
        self.sources.iter().map(|source| Ssrc(u32::from_be_bytes(*source)))
    }

    /// Appends an estimate, rounded down to 18 significant bits, for the first 255 streams.
    pub fn write(out: &mut Vec<u8>, sender: Ssrc, bitrate: u64, sources: &[Ssrc]) {
        let sources = &sources[..sources.len().min(255)];
        let exponent = (u64::BITS - bitrate.leading_zeros()).saturating_sub(MANTISSA_BITS);
        let start = begin(out, Self::FORMAT, PAYLOAD_FEEDBACK);
        put_u32(out, sender.0);
        put_u32(out, 0);
        out.extend_from_slice(&NAME);
        let mantissa = (bitrate >> exponent) as u32;
        put_u32(out, (sources.len() as u32) << 24 | exponent << MANTISSA_BITS | mantissa);
        sources.iter().for_each(|source| put_u32(out, source.0));
        end(out, start);
    }
}
