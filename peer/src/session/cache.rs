//! Packets of ours that may be asked for again (RFC 4588 §3).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// How long a packet may be asked for again.
const USEFUL: Duration = Duration::from_secs(1);

/// A packet in the clear: its header, with what a forwarder changes of the payload, and the rest of the payload.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) head: Bytes,
    pub(crate) payload: Bytes,
    /// Bytes of `head` that are the header.
    pub(crate) header: usize,
    pub(crate) sent: Option<Instant>,
    /// When it was sent again.
    pub(crate) repaired: Option<Instant>,
}

/// The last packets of a stream, by number.
#[derive(Debug)]
pub(crate) struct Cache {
    first: u64,
    kept: VecDeque<Option<Kept>>,
    most: usize,
}

impl Cache {
    /// Of at most so many packets.
    pub(crate) fn new(most: usize) -> Self {
        Self { first: 0, kept: VecDeque::new(), most }
    }

    /// How many it keeps.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Leaves out those that nobody would have a use for any more.
    pub(crate) fn forget_old(&mut self, now: Instant) {
        let is_old = |kept: &Kept| kept.sent.is_some_and(|sent| now.saturating_duration_since(sent) > USEFUL);
        while self.kept.front().is_some_and(|front| front.as_ref().is_none_or(is_old)) {
            self.kept.pop_front();
            self.first += 1;
        }
    }

    /// Keeps a packet; false where the number is older than any that is kept, or taken.
    pub(crate) fn put(&mut self, number: u64, packet: Kept) -> bool {
        if self.kept.is_empty() || number >= self.end() + self.most as u64 {
            self.kept.clear();
            self.first = number;
        }
        if number < self.first {
            return false;
        }
        while self.end() <= number {
            if self.kept.len() >= self.most {
                self.kept.pop_front();
                self.first += 1;
            }
            self.kept.push_back(None);
        }
        let place = number - self.first;
        match self.kept.get_mut(place as usize) {
            Some(slot @ None) => {
                *slot = Some(packet);
                true
            }
            _ => false,
        }
    }

    fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut Kept> {
        let place = number.checked_sub(self.first)?;
        self.kept.get_mut(usize::try_from(place).ok()?)?.as_mut()
    }

    /// Takes a packet that will not be asked for.
    pub(crate) fn take(&mut self, number: u64) -> Option<Kept> {
        let place = number.checked_sub(self.first)?;
        let kept = self.kept.get_mut(usize::try_from(place).ok()?)?.take();
        while let Some(None) = self.kept.front() {
            self.kept.pop_front();
            self.first += 1;
        }
        kept
    }

    /// Of the last few that were sent the one whose size is nearest to this; none where all are smaller than padding.
    pub(crate) fn newest_sent(&self, size: usize) -> Option<u64> {
        const FEW: usize = 16;
        let places = (self.first..self.end()).rev().zip(self.kept.iter().rev());
        let sent = places.filter_map(|(number, kept)| {
            kept.as_ref().filter(|kept| kept.sent.is_some()).map(|kept| (number, kept))
        });
        let length = |kept: &Kept| kept.head.len() + kept.payload.len();
        let is_large = |(_, kept): &(u64, &Kept)| length(kept) > usize::from(u8::MAX);
        sent.take(FEW)
            .filter(is_large)
            .min_by_key(|(_, kept)| length(kept).abs_diff(size))
            .map(|(number, _)| number)
    }

    /// What a 16-bit number of the peer's means here.
    pub(crate) fn expand(&self, number: rtp::SequenceNumber) -> u64 {
        number.expand(self.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(number: u64) -> Kept {
        let head = Bytes::copy_from_slice(&number.to_be_bytes());
        Kept { head, payload: Bytes::new(), header: 8, sent: None, repaired: None }
    }

    #[test]
    fn the_last_ones_are_kept_whatever_their_order() {
        let mut cache = Cache::new(4);
        for number in [100, 102, 101, 104] {
            assert!(cache.put(number, kept(number)), "{number}");
        }
        assert!(!cache.put(104, kept(104)), "it is there");
        assert!(cache.get_mut(100).is_none(), "four numbers: 101 to 104");
        assert!(cache.get_mut(103).is_none());
        assert!(cache.put(103, kept(103)));
        assert!(!cache.put(99, kept(99)), "too old");
        assert_eq!(cache.get_mut(101).map(|kept| kept.head.clone()), Some(kept(101).head));
        assert!(cache.put(500, kept(500)), "a jump begins anew");
        assert!(cache.get_mut(104).is_none() && cache.get_mut(500).is_some());
    }

    #[test]
    fn what_is_taken_leaves_no_room_behind() {
        let mut cache = Cache::new(1_000);
        for number in 0..10_000 {
            assert!(cache.put(number, kept(number)));
            assert!(cache.take(number).is_some());
            assert!(cache.take(number).is_none());
        }
        assert!(cache.kept.is_empty());
        assert_eq!(cache.newest_sent(100), None);
    }
}
