//! As much of DER as certificates need (RFC 5280 §4.1; X.690 §8, §10).

use wire::Reader;

use crate::codec::Malformed;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]`, explicit: a certificate's version.
pub(super) const VERSION: u8 = 0xa0;

/// The next value, whatever its tag; returns the tag and the contents.
pub(super) fn any<'a>(reader: &mut Reader<'a>) -> Result<(u8, &'a [u8]), Malformed> {
    let tag = reader.u8()?;
    let first = reader.u8()?;
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81 => usize::from(reader.u8()?),
        0x82 => usize::from(reader.u16()?),
        // A certificate of more than 64 KiB does not come over DTLS.
        _ => return Err(Malformed),
    };
    // The shortest form is the only one.
    let is_shortest = match first {
        0x81 => length > 0x7f,
        0x82 => length > 0xff,
        _ => true,
    };
    if is_shortest { Ok((tag, reader.bytes(length)?)) } else { Err(Malformed) }
}

/// The contents of the next value, which must have this tag.
pub(super) fn value<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<&'a [u8], Malformed> {
    let (actual, contents) = any(reader)?;
    if actual == tag { Ok(contents) } else { Err(Malformed) }
}

/// The next value of this tag, to be read on.
pub(super) fn enter<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<Reader<'a>, Malformed> {
    value(reader, tag).map(Reader::new)
}

/// Appends a value, the contents of which `write` appends: at most 64 KiB.
pub(super) fn put(out: &mut Vec<u8>, tag: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let mut contents = Vec::new();
    write(&mut contents);
    out.push(tag);
    let [.., high, low] = contents.len().to_be_bytes();
    match contents.len() {
        0..=0x7f => out.push(low),
        0x80..=0xff => out.extend_from_slice(&[0x81, low]),
        _ => out.extend_from_slice(&[0x82, high, low]),
    }
    out.extend_from_slice(&contents);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_lengths_come_back() {
        for length in [0, 1, 127, 128, 255, 256, 5000] {
            let mut out = Vec::new();
            put(&mut out, SEQUENCE, |out| out.extend(vec![7; length]));
            let mut reader = Reader::new(&out);
            assert_eq!(value(&mut reader, SEQUENCE).map(<[u8]>::len), Ok(length));
            assert!(reader.is_empty());
            assert_eq!(value(&mut Reader::new(&out), SET), Err(Malformed));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for bytes in [
            &[0x30][..],
            &[0x30, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x81, 1, 0],
            &[0x30, 0x82, 0, 1, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(any(&mut Reader::new(bytes)), Err(Malformed), "{bytes:x?}");
        }
    }
}
