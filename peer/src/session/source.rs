//! One source of the peer's: what came of it and what did not (RFC 3550 §6.4.1, appendices A.1, A.3 and A.8).

use std::time::Instant;

use rtp::{PayloadType, SequenceNumber, Ssrc, Timestamp};

use super::missing::Missing;
use super::reports::Heard;
use crate::media::TransceiverId;

/// Numbers behind the highest that are told from those that have come: a duplicate is dropped.
const WINDOW: u64 = 1024;

/// A jump of so many numbers is a sender that has begun anew (RFC 3550 A.1's MAX_DROPOUT).
const JUMP: u64 = 3000;

/// Where counting starts, so that a number a little before the first is still positive.
const BEGINNING: u64 = 1 << 16;

/// A source of media.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) ssrc: Ssrc,
    pub(crate) transceiver: TransceiverId,
    pub(crate) encoding: usize,
    /// The codec that came last, if it is as agreed on; its ticks per second.
    pub(crate) payload_type: Option<PayloadType>,
    pub(crate) clock_rate: u32,
    pub(crate) missing: Missing,
    /// Whether lost packets may be asked for.
    pub(crate) asks: bool,
    base: u64,
    highest: u64,
    /// Which of the last numbers came, by their lowest bits.
    came: [u64; (WINDOW / 64) as usize],
    /// Packets, without duplicates.
    pub(crate) received: u64,
    pub(crate) duplicates: u64,
    pub(crate) repaired: u64,
    /// Payload, in bytes; and headers.
    pub(crate) bytes: u64,
    pub(crate) header_bytes: u64,
    pub(crate) repaired_bytes: u64,
    /// How often packets, or a key frame, were asked for.
    pub(crate) nacks: u32,
    pub(crate) key_frame_requests: KeyFrameRequests,
    /// In units of the clock, times 16.
    jitter: u64,
    last: Option<(Instant, Timestamp)>,
    /// When the last report was made: what was expected and received until then.
    reported: (u64, u64),
    pub(crate) last_packet: Instant,
    /// The peer's last report about it.
    pub(crate) heard: Option<Heard>,
}

/// How often a key frame was asked for, by which message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyFrameRequests {
    pub(crate) plis: u32,
    pub(crate) firs: u32,
}

/// What a report block says (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reception {
    /// Of those expected since the last report, in 256ths.
    pub(crate) fraction_lost: u8,
    pub(crate) lost: i64,
    /// The highest number, with how often it wrapped around.
    pub(crate) highest: u32,
    /// In units of the clock.
    pub(crate) jitter: u32,
}

impl Source {
    /// A source whose first packet has this number.
    pub(crate) fn new(
        now: Instant,
        ssrc: Ssrc,
        (transceiver, encoding): (TransceiverId, usize),
        first: SequenceNumber,
    ) -> Self {
        let base = BEGINNING + u64::from(first.0);
        Self {
            ssrc,
            transceiver,
            encoding,
            payload_type: None,
            clock_rate: 0,
            missing: Missing::default(),
            asks: false,
            base,
            highest: base - 1,
            came: [0; (WINDOW / 64) as usize],
            received: 0,
            duplicates: 0,
            repaired: 0,
            bytes: 0,
            header_bytes: 0,
            repaired_bytes: 0,
            nacks: 0,
            key_frame_requests: KeyFrameRequests::default(),
            jitter: 0,
            last: None,
            reported: (0, 0),
            last_packet: now,
            heard: None,
        }
    }

