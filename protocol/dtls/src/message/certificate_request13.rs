//! CertificateRequest of DTLS 1.3: RFC 8446 §4.3.2.

use wire::Reader;

use crate::codec::{self, Malformed};
use crate::extension::{ExtensionType, Extensions, signature_algorithms};

/// What the server asks of the client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CertificateRequest<'a> {
    /// Empty in a handshake.
    pub(crate) context: &'a [u8],
    /// Must be there.
    pub(crate) schemes: Option<&'a [u8]>,
}

impl<'a> CertificateRequest<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let context = codec::vector8(&mut reader)?;
        let extensions = Extensions::parse(&mut reader)?;
        codec::end(reader)?;
        let schemes = extensions.find(ExtensionType::SignatureAlgorithms);
        Ok(Self { context, schemes: schemes.map(signature_algorithms::parse).transpose()? })
    }
}

pub(crate) fn write(out: &mut Vec<u8>) {
    codec::put_vector8(out, |_| ());
    codec::put_vector16(out, signature_algorithms::write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_come_back() {
        let mut out = Vec::new();
        write(&mut out);
        let request = CertificateRequest::parse(&out).unwrap();
        assert!(request.context.is_empty());
        assert_eq!(codec::numbers(request.schemes.unwrap()).next(), Some(0x0403));
        assert_eq!(CertificateRequest::parse(&[0, 0, 0]).unwrap().schemes, None);
    }
}
