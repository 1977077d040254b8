//! Signed invitations (JWT, RFC 7519, HS256): whoever holds one may enter its room, password or not.
//!
//! Claims: `aud` is `twocan-invitation`, `room` the room's or lobby's name, `exp` and optionally `nbf` as
//! in RFC 7519 §4.1. An operator who set `invitation-key` may sign them elsewhere.

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header};
use serde::{Deserialize, Serialize};

use super::{keys::Keys, names::RoomName, time::Now, token::signature_only};

const AUDIENCE: &str = "twocan-invitation";

/// What `invite` may ask for, and what it gets when it asks for nothing.
pub(crate) const SHORTEST: Duration = Duration::from_secs(60);
pub(crate) const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);
pub(crate) const USUAL: Duration = Duration::from_secs(24 * 3600);

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    room: String,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
}

/// An invitation into `room` and the second of the Unix epoch when it ends.
pub(crate) fn issue(keys: &Keys, now: Now, room: &RoomName, life: Duration) -> (String, u64) {
    let exp = now.unix_seconds() + life.as_secs();
    let claims = Claims { aud: AUDIENCE.into(), room: room.as_str().into(), exp, nbf: None };
    let text = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &keys.invitation.encoding);
    (text.unwrap_or_default(), exp)
}

/// Whether `invitation` opens `room` now.
pub(crate) fn opens(keys: &Keys, now: Now, room: &RoomName, invitation: &str) -> bool {
    let decoded = jsonwebtoken::decode::<Claims>(invitation, &keys.invitation.decoding, &signature_only());
    decoded.is_ok_and(|token| {
        let claims = token.claims;
        claims.aud == AUDIENCE
            && claims.room == room.as_str()
            && claims.exp > now.unix_seconds()
            && claims.nbf.is_none_or(|from| from <= now.unix_seconds())
    })
}

#[cfg(test)]
mod tests;
