//! How long packets wait on the way: the one-way delay above the least that was seen (RFC 8698 §5.1.1, RFC 6817 §2.4.2 do the
//! same). The trend of draft-ietf-rmcat-gcc-02 does not see a queue that stands.

use crate::time::{MILLISECOND, Micros, SECOND};

/// The least delay is that of the last so many spans.
const SPANS: usize = 8;
/// Of so long each: what the path was like longer ago is forgotten, since clocks drift and routes change.
const SPAN: Micros = 4 * SECOND;
/// The least queue of late is that of this span and the one before.
const RECENT: Micros = 150 * MILLISECOND;
/// That of just now is that of so many packets at least, within so long at least, and of those before them.
const LEAST_PACKETS: u32 = 2;
const JUST_NOW: Micros = 40 * MILLISECOND;

#[derive(Debug)]
pub(crate) struct Queue {
    /// The least delay of each span, the current one last.
    least: [Micros; SPANS],
    span_ends: Micros,
    /// The delay of the last group.
    delay: Micros,
    /// The least delay of late.
    recent: [Micros; 2],
    recent_ends: Micros,
    is_known: bool,
    /// The least delay of the last few packets, and of the few before; how many of the last there are so far, and when the
    /// first of them arrived.
    latest: [Micros; 2],
    packets: u32,
    first: Micros,
    /// How much the delay differs from one group to the next, smoothed.
    variation: Micros,
}

/// What one more group counts for, as in RFC 3550 §6.4.1.
const SMOOTHING: Micros = 16;

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            least: [Micros::MAX; SPANS],
            span_ends: 0,
            delay: 0,
            recent: [Micros::MAX; 2],
            recent_ends: 0,
            is_known: false,
            latest: [Micros::MAX; 2],
            packets: 0,
            first: 0,
            variation: 0,
        }
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::new();
    }

    /// A packet arrived then, by the receiver's clock. Groups have the delay of their first: where all of a frame leaves at
    /// once, and takes long, its last packets know more.
    #[inline]
    pub(crate) fn on_packet(&mut self, at: Micros, one_way: Micros) {
        if self.packets >= LEAST_PACKETS && at - self.first >= JUST_NOW {
            self.latest = [self.latest[1], Micros::MAX];
            self.packets = 0;
        }
        if self.packets == 0 {
            self.first = at;
        }
        self.latest[1] = self.latest[1].min(one_way);
        self.packets = self.packets.saturating_add(1);
    }

    pub(crate) fn on_group(&mut self, now: Micros, one_way: Micros) {
        if !self.is_known || now >= self.span_ends {
            self.least.rotate_left(1);
            self.least[SPANS - 1] = Micros::MAX;
            self.span_ends = now + SPAN;
        }
        if !self.is_known || now >= self.recent_ends {
            self.recent = [self.recent[1], Micros::MAX];
            self.recent_ends = now + RECENT;
        }
        if self.is_known {
            self.variation += ((one_way - self.delay).abs() - self.variation) / SMOOTHING;
        }
        self.is_known = true;
        self.least[SPANS - 1] = self.least[SPANS - 1].min(one_way);
        self.recent[1] = self.recent[1].min(one_way);
        self.delay = one_way;
    }

    fn base(&self) -> Micros {
        self.least.iter().copied().min().unwrap_or(0)
    }

    /// The queue that the last group saw.
    pub(crate) fn now(&self) -> Micros {
        if self.is_known { self.delay.saturating_sub(self.base()) } else { 0 }
    }

    /// The shortest queue of just now.
    pub(crate) fn latest(&self) -> Micros {
        let latest = self.latest[0].min(self.latest[1]);
        if self.is_known { latest.saturating_sub(self.base()) } else { 0 }
    }

    /// How much the delay varies from one group to the next.
    pub(crate) fn variation(&self) -> Micros {
        self.variation
    }

    /// The shortest queue of late.
    pub(crate) fn least(&self) -> Micros {
        let recent = self.recent[0].min(self.recent[1]);
        if self.is_known { recent.saturating_sub(self.base()) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_queue_shows_until_the_path_is_forgotten() {
        let mut queue = Queue::new();
        assert_eq!((queue.now(), queue.least()), (0, 0));
        queue.on_group(0, -700_000);
        for tick in 1..100 {
            queue.on_group(tick * 100_000, -650_000);
        }
        assert_eq!((queue.now(), queue.least()), (50_000, 50_000));
        for tick in 100..500 {
            queue.on_group(tick * 100_000, -650_000);
        }
        assert_eq!(queue.now(), 0);
    }

    /// What is known after packets with these delays in milliseconds, which arrive so many milliseconds apart, behind some
    /// without any.
    fn latest(apart: Micros, delays: &[Micros]) -> Micros {
        let mut queue = Queue::new();
        queue.on_group(0, 0);
        let delays = [0; 20].iter().chain(delays);
        (0..).zip(delays).for_each(|(index, delay)| queue.on_packet(index * apart * 1_000, delay * 1_000));
        queue.latest() / 1_000
    }

    #[test]
    fn a_queue_of_just_now_shows_as_soon_as_it_lasts() {
        let grows: Vec<_> = (1..=20).map(|index| index * 10).collect();
        assert!((100..160).contains(&latest(10, &grows)), "{}", latest(10, &grows));
        // A few packets of a way that carries few.
        assert_eq!(latest(50, &[50, 100, 150, 200]), 50);
        assert_eq!(latest(1, &grows), 0, "it is not known whether it lasts");
        assert_eq!(latest(10, &[100, 100, 100, 100, 100, 100, 100, 90, 0]), 0, "they were held up");
    }
}
