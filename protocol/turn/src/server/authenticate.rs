//! Who asks: the long-term credential mechanism as a server sees it (RFC 8489 §9.2.4), static users, and
//! ephemeral ones (draft-uberti-behave-turn-rest-00).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stun::attribute::{Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm, UserHash, Username};
use stun::{Algorithm, Attribute as _, Key, Message, ephemeral_password, user_hash};

use super::answer::Refused;
use super::{Client, Fault, Server};
use crate::attribute::DontFragment;

/// For how long after its expiry an ephemeral name may still refresh what it allocated in time: a call
/// outlives the credentials that set it up, but not for ever.
const EPHEMERAL_GRACE: Duration = Duration::from_secs(24 * 3600);

/// Who may allocate.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    users: BTreeMap<String, String>,
    hashes: BTreeMap<[u8; 32], String>,
    secrets: Vec<Vec<u8>>,
}

impl Credentials {
    /// Lets a user in with a password. Both are used as given: prepare them with OpaqueString first.
    pub fn add_user(&mut self, realm: &str, name: &str, password: &str) {
        self.hashes.insert(user_hash(name, realm), name.to_owned());
        self.users.insert(name.to_owned(), password.to_owned());
    }

    /// Lets everyone in whose name is `expiry:anything` (Unix seconds) and whose password is the name's
    /// HMAC-SHA1 under the secret. Several secrets may be valid at once, to change them.
    pub fn add_secret(&mut self, secret: &[u8]) {
        self.secrets.push(secret.to_vec());
    }

    /// Whether nobody can get in.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.secrets.is_empty()
    }

    /// USERHASH can only be resolved to names that are known beforehand.
    pub(super) fn can_resolve_hashes(&self) -> bool {
        self.secrets.is_empty() && !self.users.is_empty()
    }
}

/// A request whose sender is proven.
pub(super) struct Verified {
    /// The user name as sent.
    pub(super) username: Arc<str>,
    /// Whom quotas are counted for: an ephemeral name without its expiry.
    pub(super) account: Arc<str>,
    /// Proves the answer.
    pub(super) proof: Proof,
}

/// With what an answer is proven.
#[derive(Clone)]
pub(super) struct Proof {
    pub(super) key: Key,
    /// MESSAGE-INTEGRITY-SHA256 rather than MESSAGE-INTEGRITY.
    pub(super) sha256: bool,
}

/// Why a request is refused before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 401, with a challenge.
    Unauthenticated,
    /// 400, without one.
    BadRequest,
    /// 438, with a challenge.
    StaleNonce,
}

