//! XR: how those who send nothing learn the round trip (RFC 3611 §2, §4.4, §4.5).
//!
//! ```text
//! +-+-+-+---------+---------------+-------------------------------+
//! |V=2|P|reserved |   PT=XR=207   |            length             |
//! +-+-+-+---------+---------------+-------------------------------+
//! |                              SSRC                             |
//! +---------------+---------------+-------------------------------+
//! |      BT=4     |   reserved    |       block length = 2        |  receiver reference time
//! +---------------+---------------+-------------------------------+
//! |                    NTP timestamp, 64 bits                     |
//! +---------------+---------------+-------------------------------+
//! |      BT=5     |   reserved    |         block length          |  delay since the last one
//! +---------------+---------------+-------------------------------+
//! |      for each receiver: SSRC, last RR (LRR), delay (DLRR)     :
//! +---------------------------------------------------------------+
//! ```

use wire::Reader;

use super::RtcpFault;
use super::raw::{RawPacket, begin, end, put_u16, put_u32, put_u64};
use crate::number::Ssrc;
use crate::time::{NtpShort, NtpTime};

const REFERENCE_TIME: u8 = 4;
const DLRR: u8 = 5;
/// Bytes of a block about one receiver.
const DLRR_LEN: usize = 12;

/// A report of blocks, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedReport<'a> {
    /// Who sends it.
    pub sender: Ssrc,
    blocks: &'a [u8],
}

/// A block of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XrBlock<'a> {
    /// When the report was sent, by the sender's clock.
    ReferenceTime(NtpTime),
    /// What was heard of such times; read with [`Dlrr::all`].
    Dlrr(&'a [[u8; DLRR_LEN]]),
    /// Any other.
    Unknown(u8),
}

/// How long ago a receiver's reference time came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dlrr {
    /// The receiver.
    pub ssrc: Ssrc,
    /// The middle bits of that time; 0 where none came.
    pub last: NtpShort,
    /// Since it came.
    pub delay: NtpShort,
}

impl<'a> ExtendedReport<'a> {
    /// Its type.
    pub const KIND: u8 = 207;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        let sender = Ssrc(reader.u32()?);
        let blocks = reader.rest();
        while !reader.is_empty() {
            next(&mut reader)?;
        }
        Ok(Self { sender, blocks })
    }

    /// Its blocks, in their order.
    pub fn blocks(&self) -> impl Iterator<Item = XrBlock<'a>> + use<'a> {
        let mut reader = Reader::new(self.blocks);
        std::iter::from_fn(move || next(&mut reader).ok())
    }

    /// Appends a report with a reference time, with what was heard of others' times, or with both.
    pub fn write(out: &mut Vec<u8>, sender: Ssrc, reference: Option<NtpTime>, heard: &[Dlrr]) {
        let start = begin(out, 0, Self::KIND);
        put_u32(out, sender.0);
        if let Some(time) = reference {
            out.extend_from_slice(&[REFERENCE_TIME, 0, 0, 2]);
            put_u64(out, time.0);
        }
        if !heard.is_empty() {
            out.extend_from_slice(&[DLRR, 0]);
            put_u16(out, u16::try_from(3 * heard.len()).unwrap_or(u16::MAX));
            for block in heard {
                put_u32(out, block.ssrc.0);
                put_u32(out, block.last.0);
                put_u32(out, block.delay.0);
            }
        }
        end(out, start);
    }
}

impl Dlrr {
    /// Reads the blocks of [`XrBlock::Dlrr`].
    pub fn all(blocks: &[[u8; DLRR_LEN]]) -> impl ExactSizeIterator<Item = Self> + '_ {
        blocks.iter().map(|&[a, b, c, d, e, f, g, h, i, j, k, l]| Self {
            ssrc: Ssrc(u32::from_be_bytes([a, b, c, d])),
            last: NtpShort(u32::from_be_bytes([e, f, g, h])),
            delay: NtpShort(u32::from_be_bytes([i, j, k, l])),
        })
    }
}

fn next<'a>(reader: &mut Reader<'a>) -> Result<XrBlock<'a>, RtcpFault> {
    let (kind, _, words) = (reader.u8()?, reader.u8()?, reader.u16()?);
    let body = reader.bytes(usize::from(words) * 4)?;
    Ok(match (kind, <&[u8; 8]>::try_from(body)) {
        (REFERENCE_TIME, Ok(time)) => XrBlock::ReferenceTime(NtpTime(u64::from_be_bytes(*time))),
        (DLRR, _) if body.len().is_multiple_of(DLRR_LEN) => XrBlock::Dlrr(body.as_chunks().0),
        (REFERENCE_TIME | DLRR, _) => return Err(RtcpFault::Status),
        _ => XrBlock::Unknown(kind),
    })
}
