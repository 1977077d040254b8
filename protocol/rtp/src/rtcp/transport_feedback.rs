//! Transport-wide feedback: which packets of a transport arrived, and when
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
//!
//! ```text
//! +-+-+-+---------+---------------+-------------------------------+
//! |V=2|P|  FMT=15 |    PT=205     |           length              |
//! +-+-+-+---------+---------------+-------------------------------+
//! |                     SSRC of packet sender                     |
//! +---------------------------------------------------------------+
//! |                      SSRC of media source                     |
//! +-------------------------------+-------------------------------+
//! |      base sequence number     |      packet status count      |
//! +-------------------------------+---------------+---------------+
//! |                 reference time                | fb pkt. count |
//! +-------------------------------+---------------+---------------+
//! |          packet chunk         |         packet chunk          :
//! +-------------------------------+-------------------------------+
//! |  recv delta, of one or two bytes for each packet that came    :
//! +---------------------------------------------------------------+
//! ```
//!
//! A chunk is a run of one status (`0`, status in 2 bits, length in 13) or a vector: 14 statuses of one bit (`10`) or 7 of
//! two (`11`). Arrivals count in ticks of 250 µs; the first is that long after the reference time, each later one that
//! long after the one before it.
//!
//! Feedback without times, which only the extension's second version asks for, is a fault: nothing here asks for it.

mod chunk;
mod write;

pub use write::{Arrival, FeedbackHead};

use std::time::Duration;

use wire::Reader;

use self::chunk::{Status, Statuses};
use super::RtcpFault;
use super::raw::RawPacket;
use crate::number::{SequenceNumber, Ssrc};

/// What arrivals are counted in.
pub const TICK: Duration = Duration::from_micros(250);
/// Ticks of a unit of the reference time, which is 64 ms.
const TICKS_PER_UNIT: i64 = 256;
/// A unit's bits.
const REFERENCE_BITS: u32 = 24;

/// Feedback, checked: every packet that came has its delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportFeedback<'a> {
    /// Who sends it.
    pub sender: Ssrc,
    /// A stream of the transport it is about.
    pub media: Ssrc,
    /// The first packet it is about.
    pub base: SequenceNumber,
    /// How many it is about.
    pub count: u16,
    /// What arrivals are relative to.
    pub reference: ReferenceTime,
    /// Counts feedback packets, and wraps around.
    pub feedback_count: u8,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

/// A moment by the receiver's clock in units of 64 ms, in 24 bits that wrap around after 12 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceTime(u32);

impl ReferenceTime {
    /// The time of this many ticks, rounded down to a unit.
    pub const fn from_ticks(ticks: i64) -> Self {
        Self(ticks.div_euclid(TICKS_PER_UNIT) as u32 & ((1 << REFERENCE_BITS) - 1))
    }

    /// In ticks, the one nearest to `near`: what does not wrap around. Start with any number, such as 0, and then give the
    /// last result.
    pub const fn to_ticks(self, near: i64) -> i64 {
        let unit = near.div_euclid(TICKS_PER_UNIT);
        let ahead = (self.0.wrapping_sub(unit as u32) << (32 - REFERENCE_BITS)).cast_signed()
            >> (32 - REFERENCE_BITS);
        unit.wrapping_add(ahead as i64).wrapping_mul(TICKS_PER_UNIT)
    }
}

impl<'a> TransportFeedback<'a> {
    /// Its format.
    pub const FORMAT: u8 = 15;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        let (sender, media) = (Ssrc(reader.u32()?), Ssrc(reader.u32()?));
        let (base, count) = (SequenceNumber(reader.u16()?), reader.u16()?);
        let last = reader.u32()?;
        let (reference, feedback_count) = (ReferenceTime(last >> 8), last as u8);
        let rest = reader.rest();
        // One byte for a small delta, two for a large one.
        let (deltas_len, deltas) = chunk::measure(rest, count)?;
        let (chunks, _) = rest.split_at(rest.len() - deltas.len());
        // What is behind the deltas is padding.
        let deltas = deltas.get(..deltas_len).ok_or(RtcpFault::Status)?;
        Ok(Self { sender, media, base, count, reference, feedback_count, chunks, deltas })
    }

    /// The packets in their order, each with its arrival if it came: in ticks after the reference time, and before it where
    /// that is negative. There may be as many as 65,535, in few bytes: bound what is done for each.
    pub fn arrivals(&self) -> impl Iterator<Item = (SequenceNumber, Option<i32>)> + use<'a> {
        let (base, mut deltas, mut time) = (self.base, Reader::new(self.deltas), 0_i32);
        let numbers = (0_u16..=u16::MAX).map(move |ahead| base.plus(ahead));
        numbers.zip(Statuses::new(self.chunks, self.count)).map(move |(number, status)| {
            // `parse` has seen every one of these.
            let delta = match status.unwrap_or(Status::Lost) {
                Status::Lost => None,
                Status::Small => deltas.u8().ok().map(i32::from),
                Status::Large => deltas.u16().ok().map(|delta| i32::from(delta.cast_signed())),
            };
            (
                number,
                delta.map(|delta| {
                    time = time.wrapping_add(delta);
                    time
                }),
            )
        })
    }
}

#[cfg(test)]
mod tests;
