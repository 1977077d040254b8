//! Congestion control feedback: what arrived of each stream, when, and with which ECN mark (RFC 8888 §3.1).
//!
//! ```text
//! +-+-+-+---------+---------------+-------------------------------+
//! |V=2|P| FMT=11  |   PT = 205    |            length             |
//! +-+-+-+---------+---------------+-------------------------------+
//! |                 SSRC of RTCP packet sender                    |
//! +---------------------------------------------------------------+
//! |                   SSRC of RTP stream                          |  any number of streams
//! +-------------------------------+-------------------------------+
//! |          begin_seq            |          num_reports          |
//! +-+---+-------------------------+-------------------------------+
//! |R|ECN|  Arrival time offset    | ...                           :
//! +-+---+-------------------------+-------------------------------+
//! |                 Report Timestamp (32 bits)                    |
//! +---------------------------------------------------------------+
//! ```

use std::time::Duration;

use wire::Reader;

use super::RtcpFault;
use super::raw::{RawPacket, TRANSPORT_FEEDBACK, begin, end, put_u16, put_u32};
use crate::number::{SequenceNumber, Ssrc};
use crate::time::NtpShort;

/// Packets that a report on one stream may be about.
const MAX_METRICS: usize = 16_384;
/// The offset that is too far back to say, and the one that is not known.
const TOO_OLD: u16 = 0x1FFE;
const UNKNOWN: u16 = 0x1FFF;

/// Feedback, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CongestionFeedback<'a> {
    /// Who sends it.
    pub sender: Ssrc,
    /// When it was sent, by the sender's clock: what the offsets count back from.
    pub timestamp: NtpShort,
    streams: &'a [u8],
}

/// What arrived of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamReport<'a> {
    /// The stream.
    pub ssrc: Ssrc,
    /// The first packet it is about.
    pub begin: SequenceNumber,
    metrics: &'a [[u8; 2]],
}

/// A packet that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The mark it bore.
    pub ecn: Ecn,
    /// How long before the feedback's timestamp it came.
    pub offset: ArrivalOffset,
}

/// How long before a timestamp something arrived, in units of 1/1024 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrivalOffset {
    /// At most 8189.
    Ticks(u16),
    /// Longer than that.
    TooOld,
    /// Not measured, or after the timestamp.
    Unknown,
}

/// The two bits of Explicit Congestion Notification (RFC 3168 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ecn {
    /// The path was not asked.
    #[default]
    NotCapable,
    /// ECT(1), which L4S uses.
    Capable1,
    /// ECT(0).
    Capable0,
    /// Congestion was experienced.
    Congestion,
}

impl Ecn {
    /// The low two bits of a byte, as in the IP header.
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0x03 {
            0 => Self::NotCapable,
            1 => Self::Capable1,
            2 => Self::Capable0,
            _ => Self::Congestion,
        }
    }
}

impl ArrivalOffset {
    /// Rounds down; none before the timestamp is [`ArrivalOffset::Unknown`].
    pub fn from_duration(before: Option<Duration>) -> Self {
        let Some(before) = before else { return Self::Unknown };
        let ticks = before.as_nanos() * 1024 / 1_000_000_000;
        u16::try_from(ticks).ok().filter(|ticks| *ticks < TOO_OLD).map_or(Self::TooOld, Self::Ticks)
    }

    /// How long it is, where that is known.
    pub fn to_duration(self) -> Option<Duration> {
        let Self::Ticks(ticks) = self else { return None };
        Some(Duration::from_nanos(u64::from(ticks) * 1_000_000_000 / 1024))
    }
}

impl Metric {
    fn of_bits(bits: u16) -> Option<Self> {
        let offset = match bits & UNKNOWN {
            UNKNOWN => ArrivalOffset::Unknown,
            TOO_OLD => ArrivalOffset::TooOld,
            ticks => ArrivalOffset::Ticks(ticks),
        };
        (bits & 0x8000 != 0).then_some(Self { ecn: Ecn::from_bits((bits >> 13) as u8), offset })
    }

    fn bits(self) -> u16 {
        let offset = match self.offset {
            ArrivalOffset::Ticks(ticks) if ticks < TOO_OLD => ticks,
            ArrivalOffset::Ticks(_) | ArrivalOffset::TooOld => TOO_OLD,
            ArrivalOffset::Unknown => UNKNOWN,
        };
        0x8000 | (self.ecn as u16) << 13 | offset
    }
}

impl<'a> CongestionFeedback<'a> {
    /// Its format.
    pub const FORMAT: u8 = 11;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let (front, timestamp) = raw.body.split_last_chunk::<4>().ok_or(RtcpFault::Truncated)?;
        let mut reader = Reader::new(front);
        let sender = Ssrc(reader.u32()?);
        let streams = reader.rest();
        while !reader.is_empty() {
            StreamReport::read(&mut reader)?;
        }
        Ok(Self { sender, timestamp: NtpShort(u32::from_be_bytes(*timestamp)), streams })
    }

    /// Reports on streams, in their order.
    pub fn streams(&self) -> impl Iterator<Item = StreamReport<'a>> + use<'a> {
        let mut reader = Reader::new(self.streams);
        std::iter::from_fn(move || StreamReport::read(&mut reader).ok())
    }

    /// Appends feedback. Each stream has its first packet's number, and for that and those behind it what arrived; of more
    /// than 16,384 packets of a stream the first are written.
    pub fn write<'m>(
        out: &mut Vec<u8>,
        sender: Ssrc,
        streams: impl IntoIterator<Item = (Ssrc, SequenceNumber, &'m [Option<Metric>])>,
        timestamp: NtpShort,
    ) {
        let start = begin(out, Self::FORMAT, TRANSPORT_FEEDBACK);
        put_u32(out, sender.0);
        for (ssrc, first, metrics) in streams {
            let metrics = &metrics[..metrics.len().min(MAX_METRICS)];
            put_u32(out, ssrc.0);
            put_u16(out, first.0);
            put_u16(out, metrics.len() as u16);
            metrics.iter().for_each(|metric| put_u16(out, metric.map_or(0, Metric::bits)));
            if metrics.len() % 2 == 1 {
                put_u16(out, 0);
            }
        }
        put_u32(out, timestamp.0);
        end(out, start);
    }
}

impl<'a> StreamReport<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, RtcpFault> {
        let (ssrc, begin) = (Ssrc(reader.u32()?), SequenceNumber(reader.u16()?));
        let count = usize::from(reader.u16()?);
        if count > MAX_METRICS {
            return Err(RtcpFault::Status);
        }
        let (metrics, _) = reader.bytes(count.next_multiple_of(2) * 2)?.as_chunks();
        Ok(Self { ssrc, begin, metrics: &metrics[..count] })
    }

    /// The packets, each with what is known of it if it arrived.
    pub fn metrics(&self) -> impl Iterator<Item = (SequenceNumber, Option<Metric>)> + use<'a> {
        let begin = self.begin;
        let numbers = (0_u16..).map(move |ahead| begin.plus(ahead));
        numbers.zip(self.metrics.iter().map(|bits| Metric::of_bits(u16::from_be_bytes(*bits))))
    }
}
