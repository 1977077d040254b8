//! Several seeds out of one, none of which tells another.

use std::fmt;

use aws_lc_rs::hmac;

pub(crate) struct Seeds {
    key: hmac::Key,
    next: u64,
}

impl Seeds {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, seed), next: 0 }
    }

    /// Another one for each peer that answers in place of the one before.
    pub(crate) fn fork(seed: &[u8; 32], number: u32) -> [u8; 32] {
        Self { next: u64::from(number) << 32, ..Self::new(seed) }.next()
    }

    pub(crate) fn next(&mut self) -> [u8; 32] {
        self.next += 1;
        let tag = hmac::sign(&self.key, &self.next.to_be_bytes());
        let mut seed = [0; 32];
        seed.copy_from_slice(tag.as_ref());
        seed
    }
}

impl fmt::Debug for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seeds({})", self.next)
    }
}
