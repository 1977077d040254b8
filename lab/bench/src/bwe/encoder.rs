//! A video encoder that follows a target: thirty frames a second of varying size, and a key frame now and then, which the
//! frames behind it pay back.

use std::time::{Duration, Instant};

/// Between frames.
const FRAME: Duration = Duration::from_nanos(33_333_333);
/// Of the target so much is for payload; the rest is headers.
const PAYLOAD: f64 = 0.95;
/// Frames are larger or smaller than they should be by up to this part.
const JITTER: f64 = 0.2;
/// A key frame comes after so many frames, and is so many times as large.
const KEY_EVERY: u64 = 300;
const KEY_SIZE: f64 = 4.0;
/// Frames that pay back what one had too much.
const PAYBACK: f64 = 15.0;
/// Payload of a packet.
const PACKET: usize = 1100;

#[derive(Debug)]
pub(crate) struct Encoder {
    next: Instant,
    sizes: &'static [u64],
    frames: u64,
    debt: f64,
    random: u64,
}

impl Encoder {
    /// `sizes`: the rates that there are, the least first; none, any.
    pub(crate) fn new(now: Instant, seed: u64, sizes: &'static [u64]) -> Self {
        Self { next: now, sizes, frames: 0, debt: 0.0, random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    pub(crate) fn next_at(&self) -> Instant {
        self.next
    }

    /// The payloads' sizes of a frame, if one is due, at this rate in bits a second.
    pub(crate) fn frame(&mut self, now: Instant, rate: u64) -> Option<Vec<usize>> {
        if now < self.next {
            return None;
        }
        self.next += FRAME;
        let fits = self.sizes.iter().rev().find(|size| **size <= rate).or(self.sizes.first());
        let rate = fits.copied().unwrap_or(rate);
        let fair = rate as f64 * PAYLOAD / 8.0 * FRAME.as_secs_f64();
        let is_key = self.frames.is_multiple_of(KEY_EVERY);
        self.frames += 1;
        let size = if is_key { fair * KEY_SIZE } else { fair - self.debt / PAYBACK };
        let size = size.max(fair / 4.0) * (1.0 + JITTER * (2.0 * self.unit() - 1.0));
        self.debt += size - fair;
        let mut left = (size as usize).max(50);
        let packets = left.div_ceil(PACKET);
        let sizes = (0..packets).map(|index| {
            let share = left.div_ceil(packets - index);
            left -= share;
            share
        });
        Some(sizes.collect())
    }

    fn unit(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
