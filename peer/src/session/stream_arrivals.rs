//! When packets arrived, stream by stream (RFC 8888 §3.1). Marks of congestion are not seen here: no packet is said to bear one.

use std::time::{Duration, Instant};

use rtp::rtcp::{ArrivalOffset, CongestionFeedback, Ecn, Metric};
use rtp::{NtpShort, SequenceNumber, Ssrc};

/// How often it is told (RFC 8888 §4.1: 50 to 200 ms).
const INTERVAL: Duration = Duration::from_millis(50);

/// Streams that are told of; what arrives of more is not.
const STREAMS: usize = 256;

/// Arrivals of one of them that wait to be told; a fast path has some thousand in the interval.
const MOST: usize = 4096;

/// Bytes of a report, and of it what each stream takes beside its packets, and each packet.
const REPORT: usize = 1000;
const HEAD: usize = 16;
const STREAM: usize = 10;
const PACKET: usize = 2;

/// Where counting starts, so that a number a little before the first is still positive.
const BEGINNING: u64 = 1 << 16;

/// What arrived since it was told last.
#[derive(Debug, Default)]
pub(crate) struct StreamArrivals {
    streams: Vec<Stream>,
    due: Option<Instant>,
    metrics: Vec<Option<Metric>>,
    /// Whose metrics, from which number on, and how many.
    told: Vec<(Ssrc, SequenceNumber, usize)>,
}

#[derive(Debug)]
struct Stream {
    ssrc: Ssrc,
    /// The first number that was not told of.
    base: u64,
    highest: u64,
    /// In the order of their numbers.
    waiting: Vec<(u64, Instant)>,
}

impl StreamArrivals {
    /// A packet came.
    pub(crate) fn take(&mut self, now: Instant, ssrc: Ssrc, number: SequenceNumber) {
        let at = self.streams.iter().position(|stream| stream.ssrc == ssrc);
        if at.is_none() && self.streams.len() < STREAMS {
            let first = BEGINNING + u64::from(number.0);
            self.streams.push(Stream { ssrc, base: first, highest: first, waiting: Vec::new() });
        }
        let at = at.unwrap_or(self.streams.len().saturating_sub(1));
        let Some(stream) = self.streams.get_mut(at).filter(|stream| stream.ssrc == ssrc) else { return };
        let number = number.expand(stream.highest);
        stream.highest = stream.highest.max(number);
        // One that was told to be lost came after all.
        stream.base = stream.base.min(number);
        let place = stream.waiting.partition_point(|(known, _)| *known < number);
        let is_known = stream.waiting.get(place).is_some_and(|(known, _)| *known == number);
        if !is_known && stream.waiting.len() < MOST {
            stream.waiting.insert(place, (number, now));
            self.due.get_or_insert(now + INTERVAL);
        }
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Appends a report, if it is time for one; what does not fit comes with the next, which is due then.
    pub(crate) fn write(
        &mut self,
        now: Instant,
        (sender, time): (Ssrc, NtpShort),
        out: &mut Vec<u8>,
    ) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        self.metrics.clear();
        self.told.clear();
        let mut left = REPORT - HEAD;
        for stream in &mut self.streams {
            let Some((first, _)) = stream.waiting.first().copied() else { continue };
            let most = left.saturating_sub(STREAM) / PACKET;
            if most == 0 {
                break;
            }
            // What was missing before a long gap is told no more.
            let base = stream.base.max(first.saturating_sub(most as u64 / 2)).min(first);
            let end = base + most as u64;
            let count = stream.waiting.partition_point(|(number, _)| *number < end);
            let before = self.metrics.len();
            for (number, came) in stream.waiting.drain(..count) {
                // Those between are missing.
                let ahead = usize::try_from(number - base).unwrap_or_default();
                self.metrics.resize(before + ahead, None);
                let offset = ArrivalOffset::from_duration(Some(now.saturating_duration_since(came)));
                self.metrics.push(Some(Metric { ecn: Ecn::NotCapable, offset }));
            }
            let length = self.metrics.len() - before;
            stream.base = base + length as u64;
            self.told.push((stream.ssrc, SequenceNumber(base as u16), length));
            left = left.saturating_sub(STREAM + length * PACKET);
        }
        if self.streams.iter().all(|stream| stream.waiting.is_empty()) {
            self.due = None;
        }
        let mut rest = &self.metrics[..];
        let streams = self.told.iter().map(|(ssrc, first, length)| {
            let (own, behind) = rest.split_at(*length);
            rest = behind;
            (*ssrc, *first, own)
        });
        CongestionFeedback::write(out, sender, streams, time);
        !self.told.is_empty()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
mod tests {
    use rtp::rtcp::{RtcpPacket, packets};

    use super::*;

    fn told(bytes: &[u8]) -> Vec<(u32, u16, Option<u16>)> {
        let Some(Ok(RtcpPacket::CongestionFeedback(feedback))) = packets(bytes).next() else {
            panic!("no feedback")
        };
        let streams = feedback.streams();
        let all = streams
            .flat_map(|stream| stream.metrics().map(move |(at, metric)| (stream.ssrc.0, at.0, metric)));
        all.map(|(ssrc, number, metric)| {
            let ticks = metric.map(|metric| match metric.offset {
                ArrivalOffset::Ticks(ticks) => ticks,
                ArrivalOffset::TooOld | ArrivalOffset::Unknown => u16::MAX,
            });
            (ssrc, number, ticks)
        })
        .collect()
    }

    #[test]
    fn each_stream_is_told_of_and_what_did_not_come() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut arrivals = StreamArrivals::default();
        for (millis, ssrc, number) in [(0, 7, 65_535), (10, 8, 5), (20, 7, 1), (30, 8, 6), (31, 8, 6)] {
            arrivals.take(at(millis), Ssrc(ssrc), SequenceNumber(number));
        }
        let own = (Ssrc(1), NtpShort(99));
        let mut out = Vec::new();
        assert!(!arrivals.write(at(49), own, &mut out));
        assert!(arrivals.write(at(50), own, &mut out));
        let expected =
            [(7, 65_535, Some(51)), (7, 0, None), (7, 1, Some(30)), (8, 5, Some(40)), (8, 6, Some(20))];
        assert_eq!(told(&out), expected);
        assert_eq!(arrivals.due(), None);
        // What comes late is told after all.
        out.clear();
        arrivals.take(at(60), Ssrc(7), SequenceNumber(0));
        assert!(arrivals.write(at(110), own, &mut out));
        assert_eq!(told(&out), [(7, 0, Some(51))]);
    }

    #[test]
    fn many_take_several_reports() {
        let start = Instant::now();
        let mut arrivals = StreamArrivals::default();
        for number in 0..3_000_u16 {
            arrivals.take(start, Ssrc(u32::from(number % 3)), SequenceNumber(number / 3));
        }
        let (mut reports, mut all) = (0, 0);
        while arrivals.due().is_some() {
            let mut out = Vec::new();
            assert!(arrivals.write(start + INTERVAL, (Ssrc(1), NtpShort(0)), &mut out));
            assert!(out.len() <= REPORT, "{}", out.len());
            reports += 1;
            all += told(&out).iter().filter(|(_, _, came)| came.is_some()).count();
        }
        assert_eq!((all, reports > 5), (3_000, true));
    }
}
