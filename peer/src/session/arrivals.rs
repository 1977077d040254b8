//! When packets arrived, for transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3).

use std::time::{Duration, Instant};

use rtp::rtcp::{Arrival, FeedbackHead, TICK, TransportFeedback};
use rtp::{SequenceNumber, Ssrc};

/// How often it is told.
const INTERVAL: Duration = Duration::from_millis(50);

/// Arrivals that wait to be told; a fast path has some thousand in the interval.
const MOST: usize = 4096;

/// Bytes of a report.
const REPORT: usize = 1000;

/// Where counting starts, so that a number a little before the first is still positive.
const BEGINNING: u64 = 1 << 16;

/// What arrived since it was told last.
#[derive(Debug)]
pub(crate) struct Arrivals {
    start: Instant,
    /// In the order of their numbers.
    waiting: Vec<Arrival>,
    /// The first number that was not told of.
    base: Option<u64>,
    highest: u64,
    count: u8,
    due: Option<Instant>,
}

impl Arrivals {
    pub(crate) fn new(start: Instant) -> Self {
        Self { start, waiting: Vec::new(), base: None, highest: BEGINNING, count: 0, due: None }
    }

    /// A packet with this number came.
    pub(crate) fn take(&mut self, now: Instant, number: SequenceNumber) {
        let number = match self.base {
            Some(_) => number.expand(self.highest),
            None => BEGINNING + u64::from(number.0),
        };
        self.highest = self.highest.max(number);
        // One that was told to be lost came after all.
        self.base = Some(self.base.map_or(number, |base| base.min(number)));
        let ticks = (now.saturating_duration_since(self.start).as_micros() / TICK.as_micros()) as i64;
        let at = self.waiting.partition_point(|arrival| arrival.number < number);
        let is_known = self.waiting.get(at).is_some_and(|arrival| arrival.number == number);
        if is_known || self.waiting.len() >= MOST {
            return;
        }
        self.waiting.insert(at, Arrival { number, ticks });
        self.due.get_or_insert(now + INTERVAL);
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Appends a report, if it is time for one.
    pub(crate) fn write(&mut self, now: Instant, sender: Ssrc, media: Ssrc, out: &mut Vec<u8>) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        let (Some(base), Some(first)) = (self.base, self.waiting.first()) else {
            self.due = None;
            return false;
        };
        // What was missing before a long gap is told no more.
        let base = base.max(first.number.saturating_sub(0x7FFF)).min(first.number);
        let head = FeedbackHead { sender, media, feedback_count: self.count };
        let told = TransportFeedback::write(out, head, base, &self.waiting, REPORT);
        self.count = self.count.wrapping_add(1);
        let next = told.checked_sub(1).and_then(|last| self.waiting.get(last)).map(|last| last.number + 1);
        self.base = next.or(self.base);
        self.waiting.drain(..told);
        if told == 0 || self.waiting.is_empty() {
            self.waiting.clear();
            self.due = None;
        }
        told > 0
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
mod tests {
    use rtp::rtcp::{RtcpPacket, packets};

    use super::*;

    fn told(bytes: &[u8]) -> Vec<(u16, Option<i32>)> {
        let Some(Ok(RtcpPacket::TransportFeedback(feedback))) = packets(bytes).next() else {
            panic!("no feedback")
        };
        feedback.arrivals().map(|(number, ticks)| (number.0, ticks)).collect()
    }

    #[test]
    fn what_came_is_told_in_order_and_what_did_not_is_lost() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        let at = |millis| start + Duration::from_millis(millis);
        for (number, millis) in [(0xFFFE, 0), (0, 2), (0xFFFF, 3), (3, 4), (3, 5)] {
            arrivals.take(at(millis), SequenceNumber(number));
        }
        let mut out = Vec::new();
        assert!(!arrivals.write(at(49), Ssrc(1), Ssrc(2), &mut out));
        assert!(arrivals.write(at(50), Ssrc(1), Ssrc(2), &mut out));
        let expected =
            [(0xFFFE, Some(0)), (0xFFFF, Some(12)), (0, Some(8)), (1, None), (2, None), (3, Some(16))];
        assert_eq!(told(&out), expected);
        assert_eq!(arrivals.due(), None);
        out.clear();
        // Late ones are told after all.
        arrivals.take(at(60), SequenceNumber(4));
        arrivals.take(at(61), SequenceNumber(2));
        assert!(arrivals.write(at(110), Ssrc(1), Ssrc(2), &mut out));
        assert_eq!(
            told(&out).iter().map(|(number, came)| (*number, came.is_some())).collect::<Vec<_>>(),
            [(2, true), (3, false), (4, true)]
        );
    }

    #[test]
    fn many_take_several_reports() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        for number in 0..5_000_u16 {
            arrivals.take(start + Duration::from_micros(u64::from(number) * 10), SequenceNumber(number));
        }
        let (mut reports, mut all) = (0, 0);
        loop {
            let mut out = Vec::new();
            if !arrivals.write(start + INTERVAL, Ssrc(1), Ssrc(2), &mut out) {
                break;
            }
            assert!(out.len() <= REPORT);
            reports += 1;
            all += told(&out).iter().filter(|(_, came)| came.is_some()).count();
        }
        assert_eq!((all, reports > 3), (MOST, true));
    }
}
