//! How long packets wait on the way: the one-way delay above the least that was seen (RFC 8698 §5.1.1, RFC 6817 §2.4.2 do the
//! same). The trend of draft-ietf-rmcat-gcc-02 does not see a queue that stands.

use crate::time::{MILLISECOND, Micros, SECOND};

/// The least delay is that of the last so many spans.
const SPANS: usize = 8;
/// Of so long each: what the path was like longer ago is forgotten, since clocks drift and routes change.
const SPAN: Micros = 4 * SECOND;
/// The least queue of late is that of this span and the one before.
const RECENT: Micros = 150 * MILLISECOND;

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
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            least: [Micros::MAX; SPANS],
            span_ends: 0,
            delay: 0,
            recent: [Micros::MAX; 2],
            recent_ends: 0,
            is_known: false,
        }
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::new();
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
}
