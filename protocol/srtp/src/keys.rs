//! Master keys, as DTLS exports them (RFC 5764 §4.2).

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::profile::Profile;
use crate::receiver::Receiver;
use crate::sender::Sender;

pub(crate) const MAX_KEY_LEN: usize = 32;
pub(crate) const MAX_SALT_LEN: usize = 14;

/// One direction's master key and salt. Wiped when dropped.
pub struct MasterKey {
    profile: Profile,
    key: [u8; MAX_KEY_LEN],
    /// Zeros follow a shorter one, as the derivation of keys wants it (RFC 7714 §11).
    salt: [u8; MAX_SALT_LEN],
}

impl MasterKey {
    /// A key that came by another way than DTLS.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, KeyError> {
        if key.len() != profile.key_len() || salt.len() != profile.salt_len() {
            return Err(KeyError);
        }
        let mut master = Self { profile, key: [0; MAX_KEY_LEN], salt: [0; MAX_SALT_LEN] };
        master.key[..key.len()].copy_from_slice(key);
        master.salt[..salt.len()].copy_from_slice(salt);
        Ok(master)
    }

    /// What it is a key of.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key[..self.profile.key_len()]
    }

    /// For vectors whose salts are longer than their profile's.
    #[cfg(test)]
    pub(crate) fn lengthen_salt(&mut self, salt: &[u8]) {
        self.salt.copy_from_slice(salt);
    }

    pub(crate) fn salt(&self) -> &[u8; MAX_SALT_LEN] {
        &self.salt
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.key.zeroize();
        self.salt.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Both directions' master keys.
#[derive(Debug)]
pub struct Keys {
    /// What the DTLS client protects with.
    pub client: MasterKey,
    /// What the DTLS server protects with.
    pub server: MasterKey,
}

impl Keys {
    /// The label with which DTLS exports them, without a context (RFC 5764 §4.2).
    pub const EXPORT_LABEL: &[u8] = b"EXTRACTOR-dtls_srtp";

    /// Takes apart what was exported: the client's and the server's key, then the client's and the server's salt.
    /// [`Profile::keying_material_len`] bytes, which the caller wipes.
    pub fn split(profile: Profile, material: &[u8]) -> Result<Self, KeyError> {
        if material.len() != profile.keying_material_len() {
            return Err(KeyError);
        }
        let (keys, salts) = material.split_at(2 * profile.key_len());
        let (client, server) = keys.split_at(profile.key_len());
        let (client_salt, server_salt) = salts.split_at(profile.salt_len());
        Ok(Self {
            client: MasterKey::new(profile, client, client_salt)?,
            server: MasterKey::new(profile, server, server_salt)?,
        })
    }

    /// The same, with `export` writing the material into a buffer that is wiped afterwards.
    pub fn export<E: From<KeyError>>(
        profile: Profile,
        export: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut material = Zeroizing::new([0; 2 * (MAX_KEY_LEN + MAX_SALT_LEN)]);
        let material = &mut material[..profile.keying_material_len()];
        export(material)?;
        Ok(Self::split(profile, material)?)
    }

    /// What one end sends and receives with.
    pub fn contexts(&self, is_client: bool) -> Result<(Sender, Receiver), KeyError> {
        let (ours, theirs) =
            if is_client { (&self.client, &self.server) } else { (&self.server, &self.client) };
        Ok((Sender::new(ours)?, Receiver::new(theirs)?))
    }
}

/// A key or a salt has not the length that its profile wants: see [`Profile::key_len`], [`Profile::salt_len`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the key or the salt has not the length that the profile wants; export as many bytes as it says",
        )
    }
}

impl std::error::Error for KeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keying_material_is_taken_apart_in_the_order_of_the_standard() {
        let material: Vec<u8> = (0..60).collect();
        let keys = Keys::split(Profile::Aes128CmSha1_80, &material).unwrap();
        assert_eq!(keys.client.key(), &material[..16]);
        assert_eq!(keys.server.key(), &material[16..32]);
        assert_eq!(keys.client.salt()[..], material[32..46]);
        assert_eq!(keys.server.salt()[..], material[46..]);
        assert!(Keys::split(Profile::AeadAes128Gcm, &material).is_err());
    }
}
