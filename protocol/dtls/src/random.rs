//! Unpredictable values out of the caller's seed: the same seed, the same values. RFC 8446 §C.1 wants what
//! nobody can guess: the seed has to come from a cryptographic generator.

use aws_lc_rs::digest;
use zeroize::Zeroizing;

/// A hash of a secret seed and a counter, as in the generator of NIST SP 800-90A §10.1.1: SHA-256 for what that gives,
/// which processors are quicker at, SHA-512 for more. All that is hashed is of one length, so that nobody makes one value
/// out of another by appending to it: HMAC would hash four blocks and not one, and protect from nothing more.
pub(crate) struct Random {
    seed: Zeroizing<[u8; 32]>,
    counter: u64,
}

impl Random {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { seed: Zeroizing::new(seed), counter: 0 }
    }

    /// `N` bytes, at most 64.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 64) };
        self.counter += 1;
        let hash = if N <= 32 { &digest::SHA256 } else { &digest::SHA512 };
        let mut input = Zeroizing::new([0; 40]);
        input[..32].copy_from_slice(&*self.seed);
        input[32..].copy_from_slice(&self.counter.to_be_bytes());
        let hashed = digest::digest(hash, &*input);
        let mut bytes = [0; N];
        bytes.copy_from_slice(&hashed.as_ref()[..N]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let (mut one, mut two) = (Random::new([1; 32]), Random::new([1; 32]));
        let first: [u8; 32] = one.bytes();
        assert_eq!(first, two.bytes::<32>());
        assert_ne!(first, one.bytes::<32>());
        assert_ne!(first, Random::new([2; 32]).bytes::<32>());
    }
}
