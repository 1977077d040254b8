//! CertificateVerify: RFC 8446 §4.4.3, RFC 5246 §7.4.8. The form is the same in both versions.

use wire::Reader;

use crate::codec::{self, Malformed};
use crate::crypto::prf::Side;
use crate::crypto::signature::SignatureScheme;

/// A signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signed<'a> {
    /// `None`: a scheme that we do not know.
    pub(crate) scheme: Option<SignatureScheme>,
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// The scheme and the signature that `reader` has next.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let scheme = SignatureScheme::from_code(reader.u16()?);
        Ok(Self { scheme, signature: codec::vector16(reader)? })
    }

    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let signed = Self::read(&mut reader)?;
        codec::end(reader)?;
        Ok(signed)
    }
}

pub(crate) fn write(out: &mut Vec<u8>, scheme: SignatureScheme, signature: &[u8]) {
    out.extend_from_slice(&scheme.code().to_be_bytes());
    codec::put_vector16(out, |out| out.extend_from_slice(signature));
}

/// What is signed in DTLS 1.3: the hash of the transcript, so dressed that it cannot be mistaken for anything else.
pub(crate) fn content(side: Side, transcript: &[u8]) -> Vec<u8> {
    let label: &[u8] = match side {
        Side::Client => b"TLS 1.3, client CertificateVerify\0",
        Side::Server => b"TLS 1.3, server CertificateVerify\0",
    };
    [&[b' '; 64], label, transcript].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_comes_back() {
        let mut out = Vec::new();
        write(&mut out, SignatureScheme::Ed25519, &[1, 2]);
        let signed = Signed { scheme: Some(SignatureScheme::Ed25519), signature: &[1, 2] };
        assert_eq!(Signed::parse(&out), Ok(signed));
        out.push(0);
        assert_eq!(Signed::parse(&out), Err(Malformed));
    }

    /// RFC 8446 §4.4.3 has this example, of 32 bytes 0x01.
    #[test]
    fn the_content_is_that_of_the_example() {
        let content = content(Side::Server, &[1; 32]);
        assert_eq!(content.len(), 130);
        assert_eq!(content[..64], [0x20; 64]);
        assert_eq!(content[64..98], *b"TLS 1.3, server CertificateVerify\0");
        assert_eq!(content[98..], [1; 32]);
    }
}
