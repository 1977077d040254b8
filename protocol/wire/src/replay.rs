//! The window of numbers that were seen: RFC 4303 §3.4.3, which RFC 9147 §4.5.1 and RFC 3711 §3.3.2 refer to.

/// Remembers which of the last `64 * (WORDS - 1)` numbers came, and some more.
///
/// ```
/// let mut window = twocan_wire::ReplayWindow::<2>::new();
/// window.note(7);
/// assert!(window.is_seen(7) && !window.is_seen(6) && !window.is_seen(8));
/// ```
#[derive(Clone, Debug)]
pub struct ReplayWindow<const WORDS: usize> {
    /// One more than the highest number; 0 before the first.
    next: u64,
    /// The bit of a number is where it falls in a ring.
    seen: [u64; WORDS],
}

impl<const WORDS: usize> Default for ReplayWindow<WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const WORDS: usize> ReplayWindow<WORDS> {
    /// Nothing came yet.
    pub const fn new() -> Self {
        Self { next: 0, seen: [0; WORDS] }
    }

    /// One more than the highest number that came; 0 before the first.
    #[inline]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Whether `number` came before, or is too old to tell.
    #[inline]
    pub const fn is_seen(&self, number: u64) -> bool {
        if number >= self.next {
            return false;
        }
        // The oldest word is partly reused.
        if number / 64 + (WORDS as u64) <= (self.next - 1) / 64 {
            return true;
        }
        let (word, bit) = Self::place(number);
        self.seen[word] & bit != 0
    }

    /// Notes a number of something authentic; at most 2^64 - 2.
    #[inline]
    pub fn note(&mut self, number: u64) {
        if number >= self.next {
            let (first, last) = (self.next.div_ceil(64), number / 64);
            if number - self.next >= 64 * WORDS as u64 {
                self.seen = [0; WORDS];
            } else {
                for word in first..=last {
                    self.seen[Self::place(64 * word).0] = 0;
                }
            }
            self.next = number + 1;
        }
        let (word, bit) = Self::place(number);
        self.seen[word] |= bit;
    }

    #[inline]
    const fn place(number: u64) -> (usize, u64) {
        ((number / 64 % WORDS as u64) as usize, 1 << (number % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_is_accepted_twice() {
        let mut window = ReplayWindow::<16>::new();
        assert!(!window.is_seen(0));
        window.note(0);
        assert!(window.is_seen(0));
        window.note(5);
        assert!(!window.is_seen(3));
        window.note(3);
        assert!(window.is_seen(3) && window.is_seen(5) && !window.is_seen(4));
        window.note(100_000);
        assert!(window.is_seen(4), "too old to tell");
        assert!(!window.is_seen(99_999));
    }

    #[test]
    fn it_agrees_with_a_set() {
        let (mut window, mut set) = (ReplayWindow::<16>::new(), BTreeSet::new());
        let mut state = 7_u64;
        for step in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = (step / 2 + (state >> 33) % 700).saturating_sub(300);
            let is_recent = number + 900 >= window.next();
            if is_recent {
                assert_eq!(window.is_seen(number), set.contains(&number), "{number} at {}", window.next());
            } else if set.contains(&number) {
                assert!(window.is_seen(number));
            }
            if !window.is_seen(number) {
                window.note(number);
                set.insert(number);
            }
        }
    }
}