impl Server {
    /// What comes before anything that a request may ask: who sends it (RFC 8489 §9.2.4), and whether it is
    /// understood (§6.3.1). `None`: it is not, and was answered so.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        client: &Client,
        request: &Message<'_>,
    ) -> Result<Option<Verified>, Fault> {
        match self.authenticate(now, client, request) {
            Err(refusal) => self.challenge(now, client, request, refusal)?,
            Ok(verified) if self.unknown(request).next().is_some() => {
                self.refuse(client, request, &verified.proof, Refused(420))?;
            }
            Ok(verified) => return Ok(Some(verified)),
        }
        Ok(None)
    }

    /// The attributes that must be understood and are not; DONT-FRAGMENT is one where the caller's sockets
    /// cannot do it (RFC 8656 §7.2, §11.2).
    pub(super) fn unknown<'m>(&self, message: &Message<'m>) -> impl Iterator<Item = u16> + use<'m> {
        let too_much = !self.config.dont_fragment && message.has::<DontFragment>();
        message.unknown(crate::attribute::KNOWN).chain(too_much.then_some(DontFragment::TYPE))
    }

    /// The checks of RFC 8489 §9.2.4, in its order.
    fn authenticate(
        &self,
        now: Instant,
        client: &Client,
        message: &Message<'_>,
    ) -> Result<Verified, Refusal> {
        if !message.has_integrity() {
            return Err(Refusal::Unauthenticated);
        }
        let bad = |_| Refusal::BadRequest;
        let username = message.get::<Username<'_>>().map_err(bad)?;
        let hash = message.get::<UserHash>().map_err(bad)?;
        let realm = message.get::<Realm<'_>>().map_err(bad)?;
        let nonce = message.get::<Nonce<'_>>().map_err(bad)?;
        let (Some(realm), Some(nonce)) = (realm, nonce) else { return Err(Refusal::BadRequest) };
        if username.is_none() && hash.is_none() {
            return Err(Refusal::BadRequest);
        }
        let (algorithm, sha256) = algorithm(message)?;
        let username = match (username, hash) {
            (Some(username), _) => username.0,
            (None, Some(hash)) => self
                .config
                .credentials
                .hashes
                .get(&hash.0)
                .map(String::as_str)
                .ok_or(Refusal::Unauthenticated)?,
            (None, None) => return Err(Refusal::BadRequest),
        };
        if realm.0 != self.config.realm {
            return Err(Refusal::Unauthenticated);
        }
        let key = self
            .passwords(now, client, username)
            .map(|password| Key::long_term(algorithm, username, realm.0, &password))
            .find(|key| message.verify(key).is_ok())
            .ok_or(Refusal::Unauthenticated)?;
        self.nonces.check(client, self.config.unix(now), nonce.0).map_err(|_| Refusal::StaleNonce)?;
        let account = match username.split_once(':') {
            Some((expiry, name)) if expiry.parse::<u64>().is_ok() => name,
            _ => username,
        };
        Ok(Verified { username: username.into(), account: account.into(), proof: Proof { key, sha256 } })
    }

    /// The passwords that a name may have now.
    fn passwords<'s>(
        &'s self,
        now: Instant,
        client: &Client,
        username: &'s str,
    ) -> impl Iterator<Item = Cow<'s, str>> + use<'s> {
        let credentials = &self.config.credentials;
        let fixed = credentials.users.get(username).map(|password| Cow::Borrowed(password.as_str()));
        let expiry =
            username.split(':').next().and_then(|expiry| expiry.parse().ok()).map(Duration::from_secs);
        // Who allocated in time may go on for a while.
        let grace = match self.allocation_of(client) {
            Some((_, allocation)) if *allocation.username == *username => EPHEMERAL_GRACE,
            _ => Duration::ZERO,
        };
        let unix = self.config.unix(now);
        let fresh = expiry.is_some_and(|expiry| expiry.saturating_add(grace) > unix);
        let secrets = if fresh { credentials.secrets.as_slice() } else { &[] };
        fixed.into_iter().chain(secrets.iter().map(|secret| ephemeral_password(secret, username).into()))
    }
}

/// What the key is made with, and whether the answer is proven with SHA-256 (RFC 8489 §9.2.4).
fn algorithm(message: &Message<'_>) -> Result<(Algorithm, bool), Refusal> {
    // The bit in the nonce only says that a client may send these; a nonce without it is checked
    // like one with it, because no well-behaved client sends them then.
    if !message.has::<PasswordAlgorithms<'_>>() && !message.has::<PasswordAlgorithm>() {
        return Ok((Algorithm::Md5, false));
    }
    let bad = |_| Refusal::BadRequest;
    let offered = message.get::<PasswordAlgorithms<'_>>().map_err(bad)?.ok_or(Refusal::BadRequest)?;
    let chosen = message.get::<PasswordAlgorithm>().map_err(bad)?.ok_or(Refusal::BadRequest)?;
    if offered != PasswordAlgorithms::SHA256_MD5 {
        return Err(Refusal::BadRequest);
    }
    let chosen = Algorithm::from_number(chosen.0).ok_or(Refusal::BadRequest)?;
    Ok((chosen, true))
}
