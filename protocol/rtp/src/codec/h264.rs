//! H.264's payloads (RFC 6184 §5.2 to §5.8): single NAL units, STAP-A and FU-A, which are those of packetization modes 0
//! and 1.
//!
//! ```text
//! +-+-+-+-+-+-+-+-+
//! |F|NRI|  type   |  1 to 23: the unit itself
//! +-+-+-+-+-+-+-+-+
//! |  type = 24    |  and for each unit its length in 16 bits, and the unit
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  type = 28    |S|E|R|  type   |  and a piece of a unit without its first byte
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use wire::Reader;

use super::nal::{NalUnits, START_CODE};
use super::split::Split;
use super::{PayloadFault, PayloadInfo};

const SLICE: u8 = 1;
const SLICE_PARTITION_A: u8 = 2;
const IDR: u8 = 5;
const SEI: u8 = 6;
const SPS: u8 = 7;
const PPS: u8 = 8;
const DELIMITER: u8 = 9;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// Whether a unit with this first byte is a sequence parameter set.
pub(super) const fn is_parameter_set(header: u8) -> bool {
    header & 0x1F == SPS
}

/// What is in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A NAL unit, header included.
    Single(&'a [u8]),
    /// Several, each with its length before it.
    Aggregate(Units<'a>),
    /// A piece of one.
    Fragment {
        /// Whether it is the first.
        start: bool,
        /// Whether it is the last.
        end: bool,
        /// The unit's header.
        header: u8,
        /// Without it.
        bytes: &'a [u8],
    },
}

/// Units that stand behind each other, each with its length before it; checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units<'a> {
    bytes: &'a [u8],
}

impl<'a> Units<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, PayloadFault> {
        let mut rest = Reader::new(bytes);
        while !rest.is_empty() {
            let len = rest.u16()?;
            if rest.bytes(usize::from(len))?.is_empty() {
                return Err(PayloadFault::Truncated);
            }
        }
        if bytes.is_empty() { Err(PayloadFault::Truncated) } else { Ok(Self { bytes }) }
    }
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut reader = Reader::new(self.bytes);
        let len = reader.u16().ok()?;
        let unit = reader.bytes(usize::from(len)).ok()?;
        self.bytes = reader.rest();
        Some(unit)
    }
}

impl<'a> Content<'a> {
    /// Reads a payload.
    #[inline]
    pub fn parse(payload: &'a [u8]) -> Result<Self, PayloadFault> {
        let (&first, rest) = payload.split_first().ok_or(PayloadFault::Truncated)?;
        match first & 0x1F {
            1..=23 => Ok(Self::Single(payload)),
            STAP_A => Units::parse(rest).map(Self::Aggregate),
            FU_A => {
                let (&fragment, bytes) = rest.split_first().ok_or(PayloadFault::Truncated)?;
                let header = first & 0xE0 | fragment & 0x1F;
                if bytes.is_empty() {
                    return Err(PayloadFault::Truncated);
                }
                Ok(Self::Fragment { start: fragment & 0x80 != 0, end: fragment & 0x40 != 0, header, bytes })
            }
            _ => Err(PayloadFault::Unsupported),
        }
    }
}

/// What a unit says by its header, and by its first bit where it is a slice.
fn describe_unit(header: u8, first: Option<u8>) -> PayloadInfo {
    // `first_mb_in_slice` is 0 in the first slice, which is written as one set bit.
    let first_slice = first.is_none_or(|byte| byte & 0x80 != 0);
    let kind = header & 0x1F;
    PayloadInfo {
        start: match kind {
            SLICE | SLICE_PARTITION_A | IDR => first_slice,
            SEI | SPS | PPS | DELIMITER => true,
            _ => false,
        },
        key: matches!(kind, IDR | SPS),
        discardable: header & 0x60 == 0 && matches!(kind, SLICE | SLICE_PARTITION_A),
        ..PayloadInfo::default()
    }
}

