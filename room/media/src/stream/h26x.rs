//! NAL units of H.264 and H.265: parameter sets, and how containers tell them (ISO/IEC 14496-15 §5.3.3 `avcC`, §8.3.3 `hvcC`).

use rtp::codec::{Codec, NalUnits};

use crate::ReadError;
use crate::bits::{Bits, unescaped};
use crate::input::Cursor;

/// What stands before each unit of a frame.
pub(crate) const START_CODE: [u8; 4] = [0, 0, 0, 1];

const H264_IDR: u8 = 5;
const H264_SPS: u8 = 7;
const H264_SPS_EXTENSION: u8 = 13;
const H265_SPS: u8 = 33;
/// Pictures from which decoding can begin.
const H265_IRAP: std::ops::RangeInclusive<u8> = 16..=21;
/// VPS, SPS and PPS.
const H265_SETS: std::ops::RangeInclusive<u8> = 32..=34;
/// Profiles of H.264 that say how colours are sampled (§7.3.2.1.1).
const HIGH: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

fn kind(codec: Codec, unit: &[u8]) -> u8 {
    let first = unit.first().copied().unwrap_or(0);
    if codec == Codec::H265 { first >> 1 & 0x3F } else { first & 0x1F }
}

pub(super) fn is_key(codec: Codec, unit: &[u8]) -> bool {
    let kind = kind(codec, unit);
    if codec == Codec::H265 { H265_IRAP.contains(&kind) } else { kind == H264_IDR }
}

/// Whether a unit is one that decoders need before any picture.
pub(crate) fn is_parameter_set(codec: Codec, unit: &[u8]) -> bool {
    let kind = kind(codec, unit);
    match codec {
        Codec::H265 => H265_SETS.contains(&kind),
        _ => matches!(kind, H264_SPS | 8 | H264_SPS_EXTENSION),
    }
}

/// What a sequence parameter set says, as far as it is of use here.
#[derive(Clone, Copy, Debug, Default)]
struct Sps {
    size: (u32, u32),
    chroma_format: u32,
    /// Beyond eight.
    luma_bits: u32,
    chroma_bits: u32,
}

pub(super) fn size(codec: Codec, frame: &[u8]) -> Option<(u32, u32)> {
    sps(codec, frame).map(|sps| sps.size)
}

fn sps(codec: Codec, frame: &[u8]) -> Option<Sps> {
    let wanted = if codec == Codec::H265 { H265_SPS } else { H264_SPS };
    let unit = NalUnits::new(frame).find(|unit| kind(codec, unit) == wanted)?;
    let bytes = unescaped(unit);
    if codec == Codec::H265 { h265_sps(&bytes) } else { h264_sps(&bytes) }
}

fn h264_sps(unit: &[u8]) -> Option<Sps> {
    let mut bits = Bits::new(unit.get(1..)?);
    let profile = bits.bits(8);
    bits.skip(16);
    bits.golomb();
    let mut sps = Sps { chroma_format: 1, ..Sps::default() };
    let mut is_separate = false;
    if HIGH.contains(&profile) {
        sps.chroma_format = bits.golomb();
        is_separate = sps.chroma_format == 3 && bits.flag();
        (sps.luma_bits, sps.chroma_bits) = (bits.golomb(), bits.golomb());
        bits.skip(1);
        if bits.flag() {
            for list in 0..if sps.chroma_format == 3 { 12 } else { 8 } {
                if bits.flag() {
                    skip_scaling_list(&mut bits, if list < 6 { 16 } else { 64 });
                }
            }
        }
    }
    bits.golomb();
    match bits.golomb() {
        0 => drop(bits.golomb()),
        1 => {
            bits.skip(1);
            bits.signed_golomb();
            bits.signed_golomb();
            for _ in 0..bits.golomb().min(255) {
                bits.signed_golomb();
            }
        }
        _ => {}
    }
    bits.golomb();
    bits.skip(1);
    let (columns, rows) = (u64::from(bits.golomb()) + 1, u64::from(bits.golomb()) + 1);
    let frames_only = bits.flag();
    if !frames_only {
        bits.skip(1);
    }
    bits.skip(1);
    let fields = if frames_only { 1 } else { 2 };
    let format = if is_separate { 0 } else { sps.chroma_format };
    let unit_x = if matches!(format, 1 | 2) { 2 } else { 1 };
    let unit_y = if format == 1 { 2 } else { 1 } * fields;
    sps.size = cropped(&mut bits, (columns * 16, rows * 16 * fields), (unit_x, unit_y))?;
    Some(sps)
}

