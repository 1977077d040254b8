//! What is said of a track before its frames (ISO/IEC 14496-12 §8.3 to §8.6).

use rtp::codec::Codec;

use super::boxes::{Boxes, Name, full};
use crate::form::Form;
use crate::input::Cursor;
use crate::{ReadError, Track};

/// Names of sample entries.
const CODECS: [(&Name, Codec); 8] = [
    (b"avc1", Codec::H264),
    (b"avc3", Codec::H264),
    (b"hvc1", Codec::H265),
    (b"hev1", Codec::H265),
    (b"av01", Codec::Av1),
    (b"vp08", Codec::Vp8),
    (b"vp09", Codec::Vp9),
    (b"Opus", Codec::Opus),
];

/// Bytes of a sample entry of pictures before its boxes.
const VISUAL: usize = 78;

/// A track that can be sent, with what finds its samples.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) track: Track,
    pub(super) form: Form,
    pub(super) id: u32,
    /// Ticks in a second.
    pub(super) clock_rate: u64,
    /// What is added to a sample's time for when it is shown, in ticks (§8.6.6).
    pub(super) shift: i64,
    /// The sample tables (`stbl`).
    pub(super) table: &'a [u8],
}

/// Reads a `trak`; or why it cannot be sent.
pub(super) fn read(trak: &[u8], movie_rate: u64) -> Result<Result<Known<'_>, String>, ReadError> {
    let missing = ReadError::Malformed("a track does not say what it is");
    let find = |names: &[&Name]| Boxes::path(trak, names);
    let (version, _, mut header) = full(find(&[b"tkhd"])?.ok_or(missing)?)?;
    header.take(if version == 1 { 16 } else { 8 })?;
    let id = header.u32()?;
    let missing = ReadError::Malformed("a track does not say how its time goes");
    let (version, _, mut header) = full(find(&[b"mdia", b"mdhd"])?.ok_or(missing)?)?;
    header.take(if version == 1 { 16 } else { 8 })?;
    let clock_rate = u64::from(header.u32()?).max(1);
    let missing = ReadError::Malformed("a track has no table of its samples");
    let table = find(&[b"mdia", b"minf", b"stbl"])?.ok_or(missing)?;
    let Some(entries) = Boxes::of(table).find(*b"stsd")? else {
        return Ok(Err("a track of nothing".to_owned()));
    };
    let (_, _, mut entries) = full(entries)?;
    entries.u32()?;
    let Some((name, entry)) = Boxes::of(entries.rest()).next()? else {
        return Ok(Err("a track of nothing".to_owned()));
    };
    let Some(codec) = CODECS.iter().find(|(known, _)| **known == name).map(|(_, codec)| *codec) else {
        return Ok(Err(why_not(name)));
    };
    let (track, form) = describe(codec, entry)?;
    let shift = find(&[b"edts", b"elst"])?.map_or(Ok(0), |list| shift(list, movie_rate, clock_rate))?;
    Ok(Ok(Known { track, form, id, clock_rate, shift, table }))
}

fn why_not(name: Name) -> String {
    match &name {
        b"mp4a" => "its sound is AAC, which WebRTC does not have: make Opus of it, for example with ffmpeg -c:v copy -c:a libopus"
            .to_owned(),
        _ => {
            let name = String::from_utf8_lossy(&name).escape_debug().to_string();
            format!("{name} cannot be sent")
        }
    }
}

fn describe(codec: Codec, entry: &[u8]) -> Result<(Track, Form), ReadError> {
    let mut cursor = Cursor::new(entry);
    if codec.is_audio() {
        cursor.take(16)?;
        let channels = cursor.u16()?.clamp(1, 255) as u8;
        return Ok((Track { channels, ..Track::new(codec) }, Form::Plain));
    }
    cursor.take(24)?;
    let (width, height) = (cursor.u16()?.into(), cursor.u16()?.into());
    let boxes = Boxes::of(entry.get(VISUAL..).unwrap_or_default());
    let missing = ReadError::Malformed("a track does not say what its decoder needs");
    let form = match codec {
        Codec::H264 => Form::of_nal_units(codec, boxes.find(*b"avcC")?.ok_or(missing)?)?,
        Codec::H265 => Form::of_nal_units(codec, boxes.find(*b"hvcC")?.ok_or(missing)?)?,
        Codec::Av1 => Form::of_obus(boxes.find(*b"av1C")?.unwrap_or_default()),
        _ => Form::Plain,
    };
    let parameters = form.parameters().to_vec().into();
    let size = Some((width, height)).filter(|(width, height)| *width > 0 && *height > 0);
    Ok((Track { size, parameters, ..Track::new(codec) }, form))
}

/// Where an edit list puts a track's beginning: how long nothing is shown, and from where on of it something is.
fn shift(list: &[u8], movie_rate: u64, clock_rate: u64) -> Result<i64, ReadError> {
    let (version, _, mut cursor) = full(list)?;
    let mut shift = 0_i64;
    for _ in 0..cursor.u32()?.min(16) {
        let (length, from) = if version == 1 {
            (cursor.u64()?, cursor.u64()?.cast_signed())
        } else {
            (cursor.u32()?.into(), i64::from(cursor.u32()?.cast_signed()))
        };
        cursor.u32()?;
        if from >= 0 {
            return Ok(shift.saturating_sub(from));
        }
        let ticks = u128::from(length) * u128::from(clock_rate) / u128::from(movie_rate.max(1));
        shift = shift.saturating_add(i64::try_from(ticks).unwrap_or(i64::MAX));
    }
    Ok(shift)
}
