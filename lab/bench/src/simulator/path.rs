//! What lies between two ends.

use std::time::Duration;

use netsim::{Link, Loss};

/// A path: the same in both directions. What comes back loses and reorders packets, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    /// Of the bottleneck, in Mbit/s.
    pub(crate) megabits: u64,
    /// Without any queue.
    pub(crate) round_trip: Duration,
    /// What waits at the bottleneck at most, in hundredths of the bandwidth-delay product.
    pub(crate) buffer: u64,
    pub(crate) loss: Loss,
    /// Of each hundred packets, those that come 10 ms late.
    pub(crate) reordered: f64,
}

impl Path {
    /// A bottleneck with a buffer of one bandwidth-delay product.
    pub(crate) fn new(megabits: u64, milliseconds: u64) -> Self {
        Self {
            megabits,
            round_trip: Duration::from_millis(milliseconds),
            buffer: 100,
            loss: Loss::None,
            reordered: 0.0,
        }
    }

    pub(crate) fn buffer(self, buffer: u64) -> Self {
        Self { buffer, ..self }
    }

    pub(crate) fn loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    pub(crate) fn reordered(self, reordered: f64) -> Self {
        Self { reordered, ..self }
    }

    /// Whether chance plays a part.
    pub(crate) fn is_random(&self) -> bool {
        self.loss != Loss::None || self.reordered > 0.0
    }

    /// Bytes a second.
    pub(crate) fn rate(&self) -> u64 {
        self.megabits * 125_000
    }

    /// The bandwidth-delay product, in bytes.
    fn product(&self) -> f64 {
        self.rate() as f64 * self.round_trip.as_secs_f64()
    }

    fn buffer_bytes(&self) -> f64 {
        (self.product() * self.buffer as f64 / 100.0).max(6000.0)
    }

    /// Bytes that are under way where the buffer is full.
    pub(crate) fn holds(&self) -> f64 {
        self.product() + self.buffer_bytes()
    }

    /// One direction.
    pub(crate) fn link(&self) -> Link {
        let buffer = self.buffer_bytes() as usize;
        Link {
            loss: self.loss,
            reordered: self.reordered / 100.0,
            reordered_by: Duration::from_millis(10),
            mtu: 1200,
            ..Link::of(self.round_trip / 2).rate(self.megabits * 1_000_000, buffer)
        }
    }
}