/// The size without what is cropped: four numbers, in units.
fn cropped(
    bits: &mut Bits<'_>,
    (width, height): (u64, u64),
    (unit_x, unit_y): (u64, u64),
) -> Option<(u32, u32)> {
    let mut sides = [0; 4];
    if bits.flag() {
        sides = sides.map(|_| u64::from(bits.golomb()));
    }
    let [left, right, top, bottom] = sides;
    let width = width.checked_sub((left + right) * unit_x)?;
    let height = height.checked_sub((top + bottom) * unit_y)?;
    let is_sane = !bits.is_over() && (1..=65_535).contains(&width) && (1..=65_535).contains(&height);
    is_sane.then_some((width as u32, height as u32))
}

fn skip_scaling_list(bits: &mut Bits<'_>, count: u32) {
    let (mut last, mut next) = (8, 8);
    for _ in 0..count {
        if next != 0 {
            next = (last + bits.signed_golomb() % 256 + 256) % 256;
        }
        last = if next == 0 { last } else { next };
    }
}

fn h265_sps(unit: &[u8]) -> Option<Sps> {
    let mut bits = Bits::new(unit.get(2..)?);
    bits.skip(4);
    let sub_layers = bits.bits(3);
    bits.skip(1 + 96);
    if sub_layers > 0 {
        let present: Vec<(bool, bool)> = (0..sub_layers).map(|_| (bits.flag(), bits.flag())).collect();
        bits.skip(2 * (8 - sub_layers as usize));
        for (has_profile, has_level) in present {
            bits.skip(88 * usize::from(has_profile) + 8 * usize::from(has_level));
        }
    }
    bits.golomb();
    let mut sps = Sps { chroma_format: bits.golomb(), ..Sps::default() };
    if sps.chroma_format == 3 {
        bits.skip(1);
    }
    let size = (u64::from(bits.golomb()), u64::from(bits.golomb()));
    let unit_x = if matches!(sps.chroma_format, 1 | 2) { 2 } else { 1 };
    let unit_y = if sps.chroma_format == 1 { 2 } else { 1 };
    sps.size = cropped(&mut bits, size, (unit_x, unit_y))?;
    (sps.luma_bits, sps.chroma_bits) = (bits.golomb(), bits.golomb());
    Some(sps)
}

/// `avcC` of parameter sets with start codes; lengths have four bytes.
pub(crate) fn avc_configuration(sets: &[u8]) -> Option<Vec<u8>> {
    let of = |wanted: u8| NalUnits::new(sets).filter(move |unit| kind(Codec::H264, unit) == wanted);
    let first = of(H264_SPS).next()?;
    let &[_, profile, constraints, level] = first.first_chunk::<4>()?;
    let mut bytes = vec![1, profile, constraints, level, 0xFF];
    bytes.push(0xE0 | of(H264_SPS).count().min(31) as u8);
    of(H264_SPS).take(31).try_for_each(|unit| put_unit(&mut bytes, unit))?;
    bytes.push(of(8).count().min(255) as u8);
    of(8).take(255).try_for_each(|unit| put_unit(&mut bytes, unit))?;
    if HIGH.contains(&u32::from(profile))
        && let Some(sps) = h264_sps(&unescaped(first))
    {
        bytes.extend([
            0xFC | (sps.chroma_format & 3) as u8,
            0xF8 | (sps.luma_bits & 7) as u8,
            0xF8 | (sps.chroma_bits & 7) as u8,
            0,
        ]);
    }
    Some(bytes)
}

/// `hvcC` of parameter sets with start codes; lengths have four bytes.
pub(crate) fn hevc_configuration(sets: &[u8]) -> Option<Vec<u8>> {
    let of = |wanted: u8| NalUnits::new(sets).filter(move |unit| kind(Codec::H265, unit) == wanted);
    let unit = unescaped(of(H265_SPS).next()?);
    let sps = h265_sps(&unit)?;
    let layers = unit.get(2)?;
    let mut bytes = vec![1];
    // Profile, tier and level stand there as they do in the set.
    bytes.extend_from_slice(unit.get(3..15)?);
    bytes.extend([0xF0, 0, 0xFC, 0xFC | (sps.chroma_format & 3) as u8]);
    bytes.extend([0xF8 | (sps.luma_bits & 7) as u8, 0xF8 | (sps.chroma_bits & 7) as u8, 0, 0]);
    bytes.push(((layers >> 1 & 7) + 1) << 3 | (layers & 1) << 2 | 3);
    bytes.push(H265_SETS.count() as u8);
    for kind in H265_SETS {
        bytes.push(0x80 | kind);
        bytes.extend((of(kind).count().min(16) as u16).to_be_bytes());
        of(kind).take(16).try_for_each(|unit| put_unit(&mut bytes, unit))?;
    }
    Some(bytes)
}

