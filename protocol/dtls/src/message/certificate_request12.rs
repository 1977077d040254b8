//! CertificateRequest of DTLS 1.2: RFC 5246 §7.4.4, RFC 8422 §5.5.

use wire::Reader;

use crate::codec::{self, Malformed};
use crate::extension::signature_algorithms;

const RSA_SIGN: u8 = 1;
const ECDSA_SIGN: u8 = 64;

/// Reads the signature schemes that the server takes; who issued a certificate means nothing in WebRTC.
pub(crate) fn parse(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(body);
    codec::vector8(&mut reader)?;
    let schemes = codec::whole_numbers(codec::vector16(&mut reader)?)?;
    codec::vector16(&mut reader)?;
    codec::end(reader)?;
    Ok(schemes)
}

pub(crate) fn write(out: &mut Vec<u8>) {
    codec::put_vector8(out, |out| out.extend_from_slice(&[ECDSA_SIGN, RSA_SIGN]));
    signature_algorithms::write_list(out);
    codec::put_vector16(out, |_| ());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_come_back() {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(codec::numbers(parse(&out).unwrap()).next(), Some(0x0403));
        assert_eq!(parse(&out[1..]), Err(Malformed));
    }
}
