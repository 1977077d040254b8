//! Telling the peer what will not come: FORWARD-TSN and I-FORWARD-TSN (RFC 3758 §3.5, RFC 8260 §2.3.1).

use super::outbox::Outbox;
use super::sender::Sender;
use crate::packet::{ForwardTsn, IForwardTsn, PacketWriter, SkippedMessage};
use crate::serial::low;
use crate::time::Time;

/// Streams that one chunk names at most; the rest follows in the next.
const MAX_STREAMS: usize = 100;

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct Skip {
    point: u64,
    at: Time,
}

impl Skip {
    /// It may have been lost: say it again.
    pub(super) fn again(&mut self) {
        self.at = Time::default();
    }
}

impl Sender {
    /// Whether a FORWARD-TSN is due: there is more to skip than was said, or it was not heeded for a round
    /// trip. The TSN up to which.
    fn skip_due(&self, now: Time) -> Option<u64> {
        let point = self.flight.skippable()?;
        let patience = self.round_trip().smoothed().unwrap_or(0).saturating_mul(2);
        let is_due = point > self.skip.point || now.since(self.skip.at) > patience;
        is_due.then_some(point)
    }

    /// Puts a FORWARD-TSN into the packet where one is due. Whether it did.
    pub(crate) fn write_skip(&mut self, now: Time, outbox: &Outbox, writer: &mut PacketWriter<'_>) -> bool {
        if !self.flight.has_abandoned() {
            return false;
        }
        let Some(mut point) = self.skip_due(now) else { return false };
        let most = MAX_STREAMS.min(writer.room().saturating_sub(8) / 8);
        let mut skipped: Vec<SkippedMessage> = Vec::new();
        for tsn in self.flight.first()..=point {
            let message = self.flight.chunk(tsn).and_then(|chunk| outbox.message(chunk.fragment.message));
            let Some(message) = message else { break };
            // Unordered messages without a number are dropped by their TSNs alone (RFC 3758 §3.6).
            if message.unordered && !self.interleaving {
                continue;
            }
            let (stream, unordered, mid) = (message.stream, message.unordered, message.number);
            let is_full = skipped.len() == most;
            match skipped.iter_mut().find(|skip| (skip.stream, skip.unordered) == (stream, unordered)) {
                Some(skip) => skip.mid = mid,
                None if is_full => {
                    point = tsn - 1;
                    break;
                }
                None => skipped.push(SkippedMessage { stream, unordered, mid }),
            }
        }
        if point < self.flight.first() {
            return false;
        }
        if self.interleaving {
            IForwardTsn::write(writer.buffer(), low(point), skipped);
        } else {
            let skipped = skipped.into_iter().map(|skip| (skip.stream, skip.mid as u16));
            ForwardTsn::write(writer.buffer(), low(point), skipped);
        }
        self.skip.point = point;
        self.skip.at = now;
        self.expect_acknowledgement(now);
        true
    }
}
