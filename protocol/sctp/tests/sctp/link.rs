//! One direction of a path: a bottleneck with a buffer, then a delay; seeded loss, reordering, duplication.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// What a direction does to packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// Bytes a second; zero: no bottleneck.
    pub(crate) rate: u64,
    pub(crate) delay: Duration,
    /// Bytes that wait at the bottleneck at most.
    pub(crate) buffer: u64,
    /// Of a million packets.
    pub(crate) loss: u64,
    pub(crate) duplication: u64,
    /// Of a million packets, those that take up to `reordering_delay` longer.
    pub(crate) reordering: u64,
    pub(crate) reordering_delay: Duration,
    /// Larger packets vanish.
    pub(crate) mtu: usize,
    /// When nothing passes.
    pub(crate) outage: Option<Outage>,
}

/// A time in which a direction carries nothing, counted from its first packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) from: Duration,
    pub(crate) lasting: Duration,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            rate: 0,
            delay: Duration::from_millis(10),
            buffer: 1 << 40,
            loss: 0,
            duplication: 0,
            reordering: 0,
            reordering_delay: Duration::ZERO,
            mtu: 65_535,
            outage: None,
        }
    }
}

impl Conditions {
    /// A bottleneck of this many Mbit/s whose buffer is one bandwidth-delay product of a path with this
    /// round trip.
    pub(crate) fn bottleneck(megabits: u64, round_trip: Duration) -> Self {
        let rate = megabits * 125_000;
        let product = rate * u64::try_from(round_trip.as_micros()).unwrap() / 1_000_000;
        Self { rate, delay: round_trip / 2, buffer: product.max(6000), ..Self::default() }
    }
}

/// A direction of a path.
pub(crate) struct Link {
    pub(crate) conditions: Conditions,
    random: u64,
    first_sent: Option<Instant>,
    /// When the bottleneck has sent all that waits.
    busy_until: Option<Instant>,
    on_the_way: BinaryHeap<Reverse<(Instant, u64, usize)>>,
    packets: Vec<Vec<u8>>,
    free: Vec<usize>,
    count: u64,
    pub(crate) dropped: u64,
}

impl Link {
    pub(crate) fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            random: seed,
            first_sent: None,
            busy_until: None,
            on_the_way: BinaryHeap::new(),
            packets: Vec::new(),
            free: Vec::new(),
            count: 0,
            dropped: 0,
        }
    }

    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn happens(&mut self, of_a_million: u64) -> bool {
        of_a_million > 0 && self.random() % 1_000_000 < of_a_million
    }

    pub(crate) fn send(&mut self, now: Instant, packet: &[u8]) {
        self.count += 1;
        let since = now - *self.first_sent.get_or_insert(now);
        let is_out = self
            .conditions
            .outage
            .is_some_and(|outage| since >= outage.from && since < outage.from + outage.lasting);
        if is_out || packet.len() > self.conditions.mtu || self.happens(self.conditions.loss) {
            self.dropped += 1;
            return;
        }
        let mut arrival = now;
        if self.conditions.rate > 0 {
            let start = self.busy_until.map_or(now, |busy| busy.max(now));
            let waiting = (start - now).as_nanos() as u64 * self.conditions.rate / 1_000_000_000;
            if waiting + packet.len() as u64 > self.conditions.buffer {
                self.dropped += 1;
                return;
            }
            let span = packet.len() as u64 * 1_000_000_000 / self.conditions.rate;
            arrival = start + Duration::from_nanos(span);
            self.busy_until = Some(arrival);
        }
        arrival += self.conditions.delay;
        if self.happens(self.conditions.reordering) {
            let most = self.conditions.reordering_delay.as_nanos() as u64;
            arrival += Duration::from_nanos(self.random() % most.max(1));
        }
        self.add(arrival, packet);
        if self.happens(self.conditions.duplication) {
            self.add(arrival, packet);
        }
    }

    fn add(&mut self, arrival: Instant, packet: &[u8]) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.packets.push(Vec::new());
            self.packets.len() - 1
        });
        self.packets[index].clear();
        self.packets[index].extend_from_slice(packet);
        self.on_the_way.push(Reverse((arrival, self.count, index)));
    }

    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.on_the_way.peek().map(|Reverse((arrival, ..))| *arrival)
    }

    /// Calls `take` with each packet that has arrived.
    pub(crate) fn receive(&mut self, now: Instant, mut take: impl FnMut(&[u8])) {
        while self.next_arrival().is_some_and(|arrival| arrival <= now) {
            let Some(Reverse((_, _, index))) = self.on_the_way.pop() else { return };
            take(&self.packets[index]);
            self.free.push(index);
        }
    }

    /// Everything that is on the way is lost.
    pub(crate) fn cut(&mut self) {
        while let Some(Reverse((_, _, index))) = self.on_the_way.pop() {
            self.free.push(index);
        }
    }
}
