//! Numbers in groups of seven bits, the lowest first, as AV1 has them (its specification's §4.10.5; the RTP payload
//! format and one header extension (RFC 8285) use them too).

use wire::Reader;

/// Bytes of the longest: eight, as AV1 says.
const MAX_LEN: usize = 8;

/// Reads a number. None where it does not end, or exceeds 32 bits.
pub(crate) fn read(reader: &mut Reader<'_>) -> Option<u32> {
    let mut value = 0_u64;
    for group in 0..MAX_LEN {
        let byte = reader.u8().ok()?;
        value |= u64::from(byte & 0x7F) << (7 * group);
        if byte & 0x80 == 0 {
            return u32::try_from(value).ok();
        }
    }
    None
}

/// Appends a number in as few bytes as it takes.
pub(crate) fn write(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes that it takes.
pub(crate) const fn len(value: u32) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        0x20_0000..0x1000_0000 => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for value in
            [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, 0x1F_FFFF, 0x20_0000, 0x0FFF_FFFF, 0x1000_0000, u32::MAX]
        {
            let mut bytes = Vec::new();
            write(value, &mut bytes);
            assert_eq!(bytes.len(), len(value));
            assert_eq!(read(&mut Reader::new(&bytes)), Some(value));
        }
        assert_eq!(read(&mut Reader::new(&[0x80; 9])), None);
        assert_eq!(read(&mut Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x10])), None);
        assert_eq!(read(&mut Reader::new(&[0x81, 0x80, 0])), Some(1));
    }
}
