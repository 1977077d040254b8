//! Which encodings somebody watches: what nobody does may be switched off where it is made.

use std::time::Instant;

use crate::limits::{ENCODINGS, UNWATCHED};

/// Since when which encoding is not watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    /// What was told.
    bits: u8,
    since: [Option<Instant>; ENCODINGS],
}

impl Watched {
    /// All are, at first.
    pub(crate) fn new(encodings: usize) -> Self {
        let bits = (0..encodings.min(ENCODINGS)).fold(0, |bits, at| bits | 1 << at);
        Self { bits, since: [None; ENCODINGS] }
    }

    /// Those with a bit are; all that are told to be, where that is news.
    pub(crate) fn update(&mut self, now: Instant, watched: u8) -> Option<u8> {
        let before = self.bits;
        for (at, since) in self.since.iter_mut().enumerate() {
            let bit = 1 << at;
            if watched & bit != 0 {
                *since = None;
                self.bits |= bit;
            } else if now.saturating_duration_since(*since.get_or_insert(now)) >= UNWATCHED {
                self.bits &= !bit;
            }
        }
        (self.bits != before).then_some(self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{ms, start};

    #[test]
    fn off_goes_after_a_while_and_on_at_once() {
        let mut now = start();
        let mut watched = Watched::new(3);
        assert_eq!(watched.update(now, 0b001), None);
        now += ms(2_999);
        assert_eq!(watched.update(now, 0b011), None);
        now += ms(1);
        assert_eq!(watched.update(now, 0b001), Some(0b011));
        now += ms(1);
        assert_eq!(watched.update(now, 0b101), Some(0b111));
        now += ms(3_000);
        assert_eq!(watched.update(now, 0), Some(0b101), "the others have just been left");
        now += ms(3_000);
        assert_eq!(watched.update(now, 0), Some(0));
    }
}
