//! Transaction identifiers (RFC 8489 §5).

use aws_lc_rs::digest;

use crate::header::TransactionId;

/// Transaction identifiers that nobody else can guess (RFC 8489 §5), made from the caller's randomness: a
/// pseudorandom function of a counter under a secret seed. It is SHA-256 of both, as in the generator of NIST SP 800-90A
/// §10.1.1: HMAC would hash four blocks and not one, and what it protects from, that somebody appends to what was hashed,
/// gives no identifier, as all that is hashed is of one length.
pub struct TransactionIds {
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
        let mut input = [0; 40];
        input[..32].copy_from_slice(&self.seed);
        input[32..].copy_from_slice(&self.counter.to_be_bytes());
        let hash = digest::digest(&digest::SHA256, &input);
        self.counter += 1;
        let mut id = TransactionId([0; 12]);
        id.0.copy_from_slice(&hash.as_ref()[..12]);
        id
    }
}

impl std::fmt::Debug for TransactionIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TransactionIds({})", self.counter)
    }
}
