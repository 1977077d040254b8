//! Delivery rate samples (draft-ietf-ccwg-bbr-06 §4.1).

use crate::time::{Nanos, SECOND, Time};

/// What is remembered of a packet when it leaves (§4.1.2.1.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct PacketState {
    pub(crate) sent_at: Time,
    /// Bytes delivered when it left, and since when.
    pub(crate) delivered: u64,
    pub(crate) delivered_at: Time,
    /// When the first packet of that flight left.
    pub(crate) first_sent_at: Time,
    /// Bytes lost when it left.
    pub(crate) lost: u64,
    /// Bytes in flight, itself included.
    pub(crate) in_flight: u64,
    pub(crate) size: u32,
    pub(crate) is_app_limited: bool,
}

/// A delivery rate sample, made of one acknowledgement (§4.1.1.2).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RateSample {
    /// Bytes a second; zero where there is no reliable sample.
    pub(crate) delivery_rate: u64,
    /// Bytes delivered between the packet's departure and its acknowledgement.
    pub(crate) delivered: u64,
    /// Bytes delivered when the packet left.
    pub(crate) prior_delivered: u64,
    /// Bytes lost since it left.
    pub(crate) lost: u64,
    /// Bytes in flight when it left.
    pub(crate) tx_in_flight: u64,
    /// Bytes that this acknowledgement newly acknowledged.
    pub(crate) newly_acked: u64,
    /// Round trip of the packet; none where it may be another transmission's.
    pub(crate) rtt: Option<Nanos>,
    pub(crate) is_app_limited: bool,
}

/// The connection's own state of the sampler (§4.1.2.1.1).
#[derive(Debug, Default)]
pub(super) struct Sampler {
    pub(super) delivered: u64,
    delivered_at: Time,
    first_sent_at: Time,
    pub(super) lost: u64,
    /// Bytes delivered when the application-limited bubble will have left the pipe; zero: none.
    app_limited: u64,
}

impl Sampler {
    /// A packet of `size` bytes leaves; `in_flight` does not include it (§4.1.2.2).
    #[inline]
    pub(super) fn on_sent(&mut self, now: Time, size: u32, in_flight: u64) -> PacketState {
        if in_flight == 0 {
            self.first_sent_at = now;
            self.delivered_at = now;
        }
        PacketState {
            sent_at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            lost: self.lost,
            in_flight: in_flight + u64::from(size),
            size,
            is_app_limited: self.app_limited != 0,
        }
    }

    /// An acknowledgement for `newly_acked` bytes came, `newest` being the packet of them that left last
    /// (§4.1.2.3).
    pub(super) fn sample(
        &mut self,
        now: Time,
        newly_acked: u64,
        newest: &PacketState,
        min_rtt: Option<Nanos>,
    ) -> RateSample {
        self.delivered += newly_acked;
        self.delivered_at = now;
        if self.app_limited != 0 && self.delivered > self.app_limited {
            self.app_limited = 0;
        }
        self.first_sent_at = newest.sent_at;
        let send_elapsed = newest.sent_at.since(newest.first_sent_at);
        let ack_elapsed = now.since(newest.delivered_at);
        let interval = send_elapsed.max(ack_elapsed);
        let delivered = self.delivered - newest.delivered;
        let is_reliable = interval > 0 && min_rtt.is_none_or(|min_rtt| interval >= min_rtt);
        RateSample {
            delivery_rate: if is_reliable { per_second(delivered, interval) } else { 0 },
            delivered,
            prior_delivered: newest.delivered,
            lost: self.lost - newest.lost,
            tx_in_flight: newest.in_flight,
            newly_acked,
            rtt: None,
            is_app_limited: newest.is_app_limited,
        }
    }

    /// The application gives less than could be sent (§4.1.2.4).
    pub(super) fn mark_app_limited(&mut self, in_flight: u64) {
        self.app_limited = (self.delivered + in_flight).max(1);
    }

    pub(super) fn is_app_limited(&self) -> bool {
        self.app_limited != 0
    }
}

/// Bytes a second.
#[inline]
pub(super) fn per_second(bytes: u64, interval: Nanos) -> u64 {
    // Exact up to 18 GB in an interval; more is not under way at once.
    bytes.saturating_mul(SECOND) / interval.max(1)
}
