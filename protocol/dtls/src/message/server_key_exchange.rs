//! ServerKeyExchange: RFC 8422 §5.4.

use wire::Reader;

use super::certificate_verify::{self, Signed};
use crate::codec::{self, Malformed};
use crate::crypto::group::NamedGroup;
use crate::crypto::signature::SignatureScheme;

const NAMED_CURVE: u8 = 3;

/// The server's half of the key, signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerKeyExchange<'a> {
    /// May be one that we do not know.
    pub(crate) group: u16,
    pub(crate) point: &'a [u8],
    /// What is signed, behind both ends' randoms.
    pub(crate) parameters: &'a [u8],
    pub(crate) signed: Signed<'a>,
}

impl<'a> ServerKeyExchange<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        if reader.u8()? != NAMED_CURVE {
            return Err(Malformed);
        }
        let group = reader.u16()?;
        let point = codec::vector8(&mut reader)?;
        let parameters = &body[..body.len() - reader.rest().len()];
        let signed = Signed::read(&mut reader)?;
        codec::end(reader)?;
        Ok(Self { group, point, parameters, signed })
    }
}

/// The parameters alone.
pub(crate) fn parameters(group: NamedGroup, point: &[u8]) -> Vec<u8> {
    let mut out = vec![NAMED_CURVE];
    out.extend_from_slice(&group.code().to_be_bytes());
    codec::put_vector8(&mut out, |out| out.extend_from_slice(point));
    out
}

/// What is signed.
pub(crate) fn content(client_random: &[u8; 32], server_random: &[u8; 32], parameters: &[u8]) -> Vec<u8> {
    [&client_random[..], server_random, parameters].concat()
}

pub(crate) fn write(out: &mut Vec<u8>, parameters: &[u8], scheme: SignatureScheme, signature: &[u8]) {
    out.extend_from_slice(parameters);
    certificate_verify::write(out, scheme, signature);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_comes_back() {
        let parameters = parameters(NamedGroup::X25519, &[9; 32]);
        let mut out = Vec::new();
        write(&mut out, &parameters, SignatureScheme::EcdsaSecp256r1Sha256, &[1; 70]);
        let exchange = ServerKeyExchange::parse(&out).unwrap();
        assert_eq!((exchange.group, exchange.point), (NamedGroup::X25519.code(), &[9; 32][..]));
        assert_eq!(exchange.parameters, parameters);
        assert_eq!(exchange.signed.signature, [1; 70]);
        out[0] = 1;
        assert_eq!(ServerKeyExchange::parse(&out), Err(Malformed));
    }
}
