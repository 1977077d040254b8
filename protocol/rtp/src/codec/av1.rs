//! AV1's payloads (AOM's RTP payload format, version 1.0, §4.3 to §5; negotiated like any codec's, RFC 8829): OBUs without
//! their sizes, whole or in pieces.
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+
//! |Z|Y| W |N|-|-|-|  and W elements, each but the last with its length before it; all of them, and any number, if W is 0
//! +-+-+-+-+-+-+-+-+
//! ```
//!
//! An OBU begins with `|F| type, 4 bits |X|S|-|`: X says that a byte with its layers follows, S that its size does.

mod packetize;

pub(super) use packetize::ObuPayloads;

use wire::Reader;

use super::{PayloadFault, PayloadInfo};
use crate::leb128;

const TEMPORAL_DELIMITER: u8 = 2;
const TILE_LIST: u8 = 8;
const HAS_EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;
/// A temporal unit begins with a delimiter, which is not sent.
const DELIMITER: [u8; 2] = [TEMPORAL_DELIMITER << 3 | HAS_SIZE, 0];

/// A payload, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// Whether the first element goes on with an OBU of the packet before (Z).
    pub continues: bool,
    /// Whether the last element's OBU goes on in the next packet (Y).
    pub is_continued: bool,
    /// Whether it is the first of a coded video sequence (N).
    pub new_sequence: bool,
    elements: Elements<'a>,
}

/// The elements of a payload: OBUs and pieces of them. Empty ones are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elements<'a> {
    bytes: &'a [u8],
    /// How many are left, where the payload says so.
    count: Option<u8>,
}

impl<'a> Payload<'a> {
    /// Reads a payload.
    #[inline]
    pub fn parse(payload: &'a [u8]) -> Result<Self, PayloadFault> {
        let (&first, bytes) = payload.split_first().ok_or(PayloadFault::Truncated)?;
        let count = first >> 4 & 0x03;
        let elements = Elements { bytes, count: (count > 0).then_some(count) };
        let mut rest = elements;
        while !rest.is_done() {
            rest.read().ok_or(PayloadFault::Truncated)?;
        }
        if { elements }.next().is_none() {
            return Err(PayloadFault::Truncated);
        }
        Ok(Self {
            continues: first & 0x80 != 0,
            is_continued: first & 0x40 != 0,
            new_sequence: first & 0x08 != 0,
            elements,
        })
    }

    /// Its elements.
    pub fn elements(&self) -> Elements<'a> {
        self.elements
    }
}

impl<'a> Elements<'a> {
    fn is_done(&self) -> bool {
        match self.count {
            Some(count) => count == 0,
            None => self.bytes.is_empty(),
        }
    }

    fn read(&mut self) -> Option<&'a [u8]> {
        let mut reader = Reader::new(self.bytes);
        let last = self.count == Some(1);
        let len = if last { self.bytes.len() } else { leb128::read(&mut reader)? as usize };
        let element = reader.bytes(len).ok()?;
        self.bytes = reader.rest();
        self.count = self.count.map(|count| count - 1);
        Some(element)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.is_done() {
            let element = self.read()?;
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

pub(super) fn describe(payload: &[u8], marker: bool) -> Result<PayloadInfo, PayloadFault> {
    let payload = Payload::parse(payload)?;
    // Of an OBU that goes on here the header was in an earlier packet.
    let whole = payload.elements().skip(usize::from(payload.continues));
    let layers = whole.filter(|obu| obu[0] & HAS_EXTENSION != 0).find_map(|obu| obu.get(1).copied());
    Ok(PayloadInfo {
        start: !payload.continues,
        end: marker,
        key: payload.new_sequence,
        temporal: layers.map(|layers| layers >> 5),
        spatial: layers.map(|layers| layers >> 3 & 0x03),
        switching_point: payload.new_sequence,
        ..PayloadInfo::default()
    })
}

/// Appends a payload's OBUs to a temporal unit, with their sizes. `open` is where one begins that is not complete; where
/// one begins that stays so.
pub(super) fn assemble(
    payload: &[u8],
    mut open: Option<usize>,
    unit: &mut Vec<u8>,
) -> Result<Option<usize>, PayloadFault> {
    let payload = Payload::parse(payload)?;
    if payload.continues != open.is_some() {
        return Err(if open.is_some() { PayloadFault::Unfinished } else { PayloadFault::Orphan });
    }
    if unit.is_empty() {
        unit.extend_from_slice(&DELIMITER);
    }
    let mut elements = payload.elements().peekable();
    while let Some(element) = elements.next() {
        let start = open.take().unwrap_or(unit.len());
        unit.extend_from_slice(element);
        if payload.is_continued && elements.peek().is_none() {
            return Ok(Some(start));
        }
        close(unit, start)?;
    }
    Ok(None)
}

/// Gives the OBU that begins at `start` its size, or drops it where receivers must ignore it.
fn close(unit: &mut Vec<u8>, start: usize) -> Result<(), PayloadFault> {
    let header = unit[start];
    if matches!(header >> 3 & 0x0F, TEMPORAL_DELIMITER | TILE_LIST) {
        unit.truncate(start);
        return Ok(());
    }
    let body = start + 1 + usize::from(header & HAS_EXTENSION != 0);
    let len = unit.len().checked_sub(body).ok_or(PayloadFault::Truncated)?;
    if header & HAS_SIZE != 0 {
        // It should not have one, but where it does it must be right: another OBU follows.
        let mut reader = Reader::new(&unit[body..]);
        let size = leb128::read(&mut reader).ok_or(PayloadFault::Truncated)?;
        return if reader.rest().len() == size as usize { Ok(()) } else { Err(PayloadFault::Truncated) };
    }
    unit[start] |= HAS_SIZE;
    let end = unit.len();
    leb128::write(u32::try_from(len).map_err(|_| PayloadFault::TooLarge)?, unit);
    let size_len = unit.len() - end;
    unit[body..].rotate_right(size_len);
    Ok(())
}
