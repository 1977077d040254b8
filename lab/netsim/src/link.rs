//! One direction of a wire: what it does to datagrams on their way.

use std::time::{Duration, Instant};

use crate::loss::{Loss, Luck};
use crate::random::Random;

/// What one direction of a wire does to datagrams. The default does nothing at all to them.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Bits a second; without a limit nothing ever waits.
    pub rate: Option<u64>,
    /// Bytes that may wait for their turn where there is a rate; what comes beyond is lost.
    pub buffer: usize,
    /// Bytes that pass at once after a pause long enough: the depth of a token bucket that the rate fills.
    pub burst: usize,
    /// How long light takes.
    pub delay: Duration,
    /// Up to this much longer, evenly, each datagram for itself, but in order.
    pub jitter: Duration,
    /// Which are lost.
    pub loss: Loss,
    /// How many arrive twice, as a probability.
    pub duplicated: f64,
    /// How many are overtaken by those behind them, as a probability.
    pub reordered: f64,
    /// By how much such a one is late.
    pub reordered_by: Duration,
    /// The largest datagram, in bytes of UDP payload; larger ones are lost.
    pub mtu: usize,
    /// When nothing passes, from the network's start.
    pub outages: Vec<Outage>,
}

/// A time in which nothing passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// From when, since the network's start.
    pub from: Duration,
    /// For how long.
    pub lasting: Duration,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            rate: None,
            buffer: usize::MAX,
            burst: 0,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: Loss::None,
            duplicated: 0.0,
            reordered: 0.0,
            reordered_by: Duration::ZERO,
            mtu: usize::MAX,
            outages: Vec::new(),
        }
    }
}

impl Link {
    /// A link that only takes its time.
    #[must_use]
    pub fn of(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// Limits the rate, in bits a second, with a buffer in bytes.
    #[must_use]
    pub fn rate(self, bits_per_second: u64, buffer: usize) -> Self {
        Self { rate: Some(bits_per_second), buffer, ..self }
    }

    /// Lets so many bytes pass at once where the rate was not used.
    #[must_use]
    pub fn burst(self, bytes: usize) -> Self {
        Self { burst: bytes, ..self }
    }

    /// Loses datagrams.
    #[must_use]
    pub fn loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }
}

/// What IP and UDP add to a datagram on the wire, in bytes.
const HEADERS: usize = 28;

/// A link and what is on it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) link: Link,
    luck: Luck,
    /// When the last bit of everything so far has left, or would have without bursts.
    free_at: Instant,
    /// When the last datagram that was not reordered arrives: none overtakes it by jitter.
    last_arrival: Instant,
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost,
    Arrives(Instant),
    ArrivesTwice(Instant),
}

impl Wire {
    pub(crate) fn new(link: Link, now: Instant) -> Self {
        Self { link, luck: Luck::default(), free_at: now, last_arrival: now }
    }

    /// Puts a datagram of this length on it. `start` is the network's.
    pub(crate) fn carry(&mut self, start: Instant, now: Instant, length: usize, random: &mut Random) -> Fate {
        let Link {
            rate, buffer, burst, delay, jitter, loss, duplicated, reordered, reordered_by, mtu, ..
        } = self.link;
        let since = now.saturating_duration_since(start);
        let out = |outage: &Outage| outage.from <= since && since < outage.from + outage.lasting;
        if length > mtu || self.link.outages.iter().any(out) || self.luck.loses(loss, random) {
            return Fate::Lost;
        }
        let mut leaves = now;
        if let Some(rate) = rate {
            let ahead = Duration::from_secs_f64(burst as f64 * 8.0 / rate as f64);
            let waits = self.free_at.saturating_duration_since(now + ahead);
            let waiting = waits.as_secs_f64() * rate as f64 / 8.0;
            if waiting + length as f64 > buffer as f64 {
                return Fate::Lost;
            }
            let bits = (length + HEADERS) as f64 * 8.0;
            self.free_at = self.free_at.max(now) + Duration::from_secs_f64(bits / rate as f64);
            leaves = now.max(self.free_at.checked_sub(ahead).unwrap_or(now));
        }
        let shaken = Duration::from_nanos(random.below(jitter.as_nanos() as u64));
        let in_order = (leaves + delay + shaken).max(self.last_arrival);
        let arrives = if random.chance(reordered) {
            in_order + reordered_by
        } else {
            self.last_arrival = in_order;
            in_order
        };
        if random.chance(duplicated) { Fate::ArrivesTwice(arrives) } else { Fate::Arrives(arrives) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(link: Link, count: usize, length: usize, gap: Duration) -> Vec<Option<Duration>> {
        let start = Instant::now();
        let (mut wire, mut random) = (Wire::new(link, start), Random::new(3));
        (0..count as u32)
            .map(|index| match wire.carry(start, start + gap * index, length, &mut random) {
                Fate::Lost => None,
                Fate::Arrives(at) | Fate::ArrivesTwice(at) => Some(at - start),
            })
            .collect()
    }

    #[test]
    fn a_rate_spaces_datagrams_and_a_full_buffer_loses_them() {
        let millisecond = Duration::from_millis(1);
        // 972 bytes and their headers are 8,000 bits: a millisecond at 8 Mbit/s.
        let link = Link::of(Duration::from_millis(20)).rate(8_000_000, 2_500);
        let seen = arrivals(link, 4, 972, Duration::ZERO);
        assert_eq!(seen, [Some(21 * millisecond), Some(22 * millisecond), None, None]);
    }

    #[test]
    fn a_burst_passes_at_once_after_a_pause_and_never_more_than_the_rate_in_the_long_run() {
        let millisecond = Duration::from_millis(1);
        let link = Link::of(Duration::ZERO).rate(8_000_000, 100_000).burst(3_000);
        let seen = arrivals(link.clone(), 6, 972, Duration::ZERO);
        let there = [0, 0, 0, 1, 2, 3].map(|milliseconds| Some(millisecond * milliseconds));
        assert_eq!(seen, there);
        // Two datagrams' time between them: it is always full.
        let seen = arrivals(link, 9, 972, 2 * millisecond);
        assert!(seen.iter().zip(0..).all(|(at, index)| *at == Some(2 * millisecond * index)), "{seen:?}");
    }

    #[test]
    fn jitter_alone_keeps_the_order_and_reordering_does_not() {
        let gap = Duration::from_millis(1);
        let shaken = Link { jitter: Duration::from_millis(30), ..Link::of(Duration::from_millis(5)) };
        assert!(arrivals(shaken, 1000, 100, gap).is_sorted());
        let late = Link { reordered: 0.1, reordered_by: Duration::from_millis(10), ..Link::default() };
        assert!(!arrivals(late, 1000, 100, gap).is_sorted());
    }

    #[test]
    fn what_is_too_large_or_comes_in_an_outage_is_lost() {
        let outage = Outage { from: Duration::from_millis(2), lasting: Duration::from_millis(3) };
        let link = Link { mtu: 1200, outages: vec![outage], ..Link::default() };
        let there: Vec<bool> =
            arrivals(link.clone(), 7, 1200, Duration::from_millis(1)).iter().map(Option::is_some).collect();
        assert_eq!(there, [true, true, false, false, false, true, true]);
        assert_eq!(arrivals(link, 1, 1201, Duration::ZERO), [None]);
    }
}
