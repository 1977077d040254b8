//! A flow that fills queues: TCP's congestion control as of RFC 5681, endless.

use std::time::{Duration, Instant};

use super::end::{End, Label};

const SIZE: usize = 1200;
pub(crate) const SSRC: u32 = 7;
/// Packets behind a missing one that show its loss.
const DUPLICATES: u64 = 3;
/// Without any acknowledgement for so long it begins anew.
const TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) struct Sender {
    has_begun: bool,
    next: u64,
    /// All below are known to have arrived or to be lost.
    settled: u64,
    /// Beyond those, what has arrived.
    arrived: std::collections::BTreeSet<u64>,
    window: f64,
    threshold: f64,
    /// Losses of what was sent before this are one event.
    recover: u64,
    heard_at: Instant,
}

impl Sender {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            has_begun: false,
            next: 0,
            settled: 0,
            arrived: Default::default(),
            window: 10.0,
            threshold: f64::INFINITY,
            recover: 0,
            heard_at: now,
        }
    }
}

impl End for Sender {
    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        let Some(number) = datagram.first_chunk::<8>() else { return };
        let number = u64::from_be_bytes(*number);
        self.heard_at = now;
        self.arrived.insert(number);
        while self.arrived.remove(&self.settled) {
            self.settled += 1;
        }
        let highest = self.arrived.last().copied().unwrap_or(0);
        while highest > self.settled + DUPLICATES {
            if self.settled >= self.recover {
                self.window = (self.window / 2.0).max(2.0);
                self.threshold = self.window;
                self.recover = self.next;
            }
            self.settled += 1;
            while self.arrived.remove(&self.settled) {
                self.settled += 1;
            }
        }
        self.window += if self.window < self.threshold { 1.0 } else { 1.0 / self.window };
    }

    fn advance(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        if !self.has_begun {
            return;
        }
        if now >= self.heard_at + TIMEOUT {
            self.threshold = (self.window / 2.0).max(2.0);
            self.window = 2.0;
            self.settled = self.next;
            self.recover = self.next;
            self.arrived.clear();
            self.heard_at = now;
        }
        while ((self.next - self.settled) as f64 - self.arrived.len() as f64) < self.window {
            let label = Label { ssrc: SSRC, sequence: self.next as u16, frame: 0 };
            let mut datagram = label.write(SIZE);
            datagram[12..20].copy_from_slice(&self.next.to_be_bytes());
            out.push(datagram);
            self.next += 1;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.has_begun.then_some(self.heard_at + TIMEOUT)
    }

    fn begin(&mut self, now: Instant, _sizes: &'static [u64]) {
        self.has_begun = true;
        self.heard_at = now;
    }
}

/// Acknowledges each packet.
pub(crate) struct Receiver {
    waiting: Vec<Vec<u8>>,
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self { waiting: Vec::new() }
    }
}

impl End for Receiver {
    fn take(&mut self, _now: Instant, datagram: &mut [u8]) {
        self.waiting.extend(datagram.get(12..20).map(<[u8]>::to_vec));
    }

    fn advance(&mut self, _now: Instant, out: &mut Vec<Vec<u8>>) {
        out.append(&mut self.waiting);
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}
