//! Chance.

use std::time::Duration;

/// Chance, from a seed (splitmix64).
#[derive(Debug)]
pub(crate) struct Luck(pub(crate) u64);

impl Luck {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)) % bound.max(1)
    }

    pub(crate) fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn milliseconds(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }

    /// Spoils some bytes, now and then: changes, cuts, repeats, replaces them.
    pub(crate) fn garble(&mut self, bytes: &mut Vec<u8>) {
        let length = bytes.len() as u64;
        match self.below(8) {
            0 => bytes.truncate(self.below(length) as usize),
            1 => bytes.extend_from_within(self.below(length) as usize..),
            2 => bytes.iter_mut().for_each(|byte| *byte = self.below(256) as u8),
            3 | 4 => {
                for _ in 0..=self.below(4) {
                    let at = self.below(length) as usize;
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.below(256) as u8;
                    }
                }
            }
            _ => {}
        }
    }
}
