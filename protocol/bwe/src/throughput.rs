//! How fast the path delivers: bytes that arrived over the time in which they did (libwebrtc's
//! `AcknowledgedBitrateEstimator` has this place; draft-ietf-rmcat-gcc-02 §5.5 calls it R_hat). The same for what is sent.
//!
//! By the receiver's clock, so that bursts of feedback leave no trace, and from one arrival to another, so that a pause at
//! either end of the window does not count.

use std::collections::VecDeque;

use crate::rate::{DataRate, DataSize};
use crate::time::{MILLISECOND, Micros, duration};

/// Arrivals closer together than this are one entry.
const GRAIN: Micros = 4 * MILLISECOND;
/// What is longer ago is forgotten.
const WINDOW: Micros = 600 * MILLISECOND;
/// Hence entries.
const LIMIT: usize = 160;
/// A rate is known from so much time and so many bytes.
const LEAST_SPAN: Micros = 100 * MILLISECOND;

/// Small, as there are some hundred of each path that is measured, which are added up with every report.
#[derive(Clone, Copy, Debug)]
struct Entry {
    first: Micros,
    /// How long after that the last came.
    span: u32,
    bytes: u32,
    /// Of those, what came first: the time it took is not known.
    first_bytes: u32,
    /// Feedback is lost about what came before: the time since then does not count.
    is_after_gap: bool,
}

impl Entry {
    fn last(&self) -> Micros {
        self.first + Micros::from(self.span)
    }

    #[inline]
    fn add(&mut self, at: Micros, bytes: u32) {
        self.span = self.span.max(u32::try_from(at - self.first).unwrap_or(0));
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// What is added up of entries, from the last one backwards.
#[derive(Clone, Copy, Default)]
struct Sum {
    bytes: u64,
    time: Micros,
    /// Of the stretch without a gap that is being added up: its end, its bytes, and when its oldest entry began, with which
    /// bytes.
    stretch: Option<(Micros, u64, (Micros, u32))>,
}

impl Sum {
    fn add(&mut self, entry: &Entry) {
        let (end, bytes) = self.stretch.map_or((entry.last(), 0), |(end, bytes, _)| (end, bytes));
        let bytes = bytes.saturating_add(u64::from(entry.bytes));
        self.stretch = Some((end, bytes, (entry.first, entry.first_bytes)));
        if entry.is_after_gap {
            self.close();
        }
    }

    fn close(&mut self) {
        if let Some((end, bytes, (first, first_bytes))) = self.stretch.take() {
            self.bytes = self.bytes.saturating_add(bytes - u64::from(first_bytes));
            self.time += end - first;
        }
    }

    fn rate(mut self) -> Option<DataRate> {
        self.close();
        (self.time >= LEAST_SPAN).then(|| DataSize::from_bytes(self.bytes).per(duration(self.time)))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Throughput {
    entries: VecDeque<Entry>,
    is_after_gap: bool,
}

impl Throughput {
    /// A packet went by; in order, but for some.
    #[inline]
    pub(crate) fn on_packet(&mut self, at: Micros, bytes: u32) {
        // Packets of a frame are one entry, mostly.
        if let Some(last) = self.entries.back_mut()
            && (0..GRAIN).contains(&(at - last.first))
            && !self.is_after_gap
        {
            last.add(at, bytes);
        } else {
            self.begin(at, bytes);
        }
    }

    /// It may begin an entry.
    fn begin(&mut self, at: Micros, bytes: u32) {
        if let Some(last) = self.entries.back_mut() {
            if at < last.last() - WINDOW || at > last.last() + 10 * WINDOW {
                // The clock was set, or nothing came for long.
                self.entries.clear();
            } else if at - last.first < GRAIN && !self.is_after_gap {
                // One that was overtaken counts as of now.
                last.add(at, bytes);
                return;
            }
        }
        let is_after_gap = std::mem::take(&mut self.is_after_gap);
        while self.entries.len() >= LIMIT
            || self.entries.front().is_some_and(|first| at - first.last() > WINDOW)
        {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { first: at, span: 0, bytes, first_bytes: bytes, is_after_gap });
    }

    /// A report is missing: packets may have arrived of which nothing is known.
    pub(crate) fn on_gap(&mut self) {
        self.is_after_gap = true;
    }

    /// The rate over the last so long, or all that is known, at most 600 ms.
    pub(crate) fn over(&self, span: Micros) -> Option<DataRate> {
        self.over_both(span, span).1
    }

    /// The same until a time, as far as that is known.
    pub(crate) fn over_until(&self, span: Micros, until: Micros) -> Option<DataRate> {
        let mut sum = Sum::default();
        let entries = self.entries.iter().rev().skip_while(|entry| entry.first > until);
        entries.take_while(|entry| until - entry.first <= span).for_each(|entry| sum.add(entry));
        sum.rate()
    }

    /// The same over a short and a longer time.
    pub(crate) fn over_both(&self, short: Micros, long: Micros) -> (Option<DataRate>, Option<DataRate>) {
        let Some(last) = self.entries.back().map(Entry::last) else { return (None, None) };
        let mut sum = Sum::default();
        let mut over_short = None;
        for entry in self.entries.iter().rev() {
            let ago = last - entry.first;
            if ago > short && over_short.is_none() {
                over_short = Some(sum.rate());
            }
            if ago > long {
                break;
            }
            sum.add(entry);
        }
        (over_short.unwrap_or_else(|| sum.rate()), sum.rate())
    }

    /// Forgets everything.
    pub(crate) fn reset(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_a_full_path_is_exact_and_pauses_do_not_count() {
        let mut throughput = Throughput::default();
        assert_eq!(throughput.over(WINDOW), None);
        for index in 0..100 {
            throughput.on_packet(index * 10_000, 1250);
        }
        assert_eq!(throughput.over(200_000), Some(DataRate::from_mbps(1)));
        assert_eq!(throughput.over(500_000), Some(DataRate::from_mbps(1)));
        // After a long pause it begins anew.
        throughput.on_packet(20_000_000, 1250);
        assert_eq!(throughput.over(500_000), None);
    }

    #[test]
    fn the_rate_until_a_time_is_that_of_before_alone() {
        let mut throughput = Throughput::default();
        for index in 0..60 {
            throughput.on_packet(index * 10_000, if index < 30 { 1250 } else { 125 });
        }
        assert_eq!(throughput.over_until(200_000, 290_000), Some(DataRate::from_mbps(1)));
        assert_eq!(throughput.over_until(200_000, 590_000), Some(DataRate::from_kbps(100)));
        assert_eq!(throughput.over_until(200_000, -1), None);
    }

    #[test]
    fn what_lost_reports_would_have_told_does_not_count() {
        let mut throughput = Throughput::default();
        for index in 0..100 {
            // Every fourth report of five packets is lost.
            if index % 20 >= 15 {
                throughput.on_gap();
            } else {
                throughput.on_packet(index * 10_000, 1250);
            }
        }
        assert_eq!(throughput.over(500_000), Some(DataRate::from_mbps(1)));
    }

    #[test]
    fn many_packets_at_once_take_one_entry() {
        let mut throughput = Throughput::default();
        for index in 0..1_000_000 {
            throughput.on_packet(index * 10, 1250);
        }
        assert!(throughput.entries.len() <= LIMIT);
        let rate = throughput.over(500_000).unwrap();
        assert!(rate.part_of(DataRate::from_mbps(1000)) > 0.99, "{rate}");
    }
}
