//! Packets of ours that wait to be sent, or may be asked for again (RFC 4588 §3).
//!
//! A server has a second of packets for each of its viewers, which is most of what it keeps of one. Payloads are shared by
//! all of them; what is a viewer's own, a header and a few bytes of payload, lies one behind another in a ring.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// How long a packet may be asked for again.
const USEFUL: Duration = Duration::from_secs(1);

/// Packets for which there is always room, once there was.
const NARROW: usize = 64;

/// A time, in milliseconds since a beginning: in four bytes, "never" included. They begin anew after seven weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(NonZeroU32);

impl Moment {
    pub(crate) fn new(start: Instant, now: Instant) -> Self {
        let since = now.saturating_duration_since(start);
        let millis = (since.as_secs() as u32).wrapping_mul(1000).wrapping_add(since.subsec_millis());
        Self(NonZeroU32::new(millis).unwrap_or(NonZeroU32::MIN))
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::from(self.0.get().wrapping_sub(earlier.0.get())))
    }
}

/// A packet in the clear.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// All but the first bytes.
    pub(crate) payload: Bytes,
    /// Where the first bytes are: the header, with what a forwarder changes of the payload. Counted from the first that
    /// there ever were, wrapping around.
    at: u32,
    length: u16,
    /// Bytes of them that are the header.
    pub(crate) header: u16,
    pub(crate) sent: Option<Moment>,
    /// When it was sent again.
    pub(crate) repaired: Option<Moment>,
}

impl Kept {
    /// Bytes of all of it.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.length) + self.payload.len()
    }
}

/// The last packets of a stream, by number.
#[derive(Debug)]
pub(crate) struct Cache {
    first: u64,
    kept: VecDeque<Option<Kept>>,
    /// Headers, in the order in which they came, and where the first is.
    heads: VecDeque<u8>,
    begin: u32,
    most: usize,
}

impl Cache {
    /// Of at most so many packets.
    pub(crate) fn new(most: usize) -> Self {
        Self { first: 0, kept: VecDeque::new(), heads: VecDeque::new(), begin: 0, most }
    }

    /// How many it keeps.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Makes room for one more, in the place of one that nobody would have a use for any more, if there is any: it is looked
    /// at when its place is needed, so that both are fetched from memory at once.
    fn make_room(&mut self, now: Moment) {
        let is_old = |kept: &Kept| kept.sent.is_some_and(|sent| now.since(sent) > USEFUL);
        let most = self.most;
        let is_full = |kept: &VecDeque<_>| kept.len() >= kept.capacity().min(most);
        // More than half is too old: it was made for a jam that has passed.
        let middle = self.kept.get(self.kept.len() / 2).and_then(Option::as_ref);
        let is_wide = self.kept.len() > NARROW && is_full(&self.kept) && middle.is_some_and(is_old);
        while (is_wide || is_full(&self.kept))
            && self.kept.front().is_some_and(|front| front.as_ref().is_none_or(is_old))
        {
            self.forget_first();
        }
        if is_wide {
            self.kept.shrink_to(self.kept.len() + self.kept.len() / 4);
            self.heads.shrink_to(self.heads.len() + self.heads.len() / 4);
        }
        if self.kept.len() >= self.most {
            self.forget_first();
        }
        grow(&mut self.kept, 1);
    }

    fn forget_first(&mut self) {
        if let Some(gone) = self.kept.pop_front() {
            self.first += 1;
            gone.into_iter().for_each(|gone| self.forget_head(&gone));
        }
    }

    /// Leaves out a header, and those that came before it: packets leave in the order in which they came.
    fn forget_head(&mut self, gone: &Kept) {
        let end = gone.at.wrapping_sub(self.begin) as usize + usize::from(gone.length);
        if end <= self.heads.len() {
            self.heads.drain(..end);
            self.begin = self.begin.wrapping_add(end as u32);
        }
    }

