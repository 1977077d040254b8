//! Several seeds out of one, none of which tells another.

use std::fmt;

use aws_lc_rs::hmac;

/// A key made ready would take 20 times the room of the seed, in every connection.
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

    /// Several at once, for one key made ready.
    pub(crate) fn several<const N: usize>(&mut self) -> [[u8; 32]; N] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.seed);
        std::array::from_fn(|_| {
            self.next += 1;
            let tag = hmac::sign(&key, &self.next.to_be_bytes());
            let mut seed = [0; 32];
            seed.copy_from_slice(tag.as_ref());
            seed
        })
    }
}

impl fmt::Debug for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seeds({})", self.next)
    }
}
