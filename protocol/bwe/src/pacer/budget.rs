//! When the next packet may leave (libwebrtc's `PacingController`; draft-ietf-ccwg-bbr-06 §5.6.2 paces alike).

use crate::rate::{DataRate, DataSize};
use crate::time::{MILLISECOND, Micros, duration, micros};

/// A batch has so many packets at most.
const BATCH_PACKETS: u32 = 16;
/// Slower than this nothing is paced: nothing would ever leave.
const LEAST: DataRate = DataRate::from_bps(8000);
/// How late a driver may wake up without losing throughput.
const CREDIT: Micros = 5 * MILLISECOND;

#[derive(Debug)]
pub(super) struct Budget {
    rate: DataRate,
    /// How long a batch takes at the rate.
    batch: Micros,
    /// When all that was sent would have left at the rate.
    next: Micros,
    /// Packets of this batch.
    packets: u32,
    /// The batch is full: nothing before `next`.
    is_waiting: bool,
}

impl Budget {
    pub(super) fn new(batch: Micros) -> Self {
        Self { rate: LEAST, batch, next: 0, packets: 0, is_waiting: false }
    }

    pub(super) fn rate(&self) -> DataRate {
        self.rate
    }

    /// What was sent and has not left yet, at the old rate, leaves at the new one.
    pub(super) fn set_rate(&mut self, now: Micros, rate: DataRate) {
        let rate = rate.max(LEAST);
        if rate != self.rate && self.next > now {
            self.next = now + micros(self.debt(now).at(rate));
        }
        self.rate = rate;
    }

    /// What was sent and would not have left yet, at the rate.
    pub(super) fn debt(&self, now: Micros) -> DataSize {
        self.rate.over(duration(self.next - now))
    }

    pub(super) fn is_ready(&mut self, now: Micros) -> bool {
        if now >= self.next {
            self.packets = 0;
            self.is_waiting = false;
        }
        !self.is_waiting
    }

    pub(super) fn ready_at(&self) -> Micros {
        if self.is_waiting { self.next } else { 0 }
    }

    pub(super) fn on_sent(&mut self, now: Micros, bytes: u64) {
        if now >= self.next {
            self.packets = 0;
        }
        let took = micros(DataSize::from_bytes(bytes).at(self.rate));
        // Who was idle has no credit.
        let next = if self.next < now - CREDIT { now } else { self.next };
        self.next = next.saturating_add(took);
        self.packets = self.packets.saturating_add(1);
        self.is_waiting = self.next >= now + self.batch || self.packets >= BATCH_PACKETS && self.next > now;
    }
}
