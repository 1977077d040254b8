//! Certificate of DTLS 1.3: RFC 8446 §4.4.2.

use wire::Reader;

use crate::codec::{self, Malformed};
use crate::extension::Extensions;

/// A certificate with the context of the request that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Certificate<'a> {
    pub(crate) context: &'a [u8],
    /// The peer's own, the first of the list; those behind it mean nothing to us.
    pub(crate) leaf: Option<&'a [u8]>,
    /// Whether every extension of the leaf is absent: we asked for none.
    pub(crate) is_plain: bool,
}

impl<'a> Certificate<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let context = codec::vector8(&mut reader)?;
        let mut list = Reader::new(codec::vector24(&mut reader)?);
        codec::end(reader)?;
        let (mut leaf, mut is_plain) = (None, true);
        while !list.is_empty() {
            let certificate = codec::vector24(&mut list)?;
            let mut extensions = Reader::new(list.rest());
            let parsed = Extensions::parse(&mut extensions)?;
            codec::vector16(&mut list)?;
            if certificate.is_empty() {
                return Err(Malformed);
            }
            is_plain &= parsed.are_among(&[]);
            leaf = leaf.or(Some(certificate));
        }
        Ok(Self { context, leaf, is_plain })
    }
}

pub(crate) fn write(out: &mut Vec<u8>, context: &[u8], certificate: &[u8]) {
    codec::put_vector8(out, |out| out.extend_from_slice(context));
    codec::put_vector24(out, |out| {
        codec::put_vector24(out, |out| out.extend_from_slice(certificate));
        codec::put_vector16(out, |_| ());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_certificate_counts() {
        let mut out = Vec::new();
        write(&mut out, &[7], &[1, 2, 3]);
        let certificate = Certificate { context: &[7], leaf: Some(&[1, 2, 3]), is_plain: true };
        assert_eq!(Certificate::parse(&out), Ok(certificate));
        assert_eq!(Certificate::parse(&[0, 0, 0, 0]).unwrap().leaf, None);
        assert!(Certificate::parse(&[0, 0, 0, 5, 0, 0, 0, 0, 0]).is_err());
        assert!(Certificate::parse(&[0, 0, 0, 4, 0, 0, 1, 9]).is_err());
    }
}
