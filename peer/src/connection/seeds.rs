//! Several seeds out of one, none of which tells another.

use aws_lc_rs::hmac;

pub(super) struct Seeds {
    key: hmac::Key,
    next: u8,
}

impl Seeds {
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, seed), next: 0 }
    }

    pub(super) fn next(&mut self) -> [u8; 32] {
        self.next += 1;
        let tag = hmac::sign(&self.key, &[self.next]);
        let mut seed = [0; 32];
        seed.copy_from_slice(tag.as_ref());
        seed
    }
}
