//! A bitmap over serial numbers that moves with its lower end: which TSNs arrived, or were acknowledged,
//! behind a gap (RFC 9260 §3.3.4).

use std::collections::VecDeque;

const WORD: u64 = 64;

/// Bits of a window of numbers. Memory: a bit for each number between the lowest and the highest.
#[derive(Debug, Default)]
pub(crate) struct Bits {
    words: VecDeque<u64>,
    /// The number of the first bit of `words[0]`, divided by 64.
    first: u64,
    count: usize,
}

impl Bits {
    /// How many bits are set.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    #[inline]
    pub(crate) fn contains(&self, number: u64) -> bool {
        let Some(index) = (number / WORD).checked_sub(self.first) else { return false };
        self.word(index) & (1 << (number % WORD)) != 0
    }

    /// Sets the bit; whether it was not set before. Numbers below the lower end must not be given.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        let word = self.word_mut(number / WORD);
        let mask = 1 << (number % WORD);
        let is_new = *word & mask == 0;
        *word |= mask;
        self.count += usize::from(is_new);
        is_new
    }

    /// Sets the bits from `start` to `end`, both included, and calls `found` for each that was not set
    /// before. The time it takes goes with what is new, and with a sixty-fourth of the range.
    pub(crate) fn insert_range(&mut self, start: u64, end: u64, mut found: impl FnMut(u64)) {
        let mut number = start;
        while number <= end {
            let index = number / WORD;
            let last = end.min(index * WORD + (WORD - 1));
            let mask = (u64::MAX >> (WORD - 1 - (last - number))) << (number % WORD);
            let word = self.word_mut(index);
            let mut new = mask & !*word;
            *word |= mask;
            self.count += new.count_ones() as usize;
            while new != 0 {
                found(index * WORD + u64::from(new.trailing_zeros()));
                new &= new - 1;
            }
            number = last + 1;
        }
    }

    /// Forgets every number below `lowest`.
    pub(crate) fn advance(&mut self, lowest: u64) {
        let target = lowest / WORD;
        while self.first < target {
            let Some(word) = self.words.pop_front() else {
                self.first = target;
                return;
            };
            self.first += 1;
            self.count -= word.count_ones() as usize;
        }
        if self.first == target
            && let Some(word) = self.words.front_mut()
        {
            let below = *word & !(u64::MAX << (lowest % WORD));
            *word &= !below;
            self.count -= below.count_ones() as usize;
        }
        if self.count == 0 {
            self.words.clear();
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.count = 0;
    }

    /// The first number at or above `from` whose bit is not set.
    pub(crate) fn first_clear(&self, from: u64) -> u64 {
        let mut number = from;
        loop {
            let Some(index) = (number / WORD).checked_sub(self.first) else { return number };
            let clear = !self.word(index) >> (number % WORD);
            if clear != 0 {
                return number + u64::from(clear.trailing_zeros());
            }
            number = (number / WORD + 1) * WORD;
        }
    }

    /// The first number at or above `from` whose bit is set.
    pub(crate) fn first_set(&self, from: u64) -> Option<u64> {
        let mut number = from.max(self.first * WORD);
        loop {
            let index = number / WORD - self.first;
            let word = *self.words.get(usize::try_from(index).ok()?)?;
            let set = word >> (number % WORD);
            if set != 0 {
                return Some(number + u64::from(set.trailing_zeros()));
            }
            number = (number / WORD + 1) * WORD;
        }
    }

    /// Gives back memory that a window of the past needed.
    pub(crate) fn shrink(&mut self) {
        self.words.shrink_to_fit();
    }

    fn word(&self, index: u64) -> u64 {
        usize::try_from(index).ok().and_then(|index| self.words.get(index)).copied().unwrap_or(0)
    }

    fn word_mut(&mut self, index: u64) -> &mut u64 {
        if self.words.is_empty() {
            self.first = index;
        }
        while index < self.first {
            self.words.push_front(0);
            self.first -= 1;
        }
        let position = usize::try_from(index - self.first).unwrap_or(usize::MAX);
        if position >= self.words.len() {
            self.words.resize(position + 1, 0);
        }
        &mut self.words[position]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_does_what_a_set_does(
            operations in prop::collection::vec((0u8..4, 0u64..600, 0u64..130), 1..200)
        ) {
            let (mut bits, mut model, mut lowest) = (Bits::default(), BTreeSet::new(), 1000);
            for (operation, number, length) in operations {
                let number = number + lowest;
                match operation {
                    0 => prop_assert_eq!(bits.insert(number), model.insert(number)),
                    1 => {
                        let mut found = Vec::new();
                        bits.insert_range(number, number + length, |number| found.push(number));
                        let new: Vec<u64> =
                            (number..=number + length).filter(|number| model.insert(*number)).collect();
                        prop_assert_eq!(found, new);
                    }
                    2 => {
                        lowest += length / 4;
                        bits.advance(lowest);
                        model.retain(|number| *number >= lowest);
                    }
                    _ => {
                        prop_assert_eq!(bits.contains(number), model.contains(&number));
                        let clear = (number..).find(|number| !model.contains(number)).unwrap();
                        prop_assert_eq!(bits.first_clear(number), clear);
                        prop_assert_eq!(bits.first_set(number), model.range(number..).next().copied());
                    }
                }
                prop_assert_eq!(bits.count(), model.len());
            }
        }
    }
}
