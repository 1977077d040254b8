//! The packets of a report that have arrived (RFC 8888 §3.1), to be looked at in the order of their arrival.
//!
//! A sender has as many estimators as there are paths, and a report on each of them comes twenty times a second. So that
//! what one report takes is on the stack, where it is hot, unless it speaks of more packets than one of a call does.

use super::Arrived;

/// What a report has of 5 Mbit/s.
const FEW: usize = 32;
/// Memory for more is given back after so many reports that had no use for it: some seconds.
const PATIENCE: u8 = 64;

/// Memory for reports on more packets than most speak of, from one report to the next.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    many: Vec<Arrived>,
    /// Reports since one had a use for it.
    unused: u8,
}

#[derive(Default)]
pub(crate) struct Few {
    few: [Arrived; FEW],
    count: usize,
    /// All of them, once there are more.
    many: Vec<Arrived>,
    is_disordered: bool,
    last: (i64, u64),
}

impl Few {
    /// None yet. Memory for many comes back by [`Few::give_back`].
    pub(crate) fn new(spare: &mut Spare) -> Self {
        Self { many: std::mem::take(&mut spare.many), ..Self::default() }
    }

    /// All have been looked at.
    pub(crate) fn give_back(mut self, spare: &mut Spare) {
        let is_used = !self.many.is_empty();
        spare.unused = if is_used { 0 } else { spare.unused.saturating_add(1) };
        if spare.unused < PATIENCE {
            self.many.clear();
            spare.many = self.many;
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, packet: Arrived) {
        let (at, sequence) = self.last;
        let is_later = packet.at > at || packet.at == at && packet.sequence > sequence;
        self.is_disordered |= self.count > 0 && !is_later;
        self.last = (packet.at, packet.sequence);
        match self.few.get_mut(self.count) {
            Some(place) => *place = packet,
            None => self.push_one_more(packet),
        }
        self.count += 1;
    }

    #[cold]
    fn push_one_more(&mut self, packet: Arrived) {
        if self.many.is_empty() {
            self.many.extend_from_slice(&self.few);
        }
        self.many.push(packet);
    }

    /// All of them, as they have arrived.
    pub(crate) fn in_order(&mut self) -> &[Arrived] {
        let all = match self.many.is_empty() {
            true => self.few.get_mut(..self.count).unwrap_or_default(),
            false => self.many.as_mut_slice(),
        };
        if self.is_disordered {
            all.sort_unstable_by_key(|packet| (packet.at, packet.sequence));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(times: impl Iterator<Item = i64>) -> Vec<(i64, u64)> {
        let mut few = Few::new(&mut Spare::default());
        for (at, sequence) in times.zip(0..) {
            few.push(Arrived { at, sequence, sent_at: 0, size: 1 });
        }
        few.in_order().iter().map(|packet| (packet.at, packet.sequence)).collect()
    }

    #[test]
    fn many_and_few_come_in_the_order_of_their_arrival() {
        for count in [0, 1, 5, FEW as i64, FEW as i64 + 1, 100] {
            let expected: Vec<(i64, u64)> = (0..count).zip(0..).collect();
            assert_eq!(sorted(0..count), expected);
            let mut expected: Vec<(i64, u64)> = (-10..count - 10).rev().zip(0..).collect();
            expected.reverse();
            assert_eq!(sorted((-10..count - 10).rev()), expected);
        }
        assert_eq!(sorted([-5, -7, -5].into_iter()), [(-7, 1), (-5, 0), (-5, 2)]);
    }

    #[test]
    fn memory_for_many_is_kept_while_it_is_of_use() {
        let mut spare = Spare::default();
        let mut report = |count: usize| {
            let mut few = Few::new(&mut spare);
            (0..count).for_each(|_| few.push(Arrived::default()));
            assert_eq!(few.in_order().len(), count);
            few.give_back(&mut spare);
            spare.many.capacity()
        };
        assert_eq!(report(FEW), 0);
        let many = report(2 * FEW);
        assert!(many >= 2 * FEW);
        for _ in 1..PATIENCE {
            assert_eq!(report(3), many);
        }
        assert_eq!(report(FEW + 1), many);
        for _ in 1..PATIENCE {
            assert_eq!(report(FEW), many);
        }
        assert_eq!((report(0), report(1)), (0, 0));
    }
}
