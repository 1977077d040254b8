//! Certificate of DTLS 1.2: RFC 5246 §7.4.2.

use wire::Reader;

use crate::codec::{self, Malformed};

/// Reads the peer's own certificate, the first of the list; those behind it mean nothing to us.
pub(crate) fn parse(body: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let mut reader = Reader::new(body);
    let mut list = Reader::new(codec::vector24(&mut reader)?);
    codec::end(reader)?;
    let mut leaf = None;
    while !list.is_empty() {
        let certificate = codec::vector24(&mut list)?;
        leaf = leaf.or(Some(certificate));
    }
    Ok(leaf)
}

pub(crate) fn write(out: &mut Vec<u8>, certificate: &[u8]) {
    codec::put_vector24(out, |out| codec::put_vector24(out, |out| out.extend_from_slice(certificate)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_certificate_counts() {
        let mut out = Vec::new();
        write(&mut out, &[1, 2, 3]);
        assert_eq!(parse(&out), Ok(Some(&[1, 2, 3][..])));
        assert_eq!(parse(&[0, 0, 0]), Ok(None));
        assert_eq!(parse(&[0, 0, 8, 0, 0, 1, 5, 0, 0, 1, 6]), Ok(Some(&[5][..])));
        assert_eq!(parse(&[0, 0, 2, 0, 0]), Err(Malformed));
    }
}
