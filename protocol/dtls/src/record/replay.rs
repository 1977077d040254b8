//! The window of sequence numbers that were seen: RFC 9147 §4.5.1, after RFC 4303 §3.4.3.

/// Wide enough for the reordering of a fast path: 1,000 datagrams are ten milliseconds at 1 Gbit/s.
const WORDS: usize = 16;
const BITS: u64 = 64 * WORDS as u64;

/// Remembers which of the last numbers came.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReplayWindow {
    /// One more than the highest number; 0 before the first.
    next: u64,
    /// The bit of a number is where it falls in a ring.
    seen: [u64; WORDS],
}

impl ReplayWindow {
    /// One more than the highest number that came.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Whether `number` came before, or is too old to tell.
    pub(crate) fn is_seen(&self, number: u64) -> bool {
        if number >= self.next {
            return false;
        }
        // The oldest word is partly reused.
        if number / 64 + (WORDS as u64) <= (self.next - 1) / 64 {
            return true;
        }
        let (word, bit) = place(number);
        self.seen[word] & bit != 0
    }

    /// Notes a number of a record that was opened.
    pub(crate) fn note(&mut self, number: u64) {
        if number >= self.next {
            let (first, last) = (self.next.div_ceil(64), number / 64);
            if number - self.next >= BITS {
                self.seen = [0; WORDS];
            } else {
                for word in first..=last {
                    self.seen[place(64 * word).0] = 0;
                }
            }
            self.next = number + 1;
        }
        let (word, bit) = place(number);
        self.seen[word] |= bit;
    }
}

fn place(number: u64) -> (usize, u64) {
    let word = usize::try_from(number / 64 % WORDS as u64).unwrap_or(0);
    (word, 1 << (number % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_is_accepted_twice() {
        let mut window = ReplayWindow::default();
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
        let (mut window, mut set) = (ReplayWindow::default(), BTreeSet::new());
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
