//! Where a track's samples are, and when they are shown: the tables of a file that is not in fragments (ISO/IEC 14496-12 §8.6.1,
//! §8.7). They are walked as they lie, one sample after another, and not unfolded.

use bytes::Bytes;

use super::boxes::{Boxes, Name, full};
use crate::ReadError;
use crate::input::Cursor;

/// A sample, which is a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// From the beginning of the file.
    pub(super) offset: u64,
    pub(super) size: u32,
    /// When it is decoded, in ticks.
    pub(super) time: u64,
    /// How much later it is shown.
    pub(super) later: i64,
}

/// A table of numbers that each go for several samples.
#[derive(Clone, Debug)]
struct Runs {
    rest: Bytes,
    left: u32,
    value: u32,
}

impl Runs {
    fn new(rest: Bytes) -> Self {
        Self { rest, left: 0, value: 0 }
    }

    /// The next sample's; none at the end of the table.
    fn next(&mut self) -> Option<u32> {
        while self.left == 0 {
            self.left = word(&mut self.rest)?;
            self.value = word(&mut self.rest)?;
        }
        self.left -= 1;
        Some(self.value)
    }
}

/// All samples of a track, one after another.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    durations: Runs,
    later: Runs,
    /// One for all, or none.
    size: u32,
    sizes: Bytes,
    /// Which chunks have how many samples: the first chunk, and the number.
    chunks: Bytes,
    per_chunk: u32,
    offsets: Bytes,
    has_long_offsets: bool,
    /// Counted from one.
    chunk: u32,
    left_in_chunk: u32,
    offset: u64,
    time: u64,
    left: u32,
}

impl Samples {
    /// Of a track's `stbl`.
    pub(super) fn new(table: &[u8]) -> Result<Self, ReadError> {
        let find = |name: Name| Boxes::of(table).find(name);
        // Behind version, flags and the number of entries.
        let list = |name: Name| -> Result<Bytes, ReadError> {
            let Some(bytes) = find(name)? else { return Ok(Bytes::new()) };
            Ok(Bytes::copy_from_slice(bytes.get(8..).unwrap_or_default()))
        };
        let sizes =
            find(*b"stsz")?.ok_or(ReadError::Malformed("a track does not say how large its samples are"))?;
        let (_, _, mut cursor) = full(sizes)?;
        let (size, left) = (cursor.u32()?, cursor.u32()?);
        let sizes = Bytes::copy_from_slice(cursor.rest());
        let long = find(*b"co64")?;
        Ok(Self {
            durations: Runs::new(list(*b"stts")?),
            later: Runs::new(list(*b"ctts")?),
            size,
            sizes,
            chunks: list(*b"stsc")?,
            per_chunk: 0,
            has_long_offsets: long.is_some(),
            offsets: if long.is_some() { list(*b"co64")? } else { list(*b"stco")? },
            chunk: 0,
            left_in_chunk: 0,
            offset: 0,
            time: 0,
            left,
        })
    }

    /// The next one; none at the end of any table.
    pub(super) fn next(&mut self) -> Option<Sample> {
        self.left = self.left.checked_sub(1)?;
        while self.left_in_chunk == 0 {
            self.next_chunk()?;
        }
        self.left_in_chunk -= 1;
        let size = if self.size > 0 { self.size } else { word(&mut self.sizes)? };
        let duration = self.durations.next()?;
        let later = i64::from(self.later.next().unwrap_or(0).cast_signed());
        let sample = Sample { offset: self.offset, size, time: self.time, later };
        self.offset = self.offset.checked_add(size.into())?;
        self.time = self.time.saturating_add(duration.into());
        Some(sample)
    }

    fn next_chunk(&mut self) -> Option<()> {
        self.chunk = self.chunk.checked_add(1)?;
        let first = Cursor::new(&self.chunks).u32().ok();
        if first.is_some_and(|first| first <= self.chunk) {
            word(&mut self.chunks)?;
            self.per_chunk = word(&mut self.chunks)?;
            // Which of the descriptions it goes by: there is one.
            word(&mut self.chunks)?;
        }
        self.offset = if self.has_long_offsets {
            u64::from(word(&mut self.offsets)?) << 32 | u64::from(word(&mut self.offsets)?)
        } else {
            word(&mut self.offsets)?.into()
        };
        self.left_in_chunk = self.per_chunk;
        Some(())
    }
}

fn word(bytes: &mut Bytes) -> Option<u32> {
    let word = bytes.first_chunk().map(|word| u32::from_be_bytes(*word))?;
    let _ = bytes.split_to(4);
    Some(word)
}