    /// Takes note of a packet with so many bytes of header and payload; its number that does not wrap around, or none if it came before, or far too late.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        number: SequenceNumber,
        (header, payload): (usize, usize),
    ) -> Option<u64> {
        let expanded = number.expand(self.highest);
        if expanded > self.highest {
            let gap = self.highest + 1..expanded;
            if gap.end - gap.start > JUMP {
                self.missing = Missing::default();
                self.came.fill(0);
                self.base = expanded - self.received.min(expanded);
            } else if gap.start < gap.end {
                if self.asks {
                    self.missing.skipped(now, gap.clone());
                }
                gap.for_each(|number| self.forget(number));
            }
            self.highest = expanded;
            self.forget(expanded);
        } else if self.highest - expanded >= WINDOW || self.has(expanded) {
            self.duplicates += 1;
            return None;
        } else {
            self.missing.came(expanded);
        }
        let (word, bit) = place(expanded);
        self.came[word] |= bit;
        self.received += 1;
        self.header_bytes += header as u64;
        self.bytes += payload as u64;
        self.last_packet = now;
        Some(expanded)
    }

    fn has(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.came[word] & bit != 0
    }

    fn forget(&mut self, number: u64) {
        let (word, bit) = place(number);
        self.came[word] &= !bit;
    }

    /// Takes note of how evenly packets come: those that were not retransmitted (RFC 3550 A.8).
    pub(crate) fn measure(&mut self, now: Instant, timestamp: Timestamp) {
        if let Some((before, earlier)) = self.last.replace((now, timestamp)) {
            let ticks = now.duration_since(before).as_micros() * u128::from(self.clock_rate) / 1_000_000;
            let sent = i64::from(timestamp.ahead_of(earlier));
            let late = (ticks.min(u128::from(u32::MAX)) as i64 - sent).unsigned_abs();
            self.jitter = (self.jitter + late).saturating_sub((self.jitter + 8) >> 4);
        }
    }

    /// What to report, once.
    pub(crate) fn report(&mut self) -> Reception {
        let expected = self.highest + 1 - self.base.min(self.highest + 1);
        let (expected_before, received_before) =
            std::mem::replace(&mut self.reported, (expected, self.received));
        let expected_now = expected.saturating_sub(expected_before);
        let lost_now = expected_now.saturating_sub(self.received - received_before);
        let fraction_lost = (lost_now << 8).checked_div(expected_now).unwrap_or(0).min(255) as u8;
        Reception {
            fraction_lost,
            lost: self.lost(),
            highest: (self.highest - BEGINNING) as u32,
            jitter: self.jitter_ticks(),
        }
    }

    /// Packets that were expected and did not come; negative where more came than were sent.
    pub(crate) fn lost(&self) -> i64 {
        (self.highest + 1).cast_signed() - self.base.cast_signed() - self.received.cast_signed()
    }

    /// In units of the clock.
    pub(crate) fn jitter_ticks(&self) -> u32 {
        (self.jitter >> 4).min(u64::from(u32::MAX)) as u32
    }
}

fn place(number: u64) -> (usize, u64) {
    ((number % WINDOW / 64) as usize, 1 << (number % 64))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn source(first: u16) -> (Source, Instant) {
        let now = Instant::now();
        (Source::new(now, Ssrc(1), (TransceiverId(0), 0), SequenceNumber(first)), now)
    }

    #[test]
    fn numbers_wrap_and_duplicates_are_found() {
        let (mut source, now) = source(0xFFFE);
        let mut take = |number: u16| source.take(now, SequenceNumber(number), (12, 10));
        let first = take(0xFFFE).unwrap();
        assert_eq!(take(0), Some(first + 2));
        assert_eq!(take(0xFFFF), Some(first + 1));
        assert_eq!(take(0xFFFF), None);
        assert_eq!(take(0), None);
        assert_eq!(take(0xFFFD), Some(first - 1));
        assert_eq!(take(0xFFFE_u16.wrapping_sub(1030)), None, "far too late");
        assert_eq!((source.duplicates, source.received), (3, 4));
    }

    #[test]
    fn reports_say_what_was_lost_since_the_last_one() {
        let (mut source, now) = source(100);
        for number in [100, 101, 102, 105, 107] {
            source.take(now, SequenceNumber(number), (12, 10));
        }
        let report = source.report();
        assert_eq!((report.fraction_lost, report.lost, report.highest), (96, 3, 107));
        for number in [103, 108, 109, 110] {
            source.take(now, SequenceNumber(number), (12, 10));
        }
        // Three were expected and four came.
        let report = source.report();
        assert_eq!((report.fraction_lost, report.lost), (0, 2));
        assert_eq!(source.report().fraction_lost, 0);
    }

    #[test]
    fn a_sender_that_begins_anew_has_lost_nothing() {
        let (mut source, now) = source(5);
        source.asks = true;
        source.take(now, SequenceNumber(5), (12, 1));
        source.take(now, SequenceNumber(20_000), (12, 1));
        assert_eq!(source.missing.due(), None);
        assert_eq!(source.lost(), 0);
        assert_eq!(source.take(now, SequenceNumber(20_000), (12, 1)), None);
    }

    #[test]
    fn what_comes_evenly_has_no_jitter() {
        let (mut source, start) = source(0);
        source.clock_rate = 90_000;
        let mut now = start;
        for frame in 0..100_u32 {
            source.measure(now, Timestamp(frame.wrapping_mul(3_000)));
            now += Duration::from_nanos(33_333_333);
        }
        assert!(source.jitter_ticks() <= 1);
        for frame in 100..400_u32 {
            source.measure(now, Timestamp(frame.wrapping_mul(3_000)));
            now += Duration::from_millis(if frame % 2 == 0 { 13 } else { 53 });
        }
        // 20 ms too early and too late by turns: 1,800 ticks.
        assert!((1_500..2_000).contains(&source.jitter_ticks()), "{}", source.jitter_ticks());
    }
}
