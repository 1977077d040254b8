//! The hub's secrets, all derived from one that the server keeps.

use aws_lc_rs::hmac;
use jsonwebtoken::{DecodingKey, EncodingKey};

/// What session tokens, invitations and room passwords are signed or hashed with.
pub(crate) struct Keys {
    pub(super) token: JwtKey,
    pub(super) invitation: JwtKey,
    pub(super) lock: hmac::Key,
}

/// Both halves of a symmetric JWT key.
pub(super) struct JwtKey {
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
}

impl Keys {
    /// `invitation_key` is the operator's, who may sign invitations elsewhere; without one the server's
    /// own secret serves.
    pub(crate) fn new(secret: &[u8], invitation_key: Option<&[u8]>) -> Self {
        let derived = derive(secret, b"twocan invitation v1");
        Self {
            token: JwtKey::new(derive(secret, b"twocan session token v1").as_ref()),
            invitation: JwtKey::new(invitation_key.unwrap_or(derived.as_ref())),
            lock: hmac::Key::new(hmac::HMAC_SHA256, derive(secret, b"twocan room lock v1").as_ref()),
        }
    }
}

impl JwtKey {
    fn new(key: &[u8]) -> Self {
        Self { encoding: EncodingKey::from_secret(key), decoding: DecodingKey::from_secret(key) }
    }
}

/// A key for one purpose: what signs one thing never signs another.
fn derive(secret: &[u8], purpose: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), purpose)
}
