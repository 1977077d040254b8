//! The packets of a report that have arrived (RFC 8888 §3.1), to be looked at in the order of their arrival.
//!
//! A sender has as many estimators as there are paths, and a report on each of them comes twenty times a second. So that
//! what one report takes is on the stack, where it is hot, unless it speaks of more packets than one of a call does.

use super::Arrived;

/// What a report has of 5 Mbit/s.
const FEW: usize = 32;

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
    /// None yet. `spare` is memory for many, and comes back by [`Few::spare`].
    pub(crate) fn new(mut spare: Vec<Arrived>) -> Self {
        spare.clear();
        Self { many: spare, ..Self::default() }
    }

    pub(crate) fn spare(self) -> Vec<Arrived> {
        self.many
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
        let mut few = Few::new(vec![Arrived::default()]);
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
}
