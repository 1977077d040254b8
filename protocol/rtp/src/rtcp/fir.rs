//! FIR: a key frame is wanted, whatever was lost (RFC 5104 §4.3.1).

use super::RtcpFault;
use super::raw::{PAYLOAD_FEEDBACK, RawPacket, begin, end, put_u32};
use crate::number::Ssrc;

/// A command to send a key frame.
///
/// ```text
/// +-+-+-+---------+---------------+-------------------------------+
/// |V=2|P|  FMT=4  |    PT=206     |            length             |
/// +-+-+-+---------+---------------+-------------------------------+
/// |                    SSRC of packet sender                      |
/// +---------------------------------------------------------------+
/// |                    unused: 0                                  |
/// +---------------------------------------------------------------+
/// |                    SSRC                                       |  any number of these
/// +---------------+-----------------------------------------------+
/// |    Seq nr.    |    Reserved                                   |
/// +---------------+-----------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fir<'a> {
    /// Who commands.
    pub sender: Ssrc,
    entries: &'a [[u8; 8]],
}

/// A command to one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirEntry {
    /// The source.
    pub ssrc: Ssrc,
    /// Counts commands; one that is repeated keeps its number.
    pub number: u8,
}

impl<'a> Fir<'a> {
    /// Its format.
    pub const FORMAT: u8 = 4;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        let (sender, _) = (Ssrc(reader.u32()?), reader.u32()?);
        Ok(Self { sender, entries: reader.rest().as_chunks().0 })
    }

    /// The commands.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = FirEntry> + 'a {
        self.entries.iter().map(|&[a, b, c, d, number, ..]| FirEntry {
            ssrc: Ssrc(u32::from_be_bytes([a, b, c, d])),
            number,
        })
    }

    /// Appends commands.
    pub fn write(out: &mut Vec<u8>, sender: Ssrc, entries: &[FirEntry]) {
        let start = begin(out, Self::FORMAT, PAYLOAD_FEEDBACK);
        put_u32(out, sender.0);
        put_u32(out, 0);
        for entry in entries {
            put_u32(out, entry.ssrc.0);
            out.extend_from_slice(&[entry.number, 0, 0, 0]);
        }
        end(out, start);
    }
}
