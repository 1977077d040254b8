//! Unpredictable numbers from a secret: the same secret, the same numbers (RFC 4086 wants tokens and
//! ports that nobody can guess).

use aws_lc_rs::hmac;

/// HMAC-SHA256 of a counter.
pub(super) struct Random {
    key: hmac::Key,
    machine: u64,
    counter: u64,
}

impl Random {
    pub(super) fn new(secret: &[u8], machine: u64) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret), machine, counter: 0 }
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.counter += 1;
        self.derive(self.counter)
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.bytes())
    }

    /// For hash tables; does not disturb the sequence.
    pub(super) fn table_seed(&self) -> u64 {
        u64::from_be_bytes(self.derive(0))
    }

    fn derive<const N: usize>(&self, counter: u64) -> [u8; N] {
        let mut input = [0; 16];
        input[..8].copy_from_slice(&self.machine.to_be_bytes());
        input[8..].copy_from_slice(&counter.to_be_bytes());
        let tag = hmac::sign(&self.key, &input);
        let mut bytes = [0; N];
        bytes.iter_mut().zip(tag.as_ref()).for_each(|(byte, random)| *byte = *random);
        bytes
    }
}
