//! A queue that is being drained, and the signs of whose it is (RFC 8836 §2, requirement 3: not to be starved by TCP flows;
//! draft-ietf-rmcat-gcc-02 §5.5 lowers the rate and leaves it at that).

use super::Signs;
use crate::time::{MILLISECOND, Micros};

/// A queue that did not get shorter than this part of what it was has not drained.
const DRAINED: f64 = 0.8;
/// A queue that stayed within this all the while is none: the way has become longer. Where delays vary from group to group, as
/// those of a queue hardly do, its shortest may vary by so many times as much.
const STEADY: Micros = 5 * MILLISECOND;
const VARIATIONS: Micros = 2;
/// It has grown if it is longer by more than the former, or so many times the latter: of few packets even the fastest may be late.
const GROWN: Micros = 3;

/// Less is sent than the path carries, until its queue is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Drain {
    /// What was sent at before.
    pub(super) before: f64,
    /// The shortest that the queue was for just then when it was looked at last.
    pub(super) queue: Micros,
    pub(super) next_look: Micros,
    pub(super) attempts: u32,
    /// What the path delivered while its queue was this flow's own, bits a second.
    pub(super) carried: f64,
    /// What the queue was since the second attempt.
    pub(super) range: Range,
}

impl Drain {
    /// Takes what is seen of the queue.
    pub(super) fn see(&mut self, signs: &Signs) {
        if self.attempts > 1 {
            self.range.widen(signs);
        }
    }

    /// How short a queue must be to be gone, where one of `empty` is none: not where it has hardly become shorter.
    pub(super) fn target(&self, empty: Micros) -> Micros {
        empty.max(self.queue / 10).min(self.shorter())
    }

    /// Whether it is shorter than when it was looked at last.
    pub(super) fn has_shortened(&self, signs: &Signs) -> bool {
        signs.latest_queue < self.shorter()
    }

    /// Whether it is longer. What is sent beyond what the path delivers makes it so: a twentieth too much, by 20 ms until the
    /// next look. The rates themselves tell less: those of a quarter of a second are of a few packets.
    pub(super) fn has_grown(&self, signs: &Signs) -> bool {
        signs.least_queue > self.queue + STEADY.max(signs.variation * GROWN)
    }

    fn shorter(&self) -> Micros {
        (self.queue as f64 * DRAINED) as Micros
    }
}

/// The least and the greatest that the shortest queue of late was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    least: Micros,
    greatest: Micros,
}

impl Range {
    /// Nothing was seen of a queue yet.
    pub(super) const NONE: Self = Self { least: Micros::MAX, greatest: 0 };

    pub(super) fn widen(&mut self, signs: &Signs) {
        self.least = self.least.min(signs.least_queue);
        self.greatest = self.greatest.max(signs.least_queue);
    }

    /// Whether a queue of this range is none.
    pub(super) fn is_steady(&self, signs: &Signs) -> bool {
        self.greatest - self.least <= STEADY.max(signs.variation * VARIATIONS)
    }
}
