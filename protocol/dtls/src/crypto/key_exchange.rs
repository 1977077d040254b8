//! Agreement on a secret: RFC 8446 §4.2.8, RFC 8422 §5.4; with ML-KEM, draft-ietf-tls-ecdhe-mlkem §4.

use aws_lc_rs::agreement::{self, Algorithm, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::kem::{self, DecapsulationKey, EncapsulationKey};
use zeroize::Zeroizing;

use super::CryptoError;
use super::group::NamedGroup;
use crate::random::Random;

/// What both ends then know: 32 to 64 bytes.
pub(crate) type SharedSecret = Zeroizing<Vec<u8>>;

const KEM_KEY_LEN: usize = 1184;
const KEM_CIPHERTEXT_LEN: usize = 1088;

/// Our half of a key that is not agreed yet.
pub(crate) struct KeyExchange {
    group: NamedGroup,
    private: PrivateKey,
    /// Only for the hybrid: the key that the peer wraps its secret with.
    kem: Option<Box<DecapsulationKey>>,
}

impl KeyExchange {
    /// The half that speaks first. ML-KEM's key comes from AWS-LC's own generator, not from the seed.
    pub(crate) fn start(group: NamedGroup, random: &mut Random) -> Result<Self, CryptoError> {
        let kem = match group {
            NamedGroup::X25519MlKem768 => Some(Box::new(DecapsulationKey::generate(&kem::ML_KEM_768)?)),
            _ => None,
        };
        Ok(Self { group, private: private_key(group, random)?, kem })
    }

    pub(crate) fn group(&self) -> NamedGroup {
        self.group
    }

    /// Appends what the peer has to know.
    pub(crate) fn put_share(&self, out: &mut Vec<u8>) -> Result<(), CryptoError> {
        if let Some(kem) = &self.kem {
            out.extend_from_slice(kem.encapsulation_key()?.key_bytes()?.as_ref());
        }
        out.extend_from_slice(self.private.compute_public_key()?.as_ref());
        Ok(())
    }

    /// Ends it with the share of the peer, who answered.
    pub(crate) fn finish(self, share: &[u8]) -> Result<SharedSecret, CryptoError> {
        let Some(kem) = self.kem else { return agree(self.group, &self.private, share) };
        let (ciphertext, share) = share.split_at_checked(KEM_CIPHERTEXT_LEN).ok_or(CryptoError)?;
        let wrapped = kem.decapsulate(ciphertext.into())?;
        joined(wrapped.as_ref(), &agree(self.group, &self.private, share)?)
    }

    /// The half that answers: appends its own share and knows the secret at once.
    pub(crate) fn respond(
        group: NamedGroup,
        share: &[u8],
        random: &mut Random,
        out: &mut Vec<u8>,
    ) -> Result<SharedSecret, CryptoError> {
        let private = private_key(group, random)?;
        let public = private.compute_public_key()?;
        if group != NamedGroup::X25519MlKem768 {
            out.extend_from_slice(public.as_ref());
            return agree(group, &private, share);
        }
        let (key, share) = share.split_at_checked(KEM_KEY_LEN).ok_or(CryptoError)?;
        let (ciphertext, wrapped) = EncapsulationKey::new(&kem::ML_KEM_768, key)?.encapsulate()?;
        out.extend_from_slice(ciphertext.as_ref());
        out.extend_from_slice(public.as_ref());
        joined(wrapped.as_ref(), &agree(group, &private, share)?)
    }
}

fn algorithm(group: NamedGroup) -> &'static Algorithm {
    match group {
        NamedGroup::Secp256r1 => &agreement::ECDH_P256,
        NamedGroup::Secp384r1 => &agreement::ECDH_P384,
        NamedGroup::X25519 | NamedGroup::X25519MlKem768 => &agreement::X25519,
    }
}

fn private_key(group: NamedGroup, random: &mut Random) -> Result<PrivateKey, CryptoError> {
    // A number beyond the order of the curve is refused; for P-256 that is one in 2^32.
    for _ in 0..8 {
        let key = match group {
            NamedGroup::Secp384r1 => {
                PrivateKey::from_private_key(algorithm(group), &*Zeroizing::new(random.bytes::<48>()))
            }
            _ => PrivateKey::from_private_key(algorithm(group), &*Zeroizing::new(random.bytes::<32>())),
        };
        if let Ok(key) = key {
            return Ok(key);
        }
    }
    Err(CryptoError)
}

/// AWS-LC refuses points that are not on the curve, and an X25519 secret of zeros (RFC 7748 §6.1).
fn agree(group: NamedGroup, private: &PrivateKey, share: &[u8]) -> Result<SharedSecret, CryptoError> {
    // Only uncompressed points (RFC 8446 §4.2.8.2), and nothing that AWS-LC would take for DER.
    let expected = match group {
        NamedGroup::Secp256r1 => 65,
        NamedGroup::Secp384r1 => 97,
        NamedGroup::X25519 | NamedGroup::X25519MlKem768 => 32,
    };
    let is_point = share.len() == expected && (expected == 32 || share[0] == 4);
    if !is_point {
        return Err(CryptoError);
    }
    let peer = UnparsedPublicKey::new(algorithm(group), share);
    agreement::agree(private, peer, CryptoError, |secret| Ok(Zeroizing::new(secret.to_vec())))
}

fn joined(first: &[u8], second: &[u8]) -> Result<SharedSecret, CryptoError> {
    let mut both = Zeroizing::new(Vec::with_capacity(64));
    both.extend_from_slice(first);
    both.extend_from_slice(second);
    Ok(both)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_know_the_same_secret() {
        let mut random = Random::new([3; 32]);
        for (group, client_len, server_len) in [
            (NamedGroup::X25519, 32, 32),
            (NamedGroup::Secp256r1, 65, 65),
            (NamedGroup::Secp384r1, 97, 97),
            (NamedGroup::X25519MlKem768, 1216, 1120),
        ] {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            let client = KeyExchange::start(group, &mut random).unwrap();
            client.put_share(&mut ours).unwrap();
            let server = KeyExchange::respond(group, &ours, &mut random, &mut theirs).unwrap();
            assert_eq!((ours.len(), theirs.len()), (client_len, server_len), "{group:?}");
            assert_eq!(client.finish(&theirs).unwrap(), server, "{group:?}");
        }
    }

    #[test]
    fn bad_shares_are_refused() {
        let mut random = Random::new([4; 32]);
        for group in
            [NamedGroup::X25519, NamedGroup::Secp256r1, NamedGroup::Secp384r1, NamedGroup::X25519MlKem768]
        {
            for share in [&[][..], &[0; 32], &[4; 65], &[4; 97], &[0xff; 1216]] {
                let answer = KeyExchange::respond(group, share, &mut random, &mut Vec::new());
                assert!(answer.is_err(), "{group:?} {}", share.len());
            }
        }
    }
}