pub(super) fn describe(payload: &[u8], marker: bool) -> Result<PayloadInfo, PayloadFault> {
    let mut info = match Content::parse(payload)? {
        Content::Single(unit) => describe_unit(unit[0], unit.get(1).copied()),
        Content::Aggregate(units) => {
            let mut all = units.map(|unit| describe_unit(unit[0], unit.get(1).copied()));
            let first = all.next().unwrap_or_default();
            all.fold(first, |info, unit| PayloadInfo {
                key: info.key || unit.key,
                discardable: info.discardable && unit.discardable,
                ..info
            })
        }
        Content::Fragment { start, header, bytes, .. } => {
            let unit = describe_unit(header, bytes.first().copied());
            PayloadInfo { start: start && unit.start, key: start && unit.key, ..unit }
        }
    };
    info.end = marker;
    // Without layers, any frame will do that depends on none before.
    info.switching_point = info.key;
    Ok(info)
}

/// A frame's units, cut into payloads.
#[derive(Clone, Copy, Debug)]
pub(super) struct NalPayloads<'a> {
    units: NalUnits<'a>,
    max: usize,
    /// What is left of a unit that does not fit a payload, its header, and whether a piece of it was written.
    fragment: Option<(Split<'a>, u8, bool)>,
}

impl<'a> NalPayloads<'a> {
    pub(super) fn new(frame: &'a [u8], max: usize) -> Self {
        Self { units: NalUnits::new(frame), max, fragment: None }
    }

    pub(super) fn is_done(&self) -> bool {
        self.fragment.is_none() && { self.units }.next().is_none()
    }

    /// Appends the next payload; false if there is none.
    pub(super) fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.fragment.is_none() {
            let Some(unit) = self.units.next() else { return false };
            if unit.len() <= self.max {
                self.write_whole(unit, out);
                return true;
            }
            // The header's parts are in the two bytes before each piece.
            self.fragment = Some((Split::new(&unit[1..], self.max - 2), unit[0], false));
        }
        let Some((split, header, begun)) = &mut self.fragment else { return false };
        let Some(piece) = split.next() else { return false };
        let end = split.is_done();
        out.extend_from_slice(&[
            *header & 0xE0 | FU_A,
            u8::from(!*begun) << 7 | u8::from(end) << 6 | *header & 0x1F,
        ]);
        out.extend_from_slice(piece);
        *begun = true;
        if end {
            self.fragment = None;
        }
        true
    }

    /// A unit that fits, and with it those behind it that fit too.
    fn write_whole(&mut self, unit: &'a [u8], out: &mut Vec<u8>) {
        let mut len = 1 + 2 + unit.len();
        let mut header = unit[0];
        let mut count = 1;
        for next in self.units {
            len += 2 + next.len();
            if len > self.max {
                break;
            }
            // Forbidden if any is, and as important as the most important one.
            header = (header | next[0]) & 0x80 | (header & 0x60).max(next[0] & 0x60);
            count += 1;
        }
        if count == 1 {
            out.extend_from_slice(unit);
            return;
        }
        out.push(header & 0xE0 | STAP_A);
        let others = self.units.by_ref().take(count - 1);
        for unit in std::iter::once(unit).chain(others) {
            out.extend_from_slice(&(unit.len() as u16).to_be_bytes());
            out.extend_from_slice(unit);
        }
    }
}

/// Appends a payload's units to a frame, with start codes; whether a unit stays open.
pub(super) fn assemble(payload: &[u8], open: bool, frame: &mut Vec<u8>) -> Result<bool, PayloadFault> {
    let content = Content::parse(payload)?;
    let goes_on = matches!(content, Content::Fragment { start: false, .. });
    if goes_on != open {
        return Err(if open { PayloadFault::Unfinished } else { PayloadFault::Orphan });
    }
    let mut append = |unit: &[u8]| {
        frame.extend_from_slice(&START_CODE);
        frame.extend_from_slice(unit);
    };
    match content {
        Content::Single(unit) => append(unit),
        Content::Aggregate(units) => units.for_each(append),
        Content::Fragment { start, end, header, bytes } => {
            if start {
                append(&[header]);
            }
            frame.extend_from_slice(bytes);
            return Ok(!end);
        }
    }
    Ok(false)
}
