//! Cutting a temporal unit into payloads (AOM's RTP payload format §5; negotiated like any codec's, RFC 8829).

use wire::Reader;

use super::{HAS_EXTENSION, HAS_SIZE, TEMPORAL_DELIMITER, TILE_LIST};
use crate::leb128;

/// A piece of an OBU smaller than this is not worth its place in a payload.
const MIN_PIECE: usize = 8;
/// The most elements that W can say.
const MAX_COUNT: u8 = 3;
const HEADER_LEN: usize = 1;

/// An OBU as it is sent: without its size.
#[derive(Clone, Copy, Debug)]
struct Obu<'a> {
    header: u8,
    extension: Option<u8>,
    body: &'a [u8],
}

impl Obu<'_> {
    fn len(&self) -> usize {
        1 + usize::from(self.extension.is_some()) + self.body.len()
    }

    /// Appends the bytes from `from` to `to`.
    fn write(&self, from: usize, to: usize, out: &mut Vec<u8>) {
        let head = [self.header, self.extension.unwrap_or(0)];
        let head = &head[..self.len() - self.body.len()];
        out.extend_from_slice(&head[from.min(head.len())..to.min(head.len())]);
        out.extend_from_slice(&self.body[from.saturating_sub(head.len())..to.saturating_sub(head.len())]);
    }
}

/// The OBUs of a temporal unit that are sent: all but delimiters and tile lists.
#[derive(Clone, Copy, Debug)]
struct Obus<'a> {
    reader: Reader<'a>,
}

impl<'a> Obus<'a> {
    /// The next one of any kind. None at the end, and `Err` where it is cut off.
    fn read(&mut self) -> Option<Result<Obu<'a>, wire::Truncated>> {
        if self.reader.is_empty() {
            return None;
        }
        let mut next = || {
            let header = self.reader.u8()?;
            let extension = if header & HAS_EXTENSION != 0 { Some(self.reader.u8()?) } else { None };
            let len = match header & HAS_SIZE {
                0 => self.reader.rest().len(),
                _ => leb128::read(&mut self.reader).ok_or(wire::Truncated)? as usize,
            };
            Ok(Obu { header: header & !HAS_SIZE, extension, body: self.reader.bytes(len)? })
        };
        Some(next())
    }
}

impl<'a> Iterator for Obus<'a> {
    type Item = Obu<'a>;

    fn next(&mut self) -> Option<Obu<'a>> {
        loop {
            let obu = self.read()?.ok()?;
            if !matches!(obu.header >> 3 & 0x0F, TEMPORAL_DELIMITER | TILE_LIST) {
                return Some(obu);
            }
        }
    }
}

/// A temporal unit, cut into payloads.
#[derive(Clone, Copy, Debug)]
pub(in crate::codec) struct ObuPayloads<'a> {
    obus: Obus<'a>,
    /// The next OBU, and how much of it was written.
    current: Option<(Obu<'a>, usize)>,
    /// Bytes of a payload.
    target: usize,
    /// Whether the next payload begins a coded video sequence.
    new_sequence: bool,
}

impl<'a> ObuPayloads<'a> {
    /// Those of a temporal unit whose OBUs have sizes (the last may have none), each at most `max` bytes long. None where
    /// an OBU is cut off.
    pub(in crate::codec) fn new(unit: &'a [u8], key: bool, max: usize) -> Option<Self> {
        let mut obus = Obus { reader: Reader::new(unit) };
        let mut all = obus;
        while let Some(obu) = all.read() {
            obu.ok()?;
        }
        let total: usize = { obus }.map(|obu| obu.len() + leb128::len(obu.len() as u32)).sum();
        let pieces = total.div_ceil(max - HEADER_LEN).max(1);
        // Some room for the lengths of pieces.
        let target = (total.div_ceil(pieces) + HEADER_LEN + 3).min(max);
        let current = obus.next().map(|obu| (obu, 0));
        Some(Self { obus, current, target, new_sequence: key })
    }

    pub(in crate::codec) fn is_done(&self) -> bool {
        self.current.is_none()
    }

    /// Appends the next payload; false if there is none.
    pub(in crate::codec) fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        let Some((first, written)) = self.current else { return false };
        let start = out.len();
        out.push(u8::from(written > 0) << 7 | u8::from(self.new_sequence) << 3);
        self.new_sequence = false;
        let (mut count, mut layers) = (0, first.extension);
        while let Some((obu, from)) = self.current {
            // OBUs of different layers do not share a packet.
            if let (Some(own), Some(other)) = (obu.extension, layers)
                && own != other
            {
                break;
            }
            layers = layers.or(obu.extension);
            let (left, room) = (obu.len() - from, self.target - (out.len() - start));
            let with_len = left + leb128::len(left as u32);
            let next = { self.obus }.next();
            let is_last = next.is_none() || room < with_len + MIN_PIECE;
            if count < MAX_COUNT && is_last && left <= room {
                out[start] |= (count + 1) << 4;
                obu.write(from, obu.len(), out);
                self.advance();
                return true;
            }
            if with_len <= room {
                leb128::write(left as u32, out);
                obu.write(from, obu.len(), out);
                self.advance();
                count = count.saturating_add(1);
                continue;
            }
            if count > 0 && room < MIN_PIECE {
                break;
            }
            let without_len = count < MAX_COUNT;
            let piece = if without_len { room } else { room - leb128::len(room as u32) };
            if without_len {
                out[start] |= (count + 1) << 4;
            } else {
                leb128::write(piece as u32, out);
            }
            obu.write(from, from + piece, out);
            out[start] |= 0x40;
            self.current = Some((obu, from + piece));
            break;
        }
        true
    }

    fn advance(&mut self) {
        self.current = self.obus.next().map(|obu| (obu, 0));
    }
}
