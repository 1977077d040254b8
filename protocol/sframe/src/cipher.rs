//! The two kinds of AEAD: RFC 9605 §4.4.3, §4.4.4, §4.5.1.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;

use crate::key::{Derived, NONCE_LEN};
use crate::suite::CipherSuite;

/// Of AES's key in the suites in counter mode (Nka).
const CTR_KEY_LEN: usize = 16;

/// A key of one KID, ready for use.
pub(crate) struct Cipher {
    aead: Aead,
    salt: [u8; NONCE_LEN],
}

enum Aead {
    Gcm(LessSafeKey),
    Ctr(Box<Ctr>),
}

struct Ctr {
    cipher: EncryptingKey,
    auth: hmac::Key,
    tag_len: usize,
}

impl Cipher {
    pub(crate) fn new(suite: CipherSuite, kid: u64, base_key: &[u8]) -> Result<Self, Unspecified> {
        let derived = Derived::new(suite, kid, base_key)?;
        let key = &derived.key[..suite.key_len()];
        let aead = match suite {
            CipherSuite::Aes128GcmSha256_128 => Aead::gcm(UnboundKey::new(&AES_128_GCM, key)?),
            CipherSuite::Aes256GcmSha512_128 => Aead::gcm(UnboundKey::new(&AES_256_GCM, key)?),
            _ => Aead::Ctr(Box::new(Ctr::new(key, suite.tag_len())?)),
        };
        Ok(Self { aead, salt: derived.salt })
    }

    /// Encrypts in place and fills in the tag. `associated` is the header and the metadata behind it.
    pub(crate) fn seal(
        &self,
        counter: u64,
        associated: &[u8],
        body: &mut [u8],
        tag: &mut [u8],
    ) -> Result<(), Unspecified> {
        let nonce = self.nonce(counter);
        match &self.aead {
            Aead::Gcm(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_scatter(nonce, Aad::from(associated), body, &[], tag)
            }
            Aead::Ctr(ctr) => {
                ctr.crypt(&nonce, body)?;
                tag.copy_from_slice(&ctr.tag(&nonce, associated, body).as_ref()[..ctr.tag_len]);
                Ok(())
            }
        }
    }

    /// Decrypts in place.
    pub(crate) fn open(
        &self,
        counter: u64,
        associated: &[u8],
        body: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Unspecified> {
        let nonce = self.nonce(counter);
        match &self.aead {
            Aead::Gcm(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place_separate_tag(nonce, Aad::from(associated), tag, body)?;
                Ok(())
            }
            Aead::Ctr(ctr) => {
                let expected = ctr.tag(&nonce, associated, body);
                verify_slices_are_equal(&expected.as_ref()[..ctr.tag_len], tag)?;
                ctr.crypt(&nonce, body)
            }
        }
    }

    fn nonce(&self, counter: u64) -> [u8; NONCE_LEN] {
        let mut nonce = self.salt;
        nonce[4..].iter_mut().zip(counter.to_be_bytes()).for_each(|(byte, number)| *byte ^= number);
        nonce
    }
}

impl Aead {
    fn gcm(key: UnboundKey) -> Self {
        Self::Gcm(LessSafeKey::new(key))
    }
}

impl Ctr {
    fn new(key: &[u8], tag_len: usize) -> Result<Self, Unspecified> {
        let (key, auth) = key.split_at(CTR_KEY_LEN);
        Ok(Self {
            cipher: EncryptingKey::ctr(UnboundCipherKey::new(&AES_128, key)?)?,
            auth: hmac::Key::new(hmac::HMAC_SHA256, auth),
            tag_len,
        })
    }

    fn crypt(&self, nonce: &[u8; NONCE_LEN], body: &mut [u8]) -> Result<(), Unspecified> {
        let mut iv = [0; 16];
        iv[..NONCE_LEN].copy_from_slice(nonce);
        self.cipher.less_safe_encrypt(body, EncryptionContext::Iv128(FixedLength::from(iv)))?;
        Ok(())
    }

    fn tag(&self, nonce: &[u8; NONCE_LEN], associated: &[u8], body: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.auth);
        for len in [associated.len(), body.len(), self.tag_len] {
            context.update(&(len as u64).to_be_bytes());
        }
        context.update(nonce);
        context.update(associated);
        context.update(body);
        context.sign()
    }
}

#[cfg(test)]
mod tests;
