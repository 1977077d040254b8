//! The keys of DTLS 1.2 out of what was agreed: RFC 7627 §4, RFC 5246 §6.3.

use crate::crypto::CryptoError;
use crate::crypto::prf::{self, Side};
use crate::crypto::secret::Secret;
use crate::crypto::suite::CipherSuite;
use crate::export::Exporter;
use crate::record::protection12::{Opener, Sealer, fixed_iv_len};

/// The master secret and what it was made for.
pub(super) struct Master {
    pub(super) suite: CipherSuite,
    pub(super) client_random: [u8; 32],
    pub(super) server_random: [u8; 32],
    pub(super) secret: Secret,
}

impl Master {
    /// `messages` are all up to ClientKeyExchange.
    pub(super) fn new(
        suite: CipherSuite,
        client_random: [u8; 32],
        server_random: [u8; 32],
        shared: &[u8],
        messages: &[u8],
    ) -> Result<Self, CryptoError> {
        let session = aws_lc_rs::digest::digest(suite.hash().digest(), messages);
        let secret = prf::extended_master_secret(suite.hash(), shared, session.as_ref())?;
        Ok(Self { suite, client_random, server_random, secret })
    }

    /// The keys of one end.
    pub(super) fn keys(&self, side: Side) -> Result<(Sealer, Opener), CryptoError> {
        let aead = self.suite.aead();
        let (key_len, iv_len) = (aead.key_len(), fixed_iv_len(aead));
        let hash = self.suite.hash();
        let length = 2 * (key_len + iv_len);
        let block = prf::key_block(hash, &self.secret, &self.client_random, &self.server_random, length)?;
        let (keys, ivs) = block.split_at(2 * key_len);
        let (client_key, server_key) = keys.split_at(key_len);
        let (client_iv, server_iv) = ivs.split_at(iv_len);
        Ok(match side {
            Side::Client => {
                (Sealer::new(aead, client_key, client_iv)?, Opener::new(aead, server_key, server_iv)?)
            }
            Side::Server => {
                (Sealer::new(aead, server_key, server_iv)?, Opener::new(aead, client_key, client_iv)?)
            }
        })
    }

    pub(super) fn finished(
        &self,
        side: Side,
        messages: &[u8],
    ) -> Result<[u8; prf::VERIFY_DATA_LEN], CryptoError> {
        prf::finished(self.suite.hash(), &self.secret, side, messages)
    }

    pub(super) fn is_finished(&self, side: Side, messages: &[u8], data: &[u8]) -> Result<bool, CryptoError> {
        prf::is_finished(self.suite.hash(), &self.secret, side, messages, data)
    }

    pub(super) fn exporter(self) -> Exporter {
        let mut randoms = Box::new([0; 64]);
        randoms[..32].copy_from_slice(&self.client_random);
        randoms[32..].copy_from_slice(&self.server_random);
        Exporter::Dtls12 { hash: self.suite.hash(), master: self.secret, randoms }
    }
}
