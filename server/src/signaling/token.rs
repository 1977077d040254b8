//! Session tokens: what a client that lost its connection, or its server, comes back with.
//!
//! A token names one peer in one room of one kind and role. It proves nothing about another room, so that
//! nobody can take another's id there; a forged or expired one counts as none at all.

use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};

use super::{
    inbound::{Kind, Role},
    keys::Keys,
    lock::Lock,
    names::{PeerId, RoomName},
    time::Now,
};

/// How long a token is good for after the last `joined`, in seconds.
const LIFE: u64 = 24 * 3600;

/// What a genuine token says.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    pub(crate) peer: PeerId,
    /// Which of this peer's sessions: a copy of an older token does not share the newer one's counts.
    pub(crate) generation: u64,
    /// The lock of the room at the time: its holder had been let in.
    pub(crate) lock: Option<Lock>,
    /// The match of a lobby that the peer was in.
    pub(crate) in_match: Option<u64>,
}

/// Where a token holds.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) room: &'a RoomName,
    pub(crate) kind: Kind,
    pub(crate) role: Option<Role>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    room: String,
    kind: Kind,
    role: Option<Role>,
    peer: u64,
    generation: u64,
    lock: Option<Lock>,
    in_match: Option<u64>,
    exp: u64,
}

pub(crate) fn issue(keys: &Keys, now: Now, place: Place<'_>, claims: &Claims) -> String {
    let wire = Wire {
        room: place.room.as_str().into(),
        kind: place.kind,
        role: place.role,
        peer: claims.peer.0,
        generation: claims.generation,
        lock: claims.lock,
        in_match: claims.in_match,
        exp: now.unix_seconds() + LIFE,
    };
    // Signing with a symmetric key cannot fail; an empty token would merely not resume.
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &wire, &keys.token.encoding).unwrap_or_default()
}

/// What `token` claims, if it is genuine, unexpired and for this place.
pub(crate) fn verify(keys: &Keys, now: Now, place: Place<'_>, token: &str) -> Option<Claims> {
    let claims = jsonwebtoken::decode::<Wire>(token, &keys.token.decoding, &signature_only()).ok()?.claims;
    let holds = claims.room == place.room.as_str()
        && claims.kind == place.kind
        && claims.role == place.role
        && claims.exp > now.unix_seconds();
    holds.then_some(Claims {
        peer: PeerId(claims.peer),
        generation: claims.generation,
        lock: claims.lock,
        in_match: claims.in_match,
    })
}

/// The library would read the clock to check `exp`; here time is an argument, and the caller checks.
pub(super) fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

#[cfg(test)]
mod tests;
