//! When to send a SACK (RFC 9260 §6.2; RFC 7053).

use crate::time::{Nanos, Time};

/// Packets with data that one SACK covers.
const PACKETS_PER_SACK: u32 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    None,
    /// Until then something else may carry it.
    Delayed(Time),
    Now,
}

#[derive(Debug)]
pub(crate) struct Acknowledger {
    need: Need,
    packets: u32,
    delay: Nanos,
    /// The window of the last SACK.
    advertised: usize,
}

impl Acknowledger {
    pub(crate) fn new(delay: Nanos, window: usize) -> Self {
        Self { need: Need::None, packets: 0, delay, advertised: window }
    }

    /// A packet with data was taken in.
    #[inline]
    pub(crate) fn packet_arrived(&mut self, now: Time, is_urgent: bool) {
        self.packets += 1;
        if is_urgent || self.packets >= PACKETS_PER_SACK {
            self.need = Need::Now;
        } else if self.need == Need::None {
            self.need = Need::Delayed(now.plus(self.delay));
        }
    }

    /// A SACK is due at once.
    pub(crate) fn hurry(&mut self) {
        self.need = Need::Now;
    }

    /// The application took something: tells the peer, where our window has grown a good deal
    /// (RFC 9260 §6.2, "window update").
    pub(crate) fn window_changed(&mut self, window: usize, limit: usize) {
        let step = if self.advertised < limit / 8 { limit / 16 } else { limit / 4 };
        if window > self.advertised + step {
            self.need = Need::Now;
        }
    }

    /// Whether a SACK must go out now.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.need == Need::Now
    }

    /// Whether a SACK may as well ride along.
    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        self.need != Need::None
    }

    /// A SACK went out.
    pub(crate) fn sent(&mut self, window: usize) {
        self.need = Need::None;
        self.packets = 0;
        self.advertised = window;
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        match self.need {
            Need::Delayed(time) => Some(time),
            Need::None | Need::Now => None,
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        if self.deadline().is_some_and(|time| time <= now) {
            self.need = Need::Now;
        }
    }
}
