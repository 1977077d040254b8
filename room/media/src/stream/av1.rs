//! AV1's OBUs and sequence header (its bitstream specification §5.3, §5.5), and how containers tell them (AV1 Codec ISO Media
//! File Format Binding §2.3.3, which Matroska's codec mapping takes over).

use crate::bits::Bits;

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;

/// The OBUs of a temporal unit, each with its header; what is malformed ends them.
struct Obus<'a>(&'a [u8]);

impl<'a> Iterator for Obus<'a> {
    /// What it is, all of it, and what is in it.
    type Item = (u8, &'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let header = *self.0.first()?;
        let has_extension = header & 0x04 != 0;
        let start = 1 + usize::from(has_extension);
        let (size, size_len) = if header & 0x02 != 0 {
            leb128(self.0.get(start..)?)?
        } else {
            (self.0.len().checked_sub(start)?, 0)
        };
        let body = start + size_len;
        let end = body.checked_add(size)?;
        let obu = self.0.get(..end)?;
        let content = obu.get(body..)?;
        self.0 = self.0.get(end..)?;
        Some((header >> 3 & 0x0F, obu, content))
    }
}

fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, at + 1));
        }
    }
    None
}

/// The sequence header's OBU, which key frames have.
pub(super) fn sequence_header(frame: &[u8]) -> Option<&[u8]> {
    Obus(frame).find(|(kind, ..)| *kind == SEQUENCE_HEADER).map(|(_, obu, _)| obu)
}

/// A temporal unit as files have it.
pub(crate) fn without_delimiters(frame: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len());
    for (_, obu, _) in Obus(frame).filter(|(kind, ..)| *kind != TEMPORAL_DELIMITER) {
        out.extend_from_slice(obu);
    }
    out
}

/// What a sequence header says, as far as it is of use here.
#[derive(Clone, Copy, Debug, Default)]
struct Sequence {
    profile: u32,
    level: u32,
    tier: u32,
    size: (u32, u32),
    /// `high_bitdepth`, `twelve_bit`, `mono_chrome`, the two of subsampling, and the position of chroma samples.
    color: [u32; 6],
}

/// The picture's size, as a key frame says it.
pub(super) fn size(frame: &[u8]) -> Option<(u32, u32)> {
    sequence(frame).map(|sequence| sequence.size)
}

/// `av1C`: what containers say before the first frame. `header` is a sequence header's OBU.
pub(crate) fn configuration(header: &[u8]) -> Option<Vec<u8>> {
    let Sequence { profile, level, tier, color, .. } = sequence(header)?;
    let color = color.iter().zip([6, 5, 4, 3, 2, 0]).fold(0, |byte, (value, shift)| byte | value << shift);
    let mut bytes = vec![0x81, (profile << 5 | level) as u8, (tier << 7 | color) as u8, 0];
    bytes.extend_from_slice(header);
    Some(bytes)
}

fn sequence(frame: &[u8]) -> Option<Sequence> {
    let (.., content) = Obus(frame).find(|(kind, ..)| *kind == SEQUENCE_HEADER)?;
    let mut bits = Bits::new(content);
    let profile = bits.bits(3);
    bits.skip(1);
    let is_reduced = bits.flag();
    let mut sequence = Sequence { profile, ..Sequence::default() };
    if is_reduced {
        sequence.level = bits.bits(5);
    } else {
        operating_points(&mut bits, &mut sequence);
    }
    let (width_bits, height_bits) = (bits.bits(4) + 1, bits.bits(4) + 1);
    sequence.size = (bits.bits(width_bits) + 1, bits.bits(height_bits) + 1);
    if !is_reduced && bits.flag() {
        // How frames are numbered.
        bits.skip(4 + 3);
    }
    // Superblocks, intra filter, intra edge filter.
    bits.skip(3);
    if !is_reduced {
        // Interintra, masked compound, warped motion, dual filter.
        bits.skip(4);
        let has_order = bits.flag();
        if has_order {
            bits.skip(2);
        }
        let forces_tools = if bits.flag() { 2 } else { bits.bit() };
        if forces_tools > 0 && !bits.flag() {
            bits.skip(1);
        }
        if has_order {
            bits.skip(3);
        }
    }
    // Superresolution, CDEF, restoration.
    bits.skip(3);
    color(&mut bits, &mut sequence);
    (!bits.is_over()).then_some(sequence)
}

/// What each operating point asks of a decoder; the first one's level and tier are kept.
fn operating_points(bits: &mut Bits<'_>, sequence: &mut Sequence) {
    let mut delay_bits = None;
    if bits.flag() {
        bits.skip(32 + 32);
        if bits.flag() {
            bits.golomb();
        }
        if bits.flag() {
            delay_bits = Some(bits.bits(5) as usize + 1);
            bits.skip(32 + 5 + 5);
        }
    }
    let has_display_delay = bits.flag();
    for point in 0..=bits.bits(5) {
        bits.skip(12);
        let level = bits.bits(5);
        let tier = if level > 7 { bits.bit() } else { 0 };
        if point == 0 {
            (sequence.level, sequence.tier) = (level, tier);
        }
        if let Some(count) = delay_bits
            && bits.flag()
        {
            bits.skip(2 * count + 1);
        }
        if has_display_delay && bits.flag() {
            bits.skip(4);
        }
    }
}

fn color(bits: &mut Bits<'_>, sequence: &mut Sequence) {
    let high = bits.bit();
    let twelve = if sequence.profile == 2 && high == 1 { bits.bit() } else { 0 };
    let mono = if sequence.profile == 1 { 0 } else { bits.bit() };
    let is_described = bits.flag();
    let described = if is_described { bits.bits(24) } else { 0x02_02_02 };
    // BT.709, sRGB, identity: colours without subsampling.
    let (x, y) = if mono == 1 {
        bits.skip(1);
        (1, 1)
    } else if described == 0x01_0D_00 {
        (0, 0)
    } else {
        bits.skip(1);
        match (sequence.profile, twelve) {
            (0, _) => (1, 1),
            (1, _) => (0, 0),
            (_, 1) => {
                let x = bits.bit();
                (x, if x == 1 { bits.bit() } else { 0 })
            }
            _ => (1, 0),
        }
    };
    let position = if mono == 0 && x == 1 && y == 1 { bits.bits(2) } else { 0 };
    sequence.color = [high, twelve, mono, x, y, position];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temporal unit as libaom begins one: a delimiter, the header of 640x360, a frame.
    const UNIT: [u8; 22] = [
        0x12, 0x00, 0x0A, 0x0B, 0x00, 0x00, 0x00, 0x24, 0xC4, 0xFF, 0xDF, 0x3F, 0xFA, 0xF0, 0x20, 0x32, 0x04,
        1, 2, 3, 4, 0,
    ];

    #[test]
    fn a_sequence_header_is_found() {
        let unit = &UNIT[..21];
        let header = sequence_header(unit).unwrap();
        assert_eq!(header.len(), 13);
        let bytes = configuration(header).unwrap();
        assert_eq!(bytes[0], 0x81);
        assert_eq!(&bytes[4..], header);
        assert_eq!(without_delimiters(unit), unit[2..]);
        assert_eq!(sequence_header(&[0x12, 0, 0x32, 1, 7]), None);
    }
}
