//! Unpredictable values out of the caller's seed: the same seed, the same values. RFC 8446 §C.1 wants what
//! nobody can guess: the seed has to come from a cryptographic generator.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// HMAC of a counter: with SHA-256 for what that gives, which processors are quicker at, with SHA-512 for more.
pub(crate) struct Random {
    key: Zeroizing<[u8; 32]>,
    counter: u64,
}

impl Random {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { key: Zeroizing::new(seed), counter: 0 }
    }

    /// `N` bytes, at most 64.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 64) };
        self.counter += 1;
        let hash = if N <= 32 { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA512 };
        let key = hmac::Key::new(hash, &*self.key);
        let tag = hmac::sign(&key, &self.counter.to_be_bytes());
        let mut bytes = [0; N];
        bytes.copy_from_slice(&tag.as_ref()[..N]);
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