    /// Keeps a packet, of whose first bytes so many are its header; false where the number is older than any that is kept,
    /// or taken, or there are more first bytes than a datagram has.
    pub(crate) fn put(
        &mut self,
        now: Moment,
        number: u64,
        (head, header): (&[u8], usize),
        payload: Bytes,
    ) -> bool {
        let (Ok(length), Ok(header)) = (u16::try_from(head.len()), u16::try_from(header)) else {
            return false;
        };
        if self.kept.is_empty() || number >= self.end() + self.most as u64 {
            self.kept.clear();
            self.begin = self.begin.wrapping_add(self.heads.len() as u32);
            self.heads.clear();
            self.first = number;
        }
        if number < self.first {
            return false;
        }
        while self.end() <= number {
            self.make_room(now);
            if self.kept.is_empty() {
                self.first = number;
            }
            self.kept.push_back(None);
        }
        let place = number - self.first;
        let Some(slot @ None) = self.kept.get_mut(place as usize) else { return false };
        let at = self.begin.wrapping_add(self.heads.len() as u32);
        grow(&mut self.heads, head.len());
        self.heads.extend(head);
        *slot = Some(Kept { payload, at, length, header, sent: None, repaired: None });
        true
    }

    fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn get(&self, number: u64) -> Option<&Kept> {
        let place = number.checked_sub(self.first)?;
        self.kept.get(usize::try_from(place).ok()?)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut Kept> {
        let place = number.checked_sub(self.first)?;
        self.kept.get_mut(usize::try_from(place).ok()?)?.as_mut()
    }

    /// Appends a packet's first bytes to a buffer; the packet.
    pub(crate) fn copy_head(&self, number: u64, buffer: &mut Vec<u8>) -> Option<&Kept> {
        let kept = self.get(number)?;
        let start = kept.at.wrapping_sub(self.begin) as usize;
        let end = start + usize::from(kept.length);
        let (one, other) = self.heads.as_slices();
        if let Some(bytes) = one.get(start..end) {
            buffer.extend_from_slice(bytes);
        } else if end <= self.heads.len() {
            buffer.extend_from_slice(one.get(start..).unwrap_or_default());
            buffer.extend_from_slice(other.get(start.saturating_sub(one.len())..end - one.len())?);
        } else {
            return None;
        }
        Some(kept)
    }

    /// Forgets a packet that has left and will not be asked for.
    pub(crate) fn forget(&mut self, number: u64) {
        let Some(place) = number.checked_sub(self.first).and_then(|place| usize::try_from(place).ok()) else {
            return;
        };
        if let Some(gone) = self.kept.get_mut(place).and_then(Option::take) {
            self.forget_head(&gone);
        }
        while let Some(None) = self.kept.front() {
            self.kept.pop_front();
            self.first += 1;
        }
    }

    /// Of the last few that were sent the one whose size is nearest to this; none where all are smaller than padding.
    pub(crate) fn newest_sent(&self, size: usize) -> Option<u64> {
        const FEW: usize = 16;
        let places = (self.first..self.end()).rev().zip(self.kept.iter().rev());
        let sent = places.filter_map(|(number, kept)| {
            kept.as_ref().filter(|kept| kept.sent.is_some()).map(|kept| (number, kept))
        });
        let is_large = |(_, kept): &(u64, &Kept)| kept.len() > usize::from(u8::MAX);
        sent.take(FEW)
            .filter(is_large)
            .min_by_key(|(_, kept)| kept.len().abs_diff(size))
            .map(|(number, _)| number)
    }

    /// What a 16-bit number of the peer's means here.
    pub(crate) fn expand(&self, number: rtp::SequenceNumber) -> u64 {
        number.expand(self.end())
    }
}

/// Makes room for `more`, a quarter at a time: doubling would leave half of it empty on average.
fn grow<T>(queue: &mut VecDeque<T>, more: usize) {
    if queue.len() + more > queue.capacity() {
        queue.reserve_exact(more.max(queue.capacity() / 4).max(16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cache: &mut Cache, number: u64) -> bool {
        cache.put(at(0), number, (&number.to_be_bytes(), 8), Bytes::new())
    }

    fn head(cache: &Cache, number: u64) -> Option<Vec<u8>> {
        let mut head = Vec::new();
        cache.copy_head(number, &mut head).map(Kept::len)?;
        Some(head)
    }

    #[test]
    fn the_last_ones_are_kept_whatever_their_order() {
        let mut cache = Cache::new(4);
        for number in [100, 102, 101, 104] {
            assert!(put(&mut cache, number), "{number}");
        }
        assert!(!put(&mut cache, 104), "it is there");
        assert!(cache.get_mut(100).is_none(), "four numbers: 101 to 104");
        assert!(cache.get_mut(103).is_none());
        assert!(put(&mut cache, 103));
        assert!(!put(&mut cache, 99), "too old");
        for number in 101..=104_u64 {
            assert_eq!(head(&cache, number), Some(number.to_be_bytes().to_vec()));
        }
        assert!(put(&mut cache, 500), "a jump begins anew");
        assert!(cache.get_mut(104).is_none() && head(&cache, 500).is_some());
    }

    #[test]
    fn what_is_forgotten_leaves_no_room_behind() {
        let mut cache = Cache::new(1_000);
        for number in 0..10_000 {
            assert!(put(&mut cache, number));
            assert!(head(&cache, number).is_some());
            cache.forget(number);
            assert_eq!(head(&cache, number), None);
            cache.forget(number);
        }
        assert!(cache.kept.is_empty() && cache.heads.is_empty());
        assert_eq!(cache.newest_sent(100), None);
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
    fn at(millis: u64) -> Moment {
        let start = Instant::now();
        Moment::new(start, start + Duration::from_millis(millis))
    }

    #[test]
    fn a_second_of_packets_takes_little_room() {
        assert_eq!(size_of::<Option<Kept>>(), 48);
        let mut cache = Cache::new(1_024);
        // Beyond the wrapping around of where headers are.
        cache.begin = u32::MAX - 1_000;
        for number in 0..10_000_u64 {
            let head = [&[0; 22], number.to_be_bytes().as_slice()].concat();
            assert!(cache.put(at(number * 3), number, (&head, 30), Bytes::from_static(&[7; 100])));
            if let Some(kept) = cache.get_mut(number) {
                kept.sent = Some(at(number * 3));
            }
            let oldest = number.saturating_sub(1_000 / 3);
            assert_eq!(self::head(&cache, oldest).unwrap()[22..], oldest.to_be_bytes());
        }
        let (kept, heads) = (cache.kept.capacity(), cache.heads.capacity());
        assert!(kept < 450 && heads < 560 * 30, "{kept}, {heads}");
    }

    #[test]
    fn a_jam_leaves_no_room_behind() {
        let mut cache = Cache::new(1_024);
        let mut number = 0;
        let mut second = |cache: &mut Cache, from: u64, count: u64| {
            for place in 0..count {
                assert!(cache.put(at(from + place * 1_000 / count), number, (&[0; 30], 30), Bytes::new()));
                if let Some(kept) = cache.get_mut(number) {
                    kept.sent = Some(at(from + place * 1_000 / count));
                }
                number += 1;
            }
        };
        second(&mut cache, 0, 1_000);
        assert!(cache.kept.capacity() >= 1_000);
        for from in 1..15 {
            second(&mut cache, from * 1_000, 200);
        }
        assert!(cache.kept.capacity() < 500, "{}", cache.kept.capacity());
        assert!(cache.heads.capacity() < 500 * 30, "{}", cache.heads.capacity());
    }

    #[test]
    fn moments_count_milliseconds() {
        assert_eq!(at(1_500).since(at(20)), Duration::from_millis(1_480));
        let weeks = u64::from(u32::MAX);
        assert_eq!(at(weeks + 11).since(at(weeks - 10)), Duration::from_millis(21));
    }
}
