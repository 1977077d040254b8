//! Congestion by delay (draft-ietf-rmcat-gcc-02 §5): whether the queue on the way grows, and how long it is.

mod detector;
mod few;
mod groups;
mod queue;
mod trendline;

use detector::Detector;
pub(crate) use detector::Usage;
pub(crate) use few::{Few, Spare};
use groups::{Groups, Step};
use queue::Queue;
use trendline::Trendline;

use crate::time::{Micros, milliseconds};

/// A packet that has arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) sequence: u64,
    pub(crate) sent_at: Micros,
    /// By the receiver's clock.
    pub(crate) at: Micros,
    pub(crate) size: u32,
}

/// Everything that is known from times of arrival.
#[derive(Debug)]
pub(crate) struct Delay {
    groups: Groups,
    trendline: Trendline,
    detector: Detector,
    queue: Queue,
}

impl Delay {
    pub(crate) fn new() -> Self {
        Self {
            groups: Groups::new(),
            trendline: Trendline::new(),
            detector: Detector::new(),
            queue: Queue::new(),
        }
    }

    /// Takes a packet, in the order of arrival.
    #[inline]
    pub(crate) fn on_arrival(&mut self, now: Micros, packet: &Arrived) {
        self.queue.on_packet(packet.at, packet.at - packet.sent_at);
        if let Some(step) = self.groups.on_arrival(now, packet) {
            self.on_step(now, &step);
        }
    }

    /// A group is complete.
    fn on_step(&mut self, now: Micros, step: &Step) {
        if step.is_reset {
            self.trendline.reset();
            self.queue.reset();
            return;
        }
        self.queue.on_group(now, step.one_way);
        let variation = milliseconds(step.arrival) - milliseconds(step.departure);
        self.trendline.on_group(step.arrived_at, variation);
        self.detector.on_trend(
            now,
            self.trendline.slope(),
            self.trendline.count(),
            milliseconds(step.departure),
        );
    }

    /// What the trend of delays says.
    pub(crate) fn usage(&self) -> Usage {
        self.detector.usage()
    }

    /// How long packets wait on the way, as of the last group.
    pub(crate) fn queue(&self) -> Micros {
        self.queue.now()
    }

    /// The shortest that the queue was within the last quarter of a second.
    pub(crate) fn least_queue(&self) -> Micros {
        self.queue.least()
    }

    /// The shortest that the queue was for the last few packets, some 40 to 80 ms.
    pub(crate) fn latest_queue(&self) -> Micros {
        self.queue.latest()
    }

    /// How much the delay varies from one group to the next, as jitter does and a queue hardly.
    pub(crate) fn variation(&self) -> Micros {
        self.queue.variation()
    }

    /// Nothing is known any more of the path: it was silent, or is another one.
    pub(crate) fn reset(&mut self) {
        *self = Self::new();
    }
}
