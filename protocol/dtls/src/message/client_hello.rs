//! ClientHello: RFC 9147 §5.3, RFC 8446 §4.1.2, RFC 6347 §4.2.1.

use wire::Reader;

use crate::codec::{self, Malformed};
use crate::crypto::suite::CipherSuite;
use crate::extension::Extensions;
use crate::extension::renegotiation::EMPTY_RENEGOTIATION_INFO;
use crate::record::header12::VERSION_12;

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientHello<'a> {
    pub(crate) version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session_id: &'a [u8],
    /// Of a HelloVerifyRequest; empty in DTLS 1.3.
    pub(crate) cookie: &'a [u8],
    /// Numbers, in the order of the client's liking.
    pub(crate) cipher_suites: &'a [u8],
    pub(crate) compression_methods: &'a [u8],
    pub(crate) extensions: Extensions<'a>,
}

impl<'a> ClientHello<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let hello = Self {
            version: reader.u16()?,
            random: reader.array()?,
            session_id: codec::vector8(&mut reader)?,
            cookie: codec::vector8(&mut reader)?,
            cipher_suites: codec::whole_numbers(codec::vector16(&mut reader)?)?,
            compression_methods: codec::vector8(&mut reader)?,
            extensions: Extensions::parse(&mut reader)?,
        };
        codec::end(reader)?;
        if hello.session_id.len() > 32 { Err(Malformed) } else { Ok(hello) }
    }

    pub(crate) fn offers(&self, code: u16) -> bool {
        codec::numbers(self.cipher_suites).any(|offered| offered == code)
    }

    /// Whether the client knows of secure renegotiation by a suite's number.
    pub(crate) fn has_renegotiation_suite(&self) -> bool {
        self.offers(EMPTY_RENEGOTIATION_INFO)
    }
}

/// Appends a ClientHello, the extensions of which `extensions` appends.
pub(crate) fn write(
    out: &mut Vec<u8>,
    random: &[u8; 32],
    cookie: &[u8],
    suites: impl Iterator<Item = CipherSuite>,
    extensions: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(&VERSION_12.to_be_bytes());
    out.extend_from_slice(random);
    codec::put_vector8(out, |_| ());
    codec::put_vector8(out, |out| out.extend_from_slice(cookie));
    codec::put_vector16(out, |out| {
        for suite in suites {
            out.extend_from_slice(&suite.code().to_be_bytes());
        }
    });
    codec::put_vector8(out, |out| out.push(0));
    codec::put_vector16(out, extensions);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::{ExtensionType, cookie};

    #[test]
    fn a_hello_comes_back() {
        let mut out = Vec::new();
        let suites = [CipherSuite::Aes128GcmSha256, CipherSuite::EcdheEcdsaAes128GcmSha256];
        write(&mut out, &[7; 32], b"biscuit", suites.into_iter(), |out| cookie::write(out, b"crumbs"));
        let hello = ClientHello::parse(&out).unwrap();
        assert_eq!((hello.version, hello.random, hello.session_id), (VERSION_12, [7; 32], &[][..]));
        assert_eq!((hello.cookie, hello.compression_methods), (&b"biscuit"[..], &[0][..]));
        assert!(hello.offers(0x1301) && hello.offers(0xc02b) && !hello.offers(0x1302));
        assert!(hello.extensions.has(ExtensionType::Cookie) && !hello.has_renegotiation_suite());
        for length in 0..out.len() {
            // Without any extensions it is a hello, too.
            let is_whole = length == out.len() - 14;
            assert_eq!(ClientHello::parse(&out[..length]).is_ok(), is_whole, "{length} of {}", out.len());
        }
    }
}
