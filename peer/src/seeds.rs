//! Several seeds out of one, none of which tells another.

use std::fmt;

use aws_lc_rs::digest;
use zeroize::Zeroizing;

/// SHA-256 of a secret seed and a counter, as in the generator of NIST SP 800-90A §10.1.1. All that is hashed is of one
/// length, so that nobody makes one seed out of another by appending to it: HMAC would protect from nothing more.
pub(crate) struct Seeds {
    seed: [u8; 32],
    next: u64,
}

impl Seeds {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self { seed: *seed, next: 0 }
    }

    /// Another one for each peer that answers in place of the one before.
    pub(crate) fn fork(seed: &[u8; 32], number: u32) -> [u8; 32] {
        Self { next: u64::from(number) << 32, ..Self::new(seed) }.next()
    }

    pub(crate) fn next(&mut self) -> [u8; 32] {
        let [seed] = self.several();
        seed
    }

    /// Several at once.
    pub(crate) fn several<const N: usize>(&mut self) -> [[u8; 32]; N] {
        let mut input = Zeroizing::new([0; 40]);
        input[..32].copy_from_slice(&self.seed);
        std::array::from_fn(|_| {
            self.next += 1;
            input[32..].copy_from_slice(&self.next.to_be_bytes());
            let mut seed = [0; 32];
            seed.copy_from_slice(digest::digest(&digest::SHA256, &*input).as_ref());
            seed
        })
    }
}

impl fmt::Debug for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seeds({})", self.next)
    }
}
