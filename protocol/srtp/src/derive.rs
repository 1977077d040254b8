//! Session keys out of a master key: RFC 3711 §4.3, with AES-256 where the master key has 256 bits (RFC 6188 §3), and
//! for AES-GCM (RFC 7714 §11). The key derivation rate is zero: keys are derived once.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use crate::keys::{MAX_KEY_LEN, MAX_SALT_LEN, MasterKey};

/// Of HMAC-SHA1 (RFC 3711 §5.2).
pub(crate) const AUTH_KEY_LEN: usize = 20;

/// What a session key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rtp,
    Rtcp,
}

/// The keys of one kind of packets in one direction.
pub(crate) struct SessionKeys {
    pub(crate) key: Zeroizing<[u8; MAX_KEY_LEN]>,
    pub(crate) key_len: usize,
    pub(crate) auth: Zeroizing<[u8; AUTH_KEY_LEN]>,
    pub(crate) salt: [u8; MAX_SALT_LEN],
}

impl SessionKeys {
    pub(crate) fn derive(master: &MasterKey, kind: Kind) -> Result<Self, Unspecified> {
        // RFC 3711 §4.3.2.
        let (encryption, authentication, salting) = match kind {
            Kind::Rtp => (0, 1, 2),
            Kind::Rtcp => (3, 4, 5),
        };
        let key_len = master.profile().key_len();
        let mut keys =
            Self { key: Zeroizing::default(), key_len, auth: Zeroizing::default(), salt: [0; MAX_SALT_LEN] };
        derive(master, encryption, &mut keys.key[..key_len])?;
        derive(master, authentication, &mut keys.auth[..])?;
        derive(master, salting, &mut keys.salt[..master.profile().salt_len()])?;
        Ok(keys)
    }
}

/// The first bytes of the key stream that this label chooses (RFC 3711 §4.3.3).
fn derive(master: &MasterKey, label: u8, out: &mut [u8]) -> Result<(), Unspecified> {
    let algorithm = if master.key().len() == MAX_KEY_LEN { &AES_256 } else { &AES_128 };
    let cipher = EncryptingKey::ctr(UnboundCipherKey::new(algorithm, master.key())?)?;
    let mut iv = [0; 16];
    iv[..MAX_SALT_LEN].copy_from_slice(master.salt());
    iv[7] ^= label;
    out.fill(0);
    cipher.less_safe_encrypt(out, EncryptionContext::Iv128(FixedLength::from(iv)))?;
    Ok(())
}

#[cfg(test)]
mod tests;
