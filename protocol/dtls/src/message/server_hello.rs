//! ServerHello and HelloRetryRequest: RFC 8446 §4.1.3, §4.1.4, RFC 9147 §5.4, RFC 5246 §7.4.1.3.

use wire::Reader;

use crate::codec::{self, Malformed};
use crate::crypto::suite::CipherSuite;
use crate::extension::Extensions;
use crate::record::header12::VERSION_12;

/// The random of a ServerHello that is a HelloRetryRequest: SHA-256 of that word.
pub(crate) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// The end of the random of a server that could have spoken 1.3, and speaks 1.2.
pub(crate) const DOWNGRADE_TO_12: [u8; 8] = *b"DOWNGRD\x01";
/// The same for versions before 1.2, which we never offer.
pub(crate) const DOWNGRADE_TO_10: [u8; 8] = *b"DOWNGRD\x00";

/// What the server chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerHello<'a> {
    pub(crate) version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session_id: &'a [u8],
    /// May be one that we do not know.
    pub(crate) cipher_suite: u16,
    pub(crate) compression_method: u8,
    pub(crate) extensions: Extensions<'a>,
}

impl<'a> ServerHello<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let hello = Self {
            version: reader.u16()?,
            random: reader.array()?,
            session_id: codec::vector8(&mut reader)?,
            cipher_suite: reader.u16()?,
            compression_method: reader.u8()?,
            extensions: Extensions::parse(&mut reader)?,
        };
        codec::end(reader)?;
        if hello.session_id.len() > 32 { Err(Malformed) } else { Ok(hello) }
    }

    pub(crate) fn is_retry(&self) -> bool {
        self.random == RETRY_RANDOM
    }

    pub(crate) fn is_downgrade(&self) -> bool {
        self.random.ends_with(&DOWNGRADE_TO_12) || self.random.ends_with(&DOWNGRADE_TO_10)
    }
}

/// Appends a ServerHello, the extensions of which `extensions` appends.
pub(crate) fn write(
    out: &mut Vec<u8>,
    random: &[u8; 32],
    suite: CipherSuite,
    extensions: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(&VERSION_12.to_be_bytes());
    out.extend_from_slice(random);
    codec::put_vector8(out, |_| ());
    out.extend_from_slice(&suite.code().to_be_bytes());
    out.push(0);
    codec::put_vector16(out, extensions);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::supported_versions;

    #[test]
    fn a_hello_comes_back() {
        let mut out = Vec::new();
        write(&mut out, &[7; 32], CipherSuite::Aes128GcmSha256, supported_versions::write_server);
        let hello = ServerHello::parse(&out).unwrap();
        assert_eq!((hello.cipher_suite, hello.compression_method), (0x1301, 0));
        assert!(!hello.is_retry() && !hello.is_downgrade());
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"HelloRetryRequest");
        assert_eq!(digest.as_ref(), RETRY_RANDOM);
    }
}
