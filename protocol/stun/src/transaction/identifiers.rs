//! Transaction identifiers (RFC 8489 §5).

use aws_lc_rs::hmac;

use crate::header::TransactionId;

/// Transaction identifiers that nobody else can guess (RFC 8489 §5), made from the caller's randomness: a
/// pseudorandom function of a counter under a secret seed.
pub struct TransactionIds {
    /// A key made ready would take 20 times the room, in every agent and client.
    seed: [u8; 32],
    counter: u64,
}

impl TransactionIds {
    /// `seed` must be fresh from a cryptographic random generator; the same seed gives the same identifiers.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self { seed: *seed, counter: 0 }
    }

    /// The next identifier.
    pub fn next_id(&mut self) -> TransactionId {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.seed);
        let tag = hmac::sign(&key, &self.counter.to_be_bytes());
        self.counter += 1;
        let mut id = TransactionId([0; 12]);
        id.0.copy_from_slice(&tag.as_ref()[..12]);
        id
    }
}

impl std::fmt::Debug for TransactionIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TransactionIds({})", self.counter)
    }
}
