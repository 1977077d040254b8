//! H.265's payloads (RFC 7798 §4.4): single NAL units, aggregation packets and fragmentation units, without decoding order
//! numbers (`sprop-max-don-diff` is 0, as WebRTC has it).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |F|   type    |  layer id | TID |  0 to 47: the unit itself
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  type = 48                    |  and for each unit its length in 16 bits, and the unit
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  type = 49                    |S|E|   type    |  and a piece of a unit without its header
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::h264::Units;
use super::nal::{NalUnits, START_CODE};
use super::split::Split;
use super::{PayloadFault, PayloadInfo};

/// Pictures from which decoding can begin: those with leading pictures, IDR and CRA.
const FIRST_IRAP: u8 = 16;
const LAST_IRAP: u8 = 21;
const LAST_SLICE: u8 = 31;
const VPS: u8 = 32;
const SEI_PREFIX: u8 = 39;
const AGGREGATE: u8 = 48;
const FRAGMENT: u8 = 49;
/// Slices that no other picture of the same temporal layer depends on are the even ones up to here.
const LAST_SUB_LAYER: u8 = 14;
const HEADER_LEN: usize = 2;

/// Whether a unit with this first byte is a sequence parameter set.
pub(super) const fn is_parameter_set(header: u8) -> bool {
    header >> 1 & 0x3F == VPS + 1
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
        header: [u8; HEADER_LEN],
        /// Without it.
        bytes: &'a [u8],
    },
}

impl<'a> Content<'a> {
    /// Reads a payload.
    #[inline]
    pub fn parse(payload: &'a [u8]) -> Result<Self, PayloadFault> {
        let (&[first, second], rest) = payload.split_first_chunk().ok_or(PayloadFault::Truncated)?;
        match first >> 1 & 0x3F {
            AGGREGATE => {
                let units = Units::parse(rest)?;
                // Each has a header of its own.
                let whole = { units }.all(|unit| unit.len() >= HEADER_LEN);
                if whole { Ok(Self::Aggregate(units)) } else { Err(PayloadFault::Truncated) }
            }
            FRAGMENT => {
                let (&fragment, bytes) = rest.split_first().ok_or(PayloadFault::Truncated)?;
                let header = [first & 0x81 | (fragment & 0x3F) << 1, second];
                if bytes.is_empty() {
                    return Err(PayloadFault::Truncated);
                }
                Ok(Self::Fragment { start: fragment & 0x80 != 0, end: fragment & 0x40 != 0, header, bytes })
            }
            0..AGGREGATE => Ok(Self::Single(payload)),
            _ => Err(PayloadFault::Unsupported),
        }
    }
}

fn kind(header: u8) -> u8 {
    header >> 1 & 0x3F
}

/// What a unit says by its header, and by the first bit behind it where it is a slice.
fn describe_unit([first, second]: [u8; HEADER_LEN], slice: Option<u8>) -> PayloadInfo {
    let kind = kind(first);
    let first_slice = slice.is_none_or(|byte| byte & 0x80 != 0);
    PayloadInfo {
        start: if kind <= LAST_SLICE { first_slice } else { kind <= SEI_PREFIX },
        // Parameter sets come before such a picture.
        key: (FIRST_IRAP..=LAST_IRAP).contains(&kind) || (VPS..=VPS + 1).contains(&kind),
        // The header counts from 1.
        temporal: Some((second & 0x07).saturating_sub(1)),
        // TSA and STSA: from here a higher temporal layer may be followed.
        switching_point: matches!(kind, 2..=5 | FIRST_IRAP..=LAST_IRAP),
        discardable: kind <= LAST_SUB_LAYER && kind.is_multiple_of(2),
        ..PayloadInfo::default()
    }
}

fn describe_whole(unit: &[u8]) -> PayloadInfo {
    unit.first_chunk()
        .map_or_else(PayloadInfo::default, |header| describe_unit(*header, unit.get(2).copied()))
}

pub(super) fn describe(payload: &[u8], marker: bool) -> Result<PayloadInfo, PayloadFault> {
    let info = match Content::parse(payload)? {
        Content::Single(unit) => describe_whole(unit),
        Content::Aggregate(units) => {
            let mut all = units.map(describe_whole);
            let first = all.next().unwrap_or_default();
            all.fold(first, |info, unit| PayloadInfo {
                key: info.key || unit.key,
                switching_point: info.switching_point || unit.switching_point,
                discardable: info.discardable && unit.discardable,
                ..info
            })
        }
        Content::Fragment { start, header, bytes, .. } => {
            let unit = describe_unit(header, bytes.first().copied());
            PayloadInfo { start: start && unit.start, key: start && unit.key, ..unit }
        }
    };
    Ok(PayloadInfo { end: marker, ..info })
}

/// A frame's units, cut into payloads.
#[derive(Clone, Copy, Debug)]
pub(super) struct NalPayloads<'a> {
    units: NalUnits<'a>,
    max: usize,
    /// What is left of a unit that does not fit a payload, its header, and whether a piece of it was written.
    fragment: Option<(Split<'a>, [u8; HEADER_LEN], bool)>,
}

impl<'a> NalPayloads<'a> {
    pub(super) fn new(frame: &'a [u8], max: usize) -> Self {
        Self { units: NalUnits::new(frame), max, fragment: None }
    }

    pub(super) fn is_done(&self) -> bool {
        self.fragment.is_none() && { self.units }.all(|unit| unit.len() < HEADER_LEN)
    }

    /// Appends the next payload; false if there is none.
    pub(super) fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.fragment.is_none() {
            // A unit without a header is none.
            let Some((unit, header)) = self.units.find_map(|unit| Some((unit, *unit.first_chunk()?))) else {
                return false;
            };
            if unit.len() <= self.max {
                self.write_whole(unit, header, out);
                return true;
            }
            self.fragment = Some((Split::new(&unit[HEADER_LEN..], self.max - 3), header, false));
        }
        let Some((split, [first, second], begun)) = &mut self.fragment else { return false };
        let Some(piece) = split.next() else { return false };
        let end = split.is_done();
        out.extend_from_slice(&[
            *first & 0x81 | FRAGMENT << 1,
            *second,
            u8::from(!*begun) << 7 | u8::from(end) << 6 | kind(*first),
        ]);
        out.extend_from_slice(piece);
        *begun = true;
        if end {
            self.fragment = None;
        }
        true
    }

    /// A unit that fits, and with it those behind it that fit too.
    fn write_whole(&mut self, unit: &'a [u8], [first, second]: [u8; HEADER_LEN], out: &mut Vec<u8>) {
        let mut len = HEADER_LEN + 2 + unit.len();
        let (mut count, mut forbidden, mut layer, mut temporal) =
            (1, first & 0x80, (first & 1, second >> 3), second & 7);
        for next in self.units {
            len += 2 + next.len();
            let Some(&[first, second]) = next.first_chunk() else { break };
            if len > self.max {
                break;
            }
            // The lowest of each (§4.4.2).
            (layer, temporal) = (layer.min((first & 1, second >> 3)), temporal.min(second & 7));
            forbidden |= first & 0x80;
            count += 1;
        }
        if count == 1 {
            out.extend_from_slice(unit);
            return;
        }
        out.extend_from_slice(&[forbidden | AGGREGATE << 1 | layer.0, layer.1 << 3 | temporal]);
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
                append(&header);
            }
            frame.extend_from_slice(bytes);
            return Ok(!end);
        }
    }
    Ok(false)
}
