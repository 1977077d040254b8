//! The presentation language of TLS (RFC 8446 §3): vectors behind their lengths, read and written.

use wire::{Reader, Truncated};

/// The bytes are not of the form that the standard gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl From<Truncated> for Malformed {
    fn from(_: Truncated) -> Self {
        Self
    }
}

/// `opaque<0..2^8-1>`
pub(crate) fn vector8<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let length = reader.u8()?;
    Ok(reader.bytes(length.into())?)
}

/// `opaque<0..2^16-1>`
pub(crate) fn vector16<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let length = reader.u16()?;
    Ok(reader.bytes(length.into())?)
}

/// `opaque<0..2^24-1>`
pub(crate) fn vector24<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let length = uint24(reader)?;
    Ok(reader.bytes(length)?)
}

/// `uint24`
pub(crate) fn uint24(reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    let [high, middle, low] = reader.array()?;
    Ok(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
}

/// Nothing may follow.
pub(crate) fn end(reader: Reader<'_>) -> Result<(), Malformed> {
    if reader.is_empty() { Ok(()) } else { Err(Malformed) }
}

/// Every `uint16` of a vector's bytes.
pub(crate) fn numbers(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

/// The bytes of a vector of `uint16`: not empty, and of whole elements.
pub(crate) fn whole_numbers(bytes: &[u8]) -> Result<&[u8], Malformed> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(2) { Err(Malformed) } else { Ok(bytes) }
}

/// The three low bytes of `value`.
pub(crate) fn uint24_bytes(value: usize) -> [u8; 3] {
    let [.., high, middle, low] = value.to_be_bytes();
    [high, middle, low]
}

/// `opaque<0..2^8-1>` of what `write` appends.
pub(crate) fn put_vector8(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    put_vector::<1>(out, write);
}

/// `opaque<0..2^16-1>` of what `write` appends.
pub(crate) fn put_vector16(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    put_vector::<2>(out, write);
}

/// `opaque<0..2^24-1>` of what `write` appends.
pub(crate) fn put_vector24(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    put_vector::<3>(out, write);
}

fn put_vector<const N: usize>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; N]);
    write(out);
    let length = (out.len() - start - N).to_be_bytes();
    debug_assert!(length[..8 - N].iter().all(|byte| *byte == 0), "our own vectors fit their lengths");
    out[start..start + N].copy_from_slice(&length[8 - N..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_back() {
        let mut out = Vec::new();
        put_vector8(&mut out, |out| out.extend([1, 2]));
        put_vector16(&mut out, |out| out.extend([3]));
        put_vector24(&mut out, |_| ());
        assert_eq!(out, [2, 1, 2, 0, 1, 3, 0, 0, 0]);
        let mut reader = Reader::new(&out);
        assert_eq!(vector8(&mut reader), Ok(&[1, 2][..]));
        assert_eq!(vector16(&mut reader), Ok(&[3][..]));
        assert_eq!(vector24(&mut reader), Ok(&[][..]));
        assert_eq!(end(reader), Ok(()));
        assert_eq!(vector8(&mut Reader::new(&[2, 1])), Err(Malformed));
    }

    #[test]
    fn numbers_are_whole() {
        assert_eq!(whole_numbers(&[]), Err(Malformed));
        assert_eq!(whole_numbers(&[1, 2, 3]), Err(Malformed));
        assert_eq!(numbers(&[1, 2, 3, 4]).collect::<Vec<_>>(), [0x0102, 0x0304]);
    }
}
