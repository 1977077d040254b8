//! Packets of ours that wait to be sent, or may be asked for again (RFC 4588 §3).
//!
//! A server has these for each of its viewers, and they are most of what it keeps of one. Payloads are shared by all of
//! them. What is a viewer's own is what headers are made from when they are written; the headers themselves are kept where
//! something is in them that their owner has put there, one behind another in a ring.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtp::{PayloadType, Timestamp};

use self::ring::{PIECE, Ring};
use super::sending::Prefix;

mod ring;

/// How long a packet may be asked for again: for three round trips and the time that it takes to be missed, but not less than
/// this, nor more.
const LEAST_USEFUL: Duration = Duration::from_millis(500);
const MOST_USEFUL: Duration = Duration::from_secs(2);
const NOTICED: Duration = Duration::from_millis(200);

/// Bytes of a header that has a transport-wide number and nothing else.
const BARE: usize = 20;

/// Packets for which there is always room, once there was.
const NARROW: usize = 64;

/// Once for so many packets it is looked whether there is too much room.
const SELDOM: u64 = 64;

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
        Duration::from_millis(u64::from(self.millis_since(earlier)))
    }

    fn millis_since(self, earlier: Self) -> u32 {
        self.0.get().wrapping_sub(earlier.0.get())
    }
}

/// A packet in the clear: all of it in one line of the processor's caches, as it is put where one is that has been there for
/// long.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Kept {
    /// All but the first bytes.
    pub(crate) payload: Bytes,
    /// The first.
    pub(crate) prefix: Prefix,
    pub(crate) timestamp: Timestamp,
    pub(crate) sent: Option<Moment>,
    /// When it was sent again.
    repaired: Option<Moment>,
    /// Whether it waits to be.
    waits_again: bool,
    /// Where its header is, if that is kept. Counted from the first that there ever were, wrapping around.
    at: u32,
    length: u16,
    pub(crate) payload_type: PayloadType,
    pub(crate) marker: bool,
}

impl Kept {
    /// A packet of which no header is kept yet.
    pub(crate) fn new(packet: super::OutgoingPacket, sent: Option<Moment>) -> Self {
        Self {
            payload: packet.payload,
            prefix: packet.prefix,
            timestamp: packet.timestamp,
            sent,
            repaired: None,
            waits_again: false,
            at: 0,
            length: 0,
            payload_type: packet.payload_type,
            marker: packet.marker,
        }
    }

    /// Whether it may be sent again, where an answer takes so long: it has left, and is not under way.
    pub(crate) fn may_leave_again(&self, now: Moment, round_trip: Duration) -> bool {
        let is_under_way = self.repaired.is_some_and(|last| now.since(last) < round_trip);
        self.sent.is_some() && !self.waits_again && !is_under_way
    }

    /// It waits to be sent again.
    pub(crate) fn wait_again(&mut self) {
        self.waits_again = true;
    }

    /// It is sent again.
    pub(crate) fn leaves_again(&mut self, now: Moment) {
        (self.repaired, self.waits_again) = (Some(now), false);
    }

    /// Where its header is, and how long.
    fn head(&self) -> (u32, u16) {
        (self.at, self.length)
    }

    /// Bytes of all of it, about.
    pub(crate) fn len(&self) -> usize {
        BARE.max(usize::from(self.length)) + self.prefix.len() + self.payload.len()
    }
}

/// The last packets of a stream, by number.
#[derive(Debug)]
pub(crate) struct Cache {
    first: u64,
    kept: Ring,
    /// Headers, in the order in which they came, and where the first is.
    heads: VecDeque<u8>,
    begin: u32,
    most: usize,
    /// Milliseconds.
    useful: u32,
}

