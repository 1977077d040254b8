//! `signature_algorithms`: RFC 8446 §4.2.3, RFC 5246 §7.4.1.4.1.

use wire::Reader;

use super::{ExtensionType, put};
use crate::codec::{self, Malformed};
use crate::crypto::signature::SignatureScheme;

/// Reads the numbers, in the order of the peer's liking.
pub(crate) fn parse(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(body);
    let schemes = codec::whole_numbers(codec::vector16(&mut reader)?)?;
    codec::end(reader)?;
    Ok(schemes)
}

/// Appends the extension with what we accept.
pub(crate) fn write(out: &mut Vec<u8>) {
    put(out, ExtensionType::SignatureAlgorithms, write_list);
}

/// Appends the list alone, as DTLS 1.2's CertificateRequest has it.
pub(crate) fn write_list(out: &mut Vec<u8>) {
    codec::put_vector16(out, |out| {
        SignatureScheme::ALL.iter().for_each(|scheme| out.extend_from_slice(&scheme.code().to_be_bytes()));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_comes_back() {
        let mut out = Vec::new();
        write(&mut out);
        let list = parse(&out[4..]).unwrap();
        assert_eq!(codec::numbers(list).next(), Some(0x0403));
        assert_eq!(codec::numbers(list).count(), SignatureScheme::ALL.len());
        assert_eq!(parse(&[0, 0]), Err(Malformed));
        assert_eq!(parse(&[0, 3, 1, 1, 1]), Err(Malformed));
    }
}
