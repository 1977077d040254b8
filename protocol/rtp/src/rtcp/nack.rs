//! Generic NACK: packets that are asked for again (RFC 4585 §6.2.1).

use super::RtcpFault;
use super::raw::{RawPacket, TRANSPORT_FEEDBACK, begin, end, put_u16, put_u32};
use crate::number::{SequenceNumber, Ssrc};

/// Packets that did not arrive.
///
/// ```text
/// +-+-+-+---------+---------------+-------------------------------+
/// |V=2|P|  FMT=1  |    PT=205     |            length             |
/// +-+-+-+---------+---------------+-------------------------------+
/// |                    SSRC of packet sender                      |
/// +---------------------------------------------------------------+
/// |                    SSRC of media source                       |
/// +-------------------------------+-------------------------------+
/// |              PID              | BLP: the 16 numbers behind it |  any number of these
/// +-------------------------------+-------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nack<'a> {
    /// Who asks.
    pub sender: Ssrc,
    /// Whose packets they are.
    pub media: Ssrc,
    entries: &'a [[u8; 4]],
}

impl<'a> Nack<'a> {
    /// Its format.
    pub const FORMAT: u8 = 1;
    /// Entries of one packet that [`Nack::write`] makes: it keeps within 1,000 bytes.
    pub const MAX_ENTRIES: usize = 247;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        let (sender, media) = (Ssrc(reader.u32()?), Ssrc(reader.u32()?));
        Ok(Self { sender, media, entries: reader.rest().as_chunks().0 })
    }

    /// The packets' numbers: as many as 17 for every 4 bytes, so bound what is done for each.
    pub fn numbers(&self) -> impl Iterator<Item = SequenceNumber> + 'a {
        self.entries.iter().flat_map(|&[a, b, c, d]| {
            let (first, mask) = (SequenceNumber(u16::from_be_bytes([a, b])), u16::from_be_bytes([c, d]));
            let behind = (0..16).filter(move |bit| mask >> bit & 1 == 1).map(move |bit| first.plus(bit + 1));
            std::iter::once(first).chain(behind)
        })
    }

    /// Appends a NACK of packets, given in ascending order. False where there were none, or more than
    /// [`Nack::MAX_ENTRIES`] hold: those beyond are left out.
    pub fn write(
        out: &mut Vec<u8>,
        (sender, media): (Ssrc, Ssrc),
        numbers: impl IntoIterator<Item = SequenceNumber>,
    ) -> bool {
        let mut numbers = numbers.into_iter();
        let Some(mut first) = numbers.next() else { return false };
        let start = begin(out, Self::FORMAT, TRANSPORT_FEEDBACK);
        put_u32(out, sender.0);
        put_u32(out, media.0);
        let (mut mask, mut entries, mut all) = (0_u16, 1, true);
        for number in numbers {
            let ahead = number.0.wrapping_sub(first.0);
            match ahead {
                0 => {}
                1..=16 => mask |= 1 << (ahead - 1),
                _ if entries == Self::MAX_ENTRIES => {
                    all = false;
                    break;
                }
                _ => {
                    put_u16(out, first.0);
                    put_u16(out, mask);
                    (first, mask, entries) = (number, 0, entries + 1);
                }
            }
        }
        put_u16(out, first.0);
        put_u16(out, mask);
        end(out, start);
        all
    }
}
