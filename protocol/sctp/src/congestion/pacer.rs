//! Spreads packets in time (draft-ietf-ccwg-bbr-06 §5.6.2, §5.6.3), in bursts of about a millisecond so
//! that one system call carries many.

use crate::time::{MILLISECOND, Nanos, SECOND, Time};

/// A burst's length in time.
const QUANTUM: Nanos = MILLISECOND;
/// How late a driver may wake up without losing throughput.
const MAX_CREDIT: Nanos = 4 * MILLISECOND;

/// When the next packet may leave.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// When everything sent so far would have left, at the pacing rate.
    next: Time,
    /// The burst is used up: nothing before `next`.
    is_waiting: bool,
    /// Nanoseconds a byte, times 2^20.
    cost: u64,
    quantum: Nanos,
}

impl Pacer {
    pub(crate) fn new() -> Self {
        Self { next: Time::default(), is_waiting: false, cost: 0, quantum: QUANTUM }
    }

    /// Sets the rate in bytes a second. A burst has two packets of `packet_size` at least.
    pub(crate) fn set_rate(&mut self, rate: u64, packet_size: usize) {
        self.cost = (SECOND << 20) / rate.max(1);
        self.quantum = QUANTUM.max(self.time_of(2 * packet_size as u64));
    }

    fn time_of(&self, bytes: u64) -> Nanos {
        bytes.saturating_mul(self.cost) >> 20
    }

    /// Whether a packet may leave now.
    #[inline]
    pub(crate) fn is_ready(&mut self, now: Time) -> bool {
        self.is_waiting &= now < self.next;
        !self.is_waiting
    }

    /// When a packet may leave, where none may now.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.is_waiting.then_some(self.next)
    }

    /// A packet left.
    #[inline]
    pub(crate) fn on_sent(&mut self, now: Time, size: usize) {
        self.next = self.next.max(now.minus(MAX_CREDIT)).plus(self.time_of(size as u64));
        self.is_waiting = self.next > now.plus(self.quantum);
    }

    /// Nothing was under way: the past gives no credit.
    pub(crate) fn on_idle(&mut self, now: Time) {
        self.next = self.next.max(now);
    }
}
