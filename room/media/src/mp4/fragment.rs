//! The samples of a fragment (ISO/IEC 14496-12 §8.8).

use super::boxes::{Boxes, full};
use super::samples::Sample;
use crate::ReadError;

/// Samples of a fragment, at most.
const MOST: usize = 1 << 16;

/// What samples have where nothing else is said (`trex`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Defaults {
    pub(super) track: u32,
    duration: u32,
    size: u32,
}

impl Defaults {
    /// Of a `trex`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let (_, _, mut cursor) = full(bytes)?;
        let track = cursor.u32()?;
        cursor.u32()?;
        Ok(Self { track, duration: cursor.u32()?, size: cursor.u32()? })
    }
}

/// The samples of a `moof`, each with its track's number; `start` is where it begins in the file. `times` are where tracks go on
/// that do not say so.
pub(super) fn read(
    moof: &[u8],
    start: u64,
    defaults: &[Defaults],
    times: &mut Vec<(u32, u64)>,
) -> Result<Vec<(u32, Sample)>, ReadError> {
    let mut all = Vec::new();
    let mut boxes = Boxes::of(moof);
    // Where the next track's samples begin, if nothing is said.
    let mut offset = start;
    while let Some((name, bytes)) = boxes.next()? {
        if name == *b"traf" {
            read_track(bytes, start, &mut offset, defaults, times, &mut all)?;
        }
    }
    Ok(all)
}

fn read_track(
    traf: &[u8],
    start: u64,
    offset: &mut u64,
    defaults: &[Defaults],
    times: &mut Vec<(u32, u64)>,
    all: &mut Vec<(u32, Sample)>,
) -> Result<(), ReadError> {
    let missing = ReadError::Malformed("a fragment does not say of which track it is");
    let (_, flags, mut header) = full(Boxes::of(traf).find(*b"tfhd")?.ok_or(missing)?)?;
    let track = header.u32()?;
    let known = defaults.iter().find(|known| known.track == track);
    let mut known = known.copied().unwrap_or_default();
    // Counted from the fragment, unless another place is named.
    let mut base = start;
    if flags & 0x1 != 0 {
        base = header.u64()?;
    }
    if flags & 0x2 != 0 {
        header.u32()?;
    }
    if flags & 0x8 != 0 {
        known.duration = header.u32()?;
    }
    if flags & 0x10 != 0 {
        known.size = header.u32()?;
    }
    let before = times.iter().find(|(other, _)| *other == track).map_or(0, |(_, time)| *time);
    let mut time = match Boxes::of(traf).find(*b"tfdt")? {
        None => before,
        Some(bytes) => {
            let (version, _, mut cursor) = full(bytes)?;
            if version == 1 { cursor.u64()? } else { cursor.u32()?.into() }
        }
    };
    let mut boxes = Boxes::of(traf);
    while let Some((name, bytes)) = boxes.next()? {
        if name != *b"trun" {
            continue;
        }
        let (_, flags, mut run) = full(bytes)?;
        let count = run.u32()?;
        if all.len() + count as usize > MOST {
            return Err(ReadError::Malformed("a fragment has more than 65,536 frames"));
        }
        if flags & 0x1 != 0 {
            *offset = base.saturating_add_signed(i64::from(run.u32()?.cast_signed()));
        }
        if flags & 0x4 != 0 {
            run.u32()?;
        }
        for _ in 0..count {
            let mut field = |flag: u32, usual: u32| if flags & flag != 0 { run.u32() } else { Ok(usual) };
            let duration = field(0x100, known.duration)?;
            let size = field(0x200, known.size)?;
            field(0x400, 0)?;
            let later = i64::from(field(0x800, 0)?.cast_signed());
            all.push((track, Sample { offset: *offset, size, time, later }));
            *offset = offset.saturating_add(size.into());
            time = time.saturating_add(duration.into());
        }
    }
    match times.iter().position(|(other, _)| *other == track) {
        Some(at) => times[at].1 = time,
        None if times.len() < 16 => times.push((track, time)),
        None => {}
    }
    Ok(())
}
