//! What the two ends say through the server, sealed with AES-256-GCM (RFC 5116) under a key that the server does not
//! have: it can neither read nor change it.
//!
//! The additional data names who speaks and to whom, so that nothing opens that was turned round, or meant for somebody
//! else. The names of the two connections are inside. `docs/security.md` says what follows.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

/// Bytes of a nonce. Drawn at random: 2^32 messages under one code leave a chance of 2^-32 that two are equal.
pub(crate) const NONCE_LEN: usize = 12;

/// What every sealed message is bound to, beside the two names.
const CONTEXT: &str = "twocan signal 1";

/// Seals and opens with one key.
pub(crate) struct Sealer {
    /// Absent only if the library takes no key of 32 bytes.
    key: Option<LessSafeKey>,
}

/// It was not sealed with this code, for these two, or it was changed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DoesNotOpen;

impl Sealer {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self { key: UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new) }
    }

    /// Base 64 of the nonce, which must be fresh, and what is sealed. Empty where sealing is impossible.
    pub(crate) fn seal(&self, nonce: [u8; NONCE_LEN], from: &str, to: &str, plain: &[u8]) -> String {
        let mut bytes = plain.to_vec();
        let nonce_given = Nonce::assume_unique_for_key(nonce);
        let sealed = self.key.as_ref().map(|key| {
            key.seal_in_place_append_tag(nonce_given, Aad::from(associated(from, to)), &mut bytes)
        });
        match sealed {
            Some(Ok(())) => BASE64.encode([&nonce[..], &bytes].concat()),
            _ => String::new(),
        }
    }

    /// What was sealed by `from` for `to`.
    pub(crate) fn open(&self, from: &str, to: &str, sealed: &str) -> Result<Vec<u8>, DoesNotOpen> {
        let mut bytes = BASE64.decode(sealed).map_err(|_| DoesNotOpen)?;
        let (nonce, rest) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
        let key = self.key.as_ref().ok_or(DoesNotOpen)?;
        let plain =
            key.open_in_place(nonce, Aad::from(associated(from, to)), rest).map_err(|_| DoesNotOpen)?;
        Ok(plain.to_vec())
    }
}

/// Names of peers hold no NUL.
fn associated(from: &str, to: &str) -> Vec<u8> {
    [CONTEXT, from, to].join("\0").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_two_open_it_and_only_unchanged() {
        let sealer = Sealer::new(&[7; 32]);
        let sealed = sealer.seal([1; NONCE_LEN], "ada", "bob", b"hello");
        assert_eq!(sealer.open("ada", "bob", &sealed).as_deref(), Ok(&b"hello"[..]));
        for (from, to) in [("bob", "ada"), ("ada", "eve"), ("eve", "bob"), ("ada", "ada"), ("adab", "ob")] {
            assert_eq!(sealer.open(from, to, &sealed), Err(DoesNotOpen), "{from} {to}");
        }
        assert_eq!(Sealer::new(&[8; 32]).open("ada", "bob", &sealed), Err(DoesNotOpen));
        let bytes = BASE64.decode(&sealed).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert_eq!(sealer.open("ada", "bob", &BASE64.encode(changed)), Err(DoesNotOpen), "byte {index}");
            let short = BASE64.encode(&bytes[..index]);
            assert_eq!(sealer.open("ada", "bob", &short), Err(DoesNotOpen), "{index} bytes");
        }
        assert_eq!(sealer.open("ada", "bob", "no base 64!"), Err(DoesNotOpen));
    }

    /// The web app opens the same (web/tests/code.test.js).
    #[test]
    fn what_is_sealed_is_the_same_everywhere() {
        let key: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let sealed = Sealer::new(&key).seal([9; NONCE_LEN], "p1", "p2", b"{\"connection\":\"word\"}");
        assert_eq!(sealed, "CQkJCQkJCQkJCQkJyDprVOnxJselYF+XiayZuFZguwwnDJ9QujQmMlRo2QRvTEgIgA==");
    }
}
