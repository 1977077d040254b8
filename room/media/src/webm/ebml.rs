//! EBML's elements (RFC 8794 §4 to §6): a number, a length, and bytes; or elements again.

use std::io::Read;

use crate::ReadError;
use crate::input::{Cursor, Input};

/// A length that nobody knew when it was written (RFC 8794 §6.2), in eight bytes.
pub(super) const UNKNOWN_SIZE: [u8; 8] = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

/// What stands before an element's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: u32,
    /// None where it is not known.
    pub(super) size: Option<u64>,
}

impl Header {
    /// The next element's; none at the end of the file.
    pub(super) fn read<R: Read>(input: &mut Input<R>) -> Result<Option<Self>, ReadError> {
        let Some(id) = number(|| Ok(input.array::<1>()?.map(|[byte]| byte)), 4)? else { return Ok(None) };
        let Some(size) = number(|| Ok(input.array::<1>()?.map(|[byte]| byte)), 8)? else { return Ok(None) };
        Ok(Some(Self { id: id.whole as u32, size: size.value }))
    }
}

/// The elements in an element's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a>(pub(super) Cursor<'a>);

impl<'a> Elements<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(Cursor::new(bytes))
    }

    /// The next one, with its bytes.
    pub(super) fn next(&mut self) -> Result<Option<(u32, &'a [u8])>, ReadError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let short = ReadError::Malformed("an element's length is missing");
        let id = number(|| self.0.u8().map(Some), 4)?;
        let size = number(|| self.0.u8().map(Some), 8)?;
        let Some((id, size)) = id.zip(size) else { return Err(short) };
        // What lies within known bounds has a length.
        let size = size.value.ok_or(ReadError::Malformed("an element within another has no length"))?;
        let bytes = self.0.take(usize::try_from(size).unwrap_or(usize::MAX))?;
        Ok(Some((id.whole as u32, bytes)))
    }
}

/// A number whose first byte says how long it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    /// With the bit that says so.
    whole: u64,
    /// Without; none where all its bits are set.
    pub(super) value: Option<u64>,
}

/// Reads a number of so many bytes at most; none where there is nothing left.
pub(super) fn number(
    mut next: impl FnMut() -> Result<Option<u8>, ReadError>,
    longest: u32,
) -> Result<Option<Number>, ReadError> {
    let Some(first) = next()? else { return Ok(None) };
    let more = first.leading_zeros();
    if more >= longest {
        return Err(ReadError::Malformed("an element's number or length is longer than may be"));
    }
    let mut whole = u64::from(first);
    for _ in 0..more {
        let Some(byte) = next()? else { return Ok(None) };
        whole = whole << 8 | u64::from(byte);
    }
    let bits = 7 * (more + 1);
    let mask = (1 << bits) - 1;
    let value = whole & mask;
    Ok(Some(Number { whole, value: (value != mask).then_some(value) }))
}

/// An unsigned integer's value; more than eight bytes are none.
pub(super) fn unsigned(bytes: &[u8]) -> Result<u64, ReadError> {
    if bytes.len() > 8 {
        return Err(ReadError::Malformed("an integer has more than eight bytes"));
    }
    Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// Appends an element.
pub(super) fn put(out: &mut Vec<u8>, id: u32, bytes: &[u8]) {
    put_id(out, id);
    put_size(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends an element of an unsigned integer, in as few bytes as that takes.
pub(super) fn put_unsigned(out: &mut Vec<u8>, id: u32, value: u64) {
    let skipped = (value.leading_zeros() / 8).min(7) as usize;
    put(out, id, &value.to_be_bytes()[skipped..]);
}

pub(super) fn put_id(out: &mut Vec<u8>, id: u32) {
    let skipped = (id.leading_zeros() / 8) as usize;
    out.extend_from_slice(&id.to_be_bytes()[skipped..]);
}

/// In eight bytes, so that it may be put in the place of another one.
pub(super) fn long_size(size: u64) -> [u8; 8] {
    (size | 1 << 56).to_be_bytes()
}

fn put_size(out: &mut Vec<u8>, size: u64) {
    // All bits set would be a size that is not known.
    match size {
        0..0x7F => out.push(0x80 | size as u8),
        0x7F..0x3FFF => out.extend((0x4000 | size as u16).to_be_bytes()),
        0x3FFF..0x0FFF_FFFF => out.extend((0x1000_0000 | size as u32).to_be_bytes()),
        _ => out.extend(long_size(size)),
    }
}
