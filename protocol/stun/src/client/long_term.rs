//! Long-term credentials on the client's side (RFC 8489 §9.2.3, §9.2.5): what a challenge asks for, and
//! whether an answer proves to be the server's.

use std::borrow::Cow;
use std::fmt;

use super::fault::Failure;
use crate::attribute::{self, Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm, UserHash, Username};
use crate::credentials::{Algorithm, Key, user_hash};
use crate::message::Message;
use crate::nonce::SecurityFeatures;
use crate::opaque_string::{NotOpaque, opaque_string};
use crate::writer::Writer;

/// A user name and password, and what the server last asked for.
#[derive(Clone)]
pub struct LongTerm {
    username: String,
    password: String,
    challenge: Option<Challenge>,
    /// The server once offered password algorithms: from then on only SHA-256 proofs count (§9.2.5).
    sha256_only: bool,
}

#[derive(Clone)]
struct Challenge {
    realm: String,
    nonce: String,
    /// PASSWORD-ALGORITHMS as it came, and our choice. Without it, MD5 and MESSAGE-INTEGRITY.
    offer: Option<(Vec<u8>, Algorithm)>,
    /// USERHASH instead of USERNAME.
    anonymous: bool,
    key: Key,
}

/// With what one request was proven, and so how its answer must be.
#[derive(Clone, Debug)]
pub struct Proof {
    key: Key,
    realm: String,
    sha256: bool,
}

impl LongTerm {
    /// Prepares user name and password with OpaqueString.
    pub fn new(username: &str, password: &str) -> Result<Self, NotOpaque> {
        Ok(Self {
            username: opaque_string(username)?.into_owned(),
            password: opaque_string(password)?.into_owned(),
            challenge: None,
            sha256_only: false,
        })
    }

    /// Appends the credentials and the proof; nothing before the server's first challenge (§9.2.3.1).
    ///
    /// Only FINGERPRINT may follow.
    pub fn sign(&self, writer: &mut Writer<'_>) -> Option<Proof> {
        let challenge = self.challenge.as_ref()?;
        let prepared = prepare(&challenge.realm);
        if challenge.anonymous {
            writer.add(&UserHash(user_hash(&self.username, &prepared)));
        } else {
            writer.add(&Username(&self.username));
        }
        writer.add(&Realm(&challenge.realm)).add(&Nonce(&challenge.nonce));
        let sha256 = challenge.offer.is_some();
        if let Some((offer, algorithm)) = &challenge.offer {
            writer.add_raw(attribute::PASSWORD_ALGORITHMS, offer);
            writer.add(&PasswordAlgorithm(algorithm.number()));
            writer.integrity_sha256(&challenge.key);
        } else {
            writer.integrity_sha1(&challenge.key);
        }
        Some(Proof { key: challenge.key.clone(), realm: challenge.realm.clone(), sha256 })
    }

    /// Learns from a 401 or 438 answer to a request that was proven with `used`; an error when the request must
    /// not be put again (§9.2.5).
    pub fn challenge(
        &mut self,
        message: &Message<'_>,
        code: u16,
        used: Option<&Proof>,
    ) -> Result<(), Failure> {
        if is_bid_down(message) {
            return Err(Failure::BidDown);
        }
        let nonce = message.get::<Nonce<'_>>().ok().flatten().ok_or(Failure::BadChallenge)?.0;
        let realm = match message.get::<Realm<'_>>().ok().flatten() {
            Some(realm) => realm.0,
            // A stale nonce does not change the realm; some servers do not repeat it.
            None => used.map(|proof| proof.realm.as_str()).ok_or(Failure::BadChallenge)?,
        };
        if code == 401 && used.is_some_and(|proof| proof.realm == realm) {
            return Err(Failure::WrongCredentials);
        }
        let offer = match message.get::<PasswordAlgorithms<'_>>().map_err(|_| Failure::BadChallenge)? {
            Some(offer) => {
                let algorithm = offer.known().next().ok_or(Failure::NoCommonAlgorithm)?;
                Some((offer.bytes().to_vec(), algorithm))
            }
            None if self.sha256_only => return Err(Failure::BidDown),
            None => None,
        };
        let features = SecurityFeatures::of_nonce(nonce).unwrap_or_default();
        let algorithm = offer.as_ref().map_or(Algorithm::Md5, |(_, algorithm)| *algorithm);
        self.sha256_only |= offer.is_some();
        self.challenge = Some(Challenge {
            key: Key::long_term(algorithm, &self.username, &prepare(realm), &self.password),
            realm: realm.to_owned(),
            nonce: nonce.to_owned(),
            offer,
            anonymous: features.username_anonymity,
        });
        Ok(())
    }

    /// Forgets what a server asked for, because another is asked next.
    pub fn forget_server(&mut self) {
        self.challenge = None;
        self.sha256_only = false;
    }
}

impl Proof {
    /// Whether an answer is made with the same key, and as strongly (§9.2.4, last paragraph).
    pub fn holds(&self, message: &Message<'_>) -> bool {
        (!self.sha256 || message.integrity_sha256_offset().is_some()) && message.verify(&self.key).is_ok()
    }
}

/// The nonce says that the server offers password algorithms, but the offer is not there (§9.2.5).
pub(super) fn is_bid_down(message: &Message<'_>) -> bool {
    let nonce = message.get::<Nonce<'_>>().ok().flatten();
    nonce
        .and_then(|nonce| SecurityFeatures::of_nonce(nonce.0))
        .is_some_and(|features| features.password_algorithms)
        && !message.has::<PasswordAlgorithms<'_>>()
}

/// The realm as it goes into keys; one that cannot be prepared goes in as the server wrote it.
fn prepare(realm: &str) -> Cow<'_, str> {
    opaque_string(realm).unwrap_or(Cow::Borrowed(realm))
}

impl fmt::Debug for LongTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongTerm").field("username", &self.username).finish_non_exhaustive()
    }
}