impl Cache {
    /// Of at most so many packets.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            first: 0,
            kept: Ring::default(),
            heads: VecDeque::new(),
            begin: 0,
            most,
            useful: LEAST_USEFUL.as_millis() as u32,
        }
    }

    /// A question takes so long, and its answer.
    pub(crate) fn set_round_trip(&mut self, round_trip: Duration) {
        self.useful = (3 * round_trip + NOTICED).clamp(LEAST_USEFUL, MOST_USEFUL).as_millis() as u32;
    }

    /// How many it keeps.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Makes room for one more.
    #[inline]
    fn make_room(&mut self, now: Moment) {
        if self.kept.len() >= self.most {
            self.forget_first();
        }
        if !self.kept.has_room() {
            self.turn(now);
        }
    }

    /// Makes room in the place of what nobody would have a use for any more, if there is any.
    #[cold]
    fn turn(&mut self, now: Moment) {
        let useful = self.useful;
        let is_old = |kept: &Kept| kept.sent.is_some_and(|sent| now.millis_since(sent) > useful);
        // The newest says no at once, mostly; and all of them are about to be written over.
        let is_over = |piece: Option<&[Option<Kept>]>| {
            piece.is_some_and(|piece| piece.iter().rev().flatten().all(is_old))
        };
        if is_over(self.kept.full(0)) {
            self.forget_heads();
            self.first += self.kept.turn() as u64;
        }
        // There are more than are needed: they were made for a jam that has passed. To look at them each time would be to fetch
        // them from memory, and one that is left over will be needed with the next burst.
        if self.first % SELDOM < PIECE as u64 && self.kept.capacity() > NARROW && is_over(self.kept.full(1)) {
            while self.kept.capacity() > NARROW && is_over(self.kept.full(1)) {
                self.forget_heads();
                self.first += self.kept.narrow() as u64;
            }
            self.heads.shrink_to(self.heads.len() + self.heads.len() / 4);
        }
        if !self.kept.has_room() {
            self.kept.widen();
        }
    }

    /// Forgets headers of the oldest packets, which are about to go.
    fn forget_heads(&mut self) {
        if self.heads.is_empty() {
            return;
        }
        let oldest = self.kept.full(0).unwrap_or_default();
        let last = oldest.iter().rev().flatten().find(|kept| kept.length > 0).map(Kept::head);
        last.into_iter().for_each(|last| self.forget_head(last));
    }

    fn forget_first(&mut self) {
        if self.kept.is_empty() {
            return;
        }
        self.first += 1;
        if let Some(gone) = self.kept.pop() {
            self.forget_head(gone.head());
        }
    }

    /// Leaves out a header, and those that came before it: packets leave in the order in which they came.
    fn forget_head(&mut self, (at, length): (u32, u16)) {
        if length == 0 {
            return;
        }
        let end = at.wrapping_sub(self.begin) as usize + usize::from(length);
        if end <= self.heads.len() {
            self.heads.drain(..end);
            self.begin = self.begin.wrapping_add(end as u32);
        }
    }

    /// Keeps a packet, and its header where that has something that cannot be made again; false where the number is older
    /// than any that is kept, or taken, or the header is longer than a datagram.
    pub(crate) fn put(&mut self, now: Moment, number: u64, mut packet: Kept, head: &[u8]) -> bool {
        let Ok(length) = u16::try_from(head.len()) else { return false };
        if self.kept.is_empty() || number >= self.end() + self.most as u64 {
            self.clear();
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
            if self.end() == number {
                self.keep_head(&mut packet, head, length);
                self.kept.push(Some(packet));
                return true;
            }
            self.kept.push(None);
        }
        let place = (number - self.first) as usize;
        let Some(None) = self.kept.get(place) else { return false };
        self.keep_head(&mut packet, head, length);
        if let Some(slot) = self.kept.get_mut(place) {
            *slot = Some(packet);
        }
        true
    }

    #[inline]
    fn keep_head(&mut self, packet: &mut Kept, head: &[u8], length: u16) {
        if length > 0 {
            (packet.at, packet.length) = (self.begin.wrapping_add(self.heads.len() as u32), length);
            grow(&mut self.heads, head.len());
            self.heads.extend(head);
        }
    }

    /// Whether a number is older than any that is kept.
    pub(crate) fn is_behind(&self, number: u64) -> bool {
        number < self.first
    }

    /// The number behind the last.
    pub(crate) fn end(&self) -> u64 {
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

    /// A packet; its header is appended to a buffer, where it is kept.
    pub(crate) fn read(&self, number: u64, buffer: &mut Vec<u8>) -> Option<&Kept> {
        let kept = self.get(number)?;
        if kept.length == 0 {
            return Some(kept);
        }
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
            self.forget_head(gone.head());
        }
        while let Some(None) = self.kept.get(0) {
            self.kept.pop();
            self.first += 1;
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.first = self.end();
        if !self.kept.is_empty() {
            self.kept.clear();
        }
        self.begin = self.begin.wrapping_add(self.heads.len() as u32);
        self.heads.clear();
    }

    /// Of the last few that were sent the one whose size is nearest to this; none where all are smaller than padding, or much
    /// larger than this: a probe is of so many packets.
    pub(crate) fn newest_sent(&self, size: usize) -> Option<u64> {
        const FEW: usize = 16;
        let places = (self.first..self.end()).rev().zip(self.kept.newest_first());
        let sent = places.filter_map(|(number, kept)| {
            kept.as_ref().filter(|kept| kept.sent.is_some()).map(|kept| (number, kept))
        });
        let sizes = usize::from(u8::MAX)..=(size + size / 4).max(usize::from(u8::MAX));
        sent.take(FEW)
            .filter(|(_, kept)| sizes.contains(&kept.len()))
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

    fn packet(payload: &'static [u8], sent: Option<Moment>) -> Kept {
        let packet = super::super::OutgoingPacket {
            payload_type: PayloadType::new(96).unwrap(),
            marker: false,
            timestamp: Timestamp(0),
            sequence_number: None,
            prefix: Prefix::default(),
            payload: Bytes::from_static(payload),
        };
        Kept::new(packet, sent)
    }

    fn put(cache: &mut Cache, number: u64) -> bool {
        cache.put(at(0), number, packet(&[], None), &number.to_be_bytes())
    }

    fn head(cache: &Cache, number: u64) -> Option<Vec<u8>> {
        let mut head = Vec::new();
        cache.read(number, &mut head).map(Kept::len)?;
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
    fn what_may_be_asked_for_takes_little_room() {
        assert_eq!(size_of::<Option<Kept>>(), 64);
        let mut cache = Cache::new(1_024);
        // Beyond the wrapping around of where headers are.
        cache.begin = u32::MAX - 1_000;
        for number in 0..10_000_u64 {
            let head = [&[0; 22], number.to_be_bytes().as_slice()].concat();
            let sent = at(number * 3);
            assert!(cache.put(sent, number, packet(&[7; 100], Some(sent)), &head));
            let oldest = number.saturating_sub(500 / 3);
            assert_eq!(self::head(&cache, oldest).unwrap()[22..], oldest.to_be_bytes());
        }
        let (kept, heads) = (cache.kept.capacity(), cache.heads.capacity());
        assert!(kept < 230 && heads < 280 * 30, "{kept}, {heads}");
    }

    #[test]
    fn what_a_long_way_needs_is_kept_longer() {
        let mut cache = Cache::new(1_024);
        let mut kept = |round_trip: u64, number: u64| {
            cache.set_round_trip(Duration::from_millis(round_trip));
            for number in number..number + 1_000 {
                let sent = at(number * 10);
                assert!(cache.put(sent, number, packet(&[], Some(sent)), &[]));
            }
            cache.kept.len()
        };
        // There is always room for a few.
        assert!(kept(10, 0) < 80);
        assert!((100..150).contains(&kept(300, 1_000)));
        assert!((190..260).contains(&kept(5_000, 2_000)), "two seconds");
    }

    #[test]
    fn each_number_has_its_own_packet_or_none() {
        let mut cache = Cache::new(256);
        let (mut random, mut next, mut known) = (1_u32, 1_000_u64, std::collections::BTreeMap::new());
        for millis in (0..60_000).step_by(3) {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let sent = at(millis);
            let number = match random >> 24 {
                // Some are missing, and some come late.
                0..16 => next + 5,
                16..32 => next.saturating_sub(20),
                32..34 => next + 300,
                _ => next,
            };
            let head = [&number.to_be_bytes()[..], &[0; 9][..(random >> 28) as usize % 10]].concat();
            let head = if number >= next && random & 1 << 20 == 0 { &head[..] } else { &[] };
            if cache.put(sent, number, packet(&[7; 50], Some(sent)), head) {
                known.insert(number, (millis, head.to_vec()));
            }
            next = next.max(number + 1);
            known.retain(|number, (since, _)| millis - *since <= 500 && number + 256 > next);
            for (number, (_, expected)) in known.iter().step_by(7) {
                assert_eq!(self::head(&cache, *number).as_ref(), Some(expected), "{number} at {millis}");
            }
            assert!(cache.get_mut(next).is_none() && cache.get_mut(next.saturating_sub(600)).is_none());
        }
        assert!(!known.is_empty());
    }

    #[test]
    fn a_jam_leaves_no_room_behind() {
        (0..PIECE as u64).for_each(a_jam_leaves_no_room_behind_from);
    }

    fn a_jam_leaves_no_room_behind_from(mut number: u64) {
        let mut cache = Cache::new(1_024);
        let mut second = |cache: &mut Cache, from: u64, count: u64| {
            for place in 0..count {
                let sent = at(from + place * 1_000 / count);
                assert!(cache.put(sent, number, packet(&[], Some(sent)), &[0; 30]));
                number += 1;
            }
        };
        second(&mut cache, 0, 2_000);
        assert!(cache.kept.capacity() >= 900);
        for from in 1..15 {
            second(&mut cache, from * 1_000, 200);
        }
        assert!(cache.kept.capacity() < 250, "{}", cache.kept.capacity());
        assert!(cache.heads.capacity() < 250 * 30, "{}", cache.heads.capacity());
    }

    #[test]
    fn moments_count_milliseconds() {
        assert_eq!(at(1_500).since(at(20)), Duration::from_millis(1_480));
        let weeks = u64::from(u32::MAX);
        assert_eq!(at(weeks + 11).since(at(weeks - 10)), Duration::from_millis(21));
    }
}
