//! `ec_point_formats`: RFC 8422 §5.1.2. DTLS 1.2 only; everybody sends points uncompressed.

use wire::Reader;

use super::{ExtensionType, put};
use crate::codec::{self, Malformed};

const UNCOMPRESSED: u8 = 0;

/// Whether the peer reads uncompressed points, which it must.
pub(crate) fn has_uncompressed(body: &[u8]) -> Result<bool, Malformed> {
    let mut reader = Reader::new(body);
    let formats = codec::vector8(&mut reader)?;
    codec::end(reader)?;
    Ok(formats.contains(&UNCOMPRESSED))
}

pub(crate) fn write(out: &mut Vec<u8>) {
    put(out, ExtensionType::PointFormats, |out| codec::put_vector8(out, |out| out.push(UNCOMPRESSED)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_uncompressed() {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(out, [0, 11, 0, 2, 1, 0]);
        assert_eq!(has_uncompressed(&out[4..]), Ok(true));
        assert_eq!(has_uncompressed(&[1, 1]), Ok(false));
    }
}
