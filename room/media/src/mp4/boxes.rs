//! Boxes (ISO/IEC 14496-12 §4.2): a length, a name of four letters, and what is in it.

use std::io::Read;

use crate::ReadError;
use crate::input::{Cursor, Input};

/// A box's name.
pub(super) type Name = [u8; 4];

/// What stands before a box's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: Name,
    /// Bytes behind the header; none: as far as the file goes.
    pub(super) size: Option<u64>,
}

impl Header {
    /// The next box's; none at the end of the file.
    pub(super) fn read<R: Read>(input: &mut Input<R>) -> Result<Option<Self>, ReadError> {
        let Some([a, b, c, d, name @ ..]) = input.array::<8>()? else { return Ok(None) };
        let size = match u32::from_be_bytes([a, b, c, d]) {
            0 => None,
            1 => {
                let Some(long) = input.array::<8>()? else { return Ok(None) };
                Some(u64::from_be_bytes(long).checked_sub(16).ok_or(SHORT)?)
            }
            size => Some(u64::from(size).checked_sub(8).ok_or(SHORT)?),
        };
        Ok(Some(Self { name, size }))
    }
}

const SHORT: ReadError = ReadError::Malformed("a box is shorter than its own head");

/// The boxes in a box's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Boxes<'a>(Cursor<'a>);

impl<'a> Boxes<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(Cursor::new(bytes))
    }

    /// The next one, with its bytes. What is too short for one is none.
    pub(super) fn next(&mut self) -> Result<Option<(Name, &'a [u8])>, ReadError> {
        if self.0.rest().len() < 8 {
            return Ok(None);
        }
        let size = self.0.u32()?;
        let name = self.0.array()?;
        let size = match size {
            0 => self.0.rest().len() as u64,
            1 => self.0.u64()?.checked_sub(16).ok_or(SHORT)?,
            size => u64::from(size).checked_sub(8).ok_or(SHORT)?,
        };
        let bytes = self.0.take(usize::try_from(size).unwrap_or(usize::MAX))?;
        Ok(Some((name, bytes)))
    }

    /// The first one of a name.
    pub(super) fn find(mut self, wanted: Name) -> Result<Option<&'a [u8]>, ReadError> {
        while let Some((name, bytes)) = self.next()? {
            if name == wanted {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// The first one along a path.
    pub(super) fn path(bytes: &'a [u8], names: &[&Name]) -> Result<Option<&'a [u8]>, ReadError> {
        let mut found = Some(bytes);
        for name in names {
            let Some(bytes) = found else { return Ok(None) };
            found = Self::of(bytes).find(**name)?;
        }
        Ok(found)
    }
}

/// Version and flags, which many boxes begin with, and the rest.
pub(super) fn full(bytes: &[u8]) -> Result<(u8, u32, Cursor<'_>), ReadError> {
    let mut cursor = Cursor::new(bytes);
    let word = cursor.u32()?;
    Ok(((word >> 24) as u8, word & 0x00FF_FFFF, cursor))
}

/// Appends a box.
pub(super) fn put(out: &mut Vec<u8>, name: &Name, content: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    out.extend(name);
    content(out);
    let size = (out.len() - start) as u32;
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&size.to_be_bytes());
    }
}

/// Appends a box that begins with version and flags.
pub(super) fn put_full(
    out: &mut Vec<u8>,
    name: &Name,
    (version, flags): (u8, u32),
    content: impl FnOnce(&mut Vec<u8>),
) {
    put(out, name, |out| {
        out.extend((u32::from(version) << 24 | flags).to_be_bytes());
        content(out);
    });
}