fn put_unit(bytes: &mut Vec<u8>, unit: &[u8]) -> Option<()> {
    bytes.extend(u16::try_from(unit.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(unit);
    Some(())
}

/// Parameter sets with start codes, of `avcC` or `hvcC`; and how many bytes lengths have.
pub(crate) fn with_start_codes(codec: Codec, configuration: &[u8]) -> Result<(Vec<u8>, usize), ReadError> {
    let mut cursor = Cursor::new(configuration);
    let mut sets = Vec::new();
    let length_size;
    if codec == Codec::H265 {
        cursor.take(21)?;
        length_size = cursor.u8()? & 3;
        for _ in 0..cursor.u8()? {
            cursor.u8()?;
            let count = cursor.u16()?;
            take_units(&mut cursor, count, &mut sets)?;
        }
    } else {
        cursor.take(4)?;
        length_size = cursor.u8()? & 3;
        let count = cursor.u8()? & 0x1F;
        take_units(&mut cursor, count.into(), &mut sets)?;
        let count = cursor.u8()?;
        take_units(&mut cursor, count.into(), &mut sets)?;
    }
    Ok((sets, usize::from(length_size) + 1))
}

fn take_units(cursor: &mut Cursor<'_>, count: u16, sets: &mut Vec<u8>) -> Result<(), ReadError> {
    for _ in 0..count {
        let len = cursor.u16()?;
        sets.extend_from_slice(&START_CODE);
        sets.extend_from_slice(cursor.take(len.into())?);
    }
    Ok(())
}

/// A frame with start codes, of one with lengths of so many bytes; key frames get the parameter sets that they lack.
pub(crate) fn frame_with_start_codes(
    codec: Codec,
    frame: &[u8],
    length_size: usize,
    sets: &[u8],
) -> Result<(Vec<u8>, bool), ReadError> {
    let mut out = Vec::with_capacity(frame.len() + 16);
    let (mut is_key_frame, mut has_sets) = (false, false);
    let mut cursor = Cursor::new(frame);
    while !cursor.is_empty() {
        let len = cursor.take(length_size)?.iter().fold(0_usize, |len, byte| len << 8 | usize::from(*byte));
        let unit = cursor.take(len)?;
        is_key_frame |= is_key(codec, unit);
        has_sets |= is_parameter_set(codec, unit);
        if !unit.is_empty() {
            out.extend_from_slice(&START_CODE);
            out.extend_from_slice(unit);
        }
    }
    if is_key_frame && !has_sets {
        out.splice(..0, sets.iter().copied());
    }
    Ok((out, is_key_frame))
}

/// A frame with lengths of four bytes, of one with start codes; without the parameter sets that are in `known`.
pub(crate) fn with_lengths(codec: Codec, frame: &[u8], known: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len() + 16);
    for unit in NalUnits::new(frame) {
        if is_parameter_set(codec, unit) && NalUnits::new(known).any(|other| other == unit) {
            continue;
        }
        out.extend((unit.len() as u32).to_be_bytes());
        out.extend_from_slice(unit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 1280x720 in high profile, as x264 writes them.
    const SETS: [u8; 40] = [
        0, 0, 0, 1, 0x67, 0x64, 0x00, 0x1F, 0xAC, 0xD9, 0x40, 0x50, 0x05, 0xBB, 0x01, 0x10, 0x00, 0x00, 0x03,
        0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xC0, 0xF1, 0x83, 0x19, 0x60, 0, 0, 0, 1, 0x68, 0xEB, 0xE3, 0xCB,
        0x22, 0xC0,
    ];

    #[test]
    fn sets_say_the_size() {
        assert_eq!(size(Codec::H264, &SETS), Some((1280, 720)));
    }

    #[test]
    fn configurations_are_read_as_they_are_written() {
        let bytes = avc_configuration(&SETS).unwrap();
        assert_eq!(bytes[..6], [1, 0x64, 0x00, 0x1F, 0xFF, 0xE1]);
        assert_eq!(with_start_codes(Codec::H264, &bytes).unwrap(), (SETS.to_vec(), 4));
        for end in 0..bytes.len() - 4 {
            assert!(with_start_codes(Codec::H264, &bytes[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn start_codes_become_lengths_and_come_back() {
        let frame = [&SETS[..], &[0, 0, 0, 1, 0x65, 0x88, 1, 2]].concat();
        let bytes = with_lengths(Codec::H264, &frame, &SETS);
        assert_eq!(bytes, [0, 0, 0, 4, 0x65, 0x88, 1, 2]);
        assert_eq!(frame_with_start_codes(Codec::H264, &bytes, 4, &SETS).unwrap(), (frame.clone(), true));
        let all = with_lengths(Codec::H264, &frame, &[]);
        assert_eq!(frame_with_start_codes(Codec::H264, &all, 4, &SETS).unwrap(), (frame, true));
        assert!(frame_with_start_codes(Codec::H264, &bytes[..6], 4, &SETS).is_err());
    }
}
