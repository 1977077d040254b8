//! What a probe has measured: the slower of the rates at which it left and arrived (libwebrtc's `ProbeBitrateEstimator`;
//! draft-ietf-rmcat-gcc-02 has none). Elsewhere this is known as a packet train.

use std::time::Duration;

use crate::packet::ProbeId;
use crate::rate::{DataRate, DataSize};
use crate::time::{MILLISECOND, Micros, SECOND, duration};

/// Probes under way at most; the oldest makes room.
const LIMIT: usize = 8;
/// Of a probe, so much must have arrived.
const LEAST_PART: f64 = 0.8;
/// A probe that arrived more than this much faster than it left was held up and let go.
const MOST_RATIO: f64 = 2.0;
/// A probe that took longer than this is none.
const LONGEST: Micros = SECOND;
/// Where what arrives is slower than this part of what left, the path is full.
const FULL: f64 = 0.9;
/// Of a full path so much is used.
const UTILISATION: f64 = 0.95;

#[derive(Clone, Copy, Debug)]
struct Measure {
    id: ProbeId,
    least_packets: u32,
    least_bytes: u64,
    packets: u32,
    bytes: u64,
    first_sent: Micros,
    last_sent: Micros,
    last_sent_bytes: u32,
    first_arrival: Micros,
    first_arrival_bytes: u32,
    last_arrival: Micros,
}

/// The result of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// What the path carries at least.
    pub(crate) rate: DataRate,
    /// It carries no more than that.
    pub(crate) is_full: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Measures {
    list: Vec<Measure>,
}

impl Measures {
    /// A probe begins.
    pub(crate) fn expect(&mut self, id: ProbeId, packets: u32, size: DataSize) {
        if self.list.len() >= LIMIT {
            self.list.remove(0);
        }
        self.list.push(Measure {
            id,
            least_packets: packets,
            least_bytes: size.as_bytes(),
            packets: 0,
            bytes: 0,
            first_sent: Micros::MAX,
            last_sent: Micros::MIN,
            last_sent_bytes: 0,
            first_arrival: Micros::MAX,
            first_arrival_bytes: 0,
            last_arrival: Micros::MIN,
        });
    }

    /// A packet of a probe arrived; what the probe has measured, once that is known.
    pub(crate) fn on_arrival(
        &mut self,
        id: ProbeId,
        sent_at: Micros,
        at: Micros,
        bytes: u32,
    ) -> Option<Measured> {
        let place = self.list.iter().position(|measure| measure.id == id)?;
        let measure = &mut self.list[place];
        measure.packets = measure.packets.saturating_add(1);
        measure.bytes = measure.bytes.saturating_add(u64::from(bytes));
        measure.first_sent = measure.first_sent.min(sent_at);
        if sent_at >= measure.last_sent {
            (measure.last_sent, measure.last_sent_bytes) = (sent_at, bytes);
        }
        if at < measure.first_arrival {
            (measure.first_arrival, measure.first_arrival_bytes) = (at, bytes);
        }
        measure.last_arrival = measure.last_arrival.max(at);
        measure.result()
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }
}

impl Measure {
    fn result(&self) -> Option<Measured> {
        let enough = f64::from(self.packets) >= f64::from(self.least_packets) * LEAST_PART
            && self.bytes as f64 >= self.least_bytes as f64 * LEAST_PART;
        let (sending, receiving) = (self.last_sent - self.first_sent, self.last_arrival - self.first_arrival);
        let sane = |span: Micros| (MILLISECOND..LONGEST).contains(&span);
        if !enough || !sane(sending) || !sane(receiving) {
            return None;
        }
        let rate = |bytes: u64, without: u32, span: Duration| {
            DataSize::from_bytes(bytes.saturating_sub(u64::from(without))).per(span)
        };
        let sent = rate(self.bytes, self.last_sent_bytes, duration(sending));
        let received = rate(self.bytes, self.first_arrival_bytes, duration(receiving));
        let ratio = received.part_of(sent);
        if ratio > MOST_RATIO {
            return None;
        }
        let is_full = ratio < FULL;
        let rate = if is_full { received.scaled(UTILISATION) } else { received.min(sent) };
        Some(Measured { rate, is_full })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(sent: Micros, arrives: Micros) -> Option<Measured> {
        let mut measures = Measures::default();
        measures.expect(ProbeId(1), 5, DataSize::from_bytes(10_000));
        let mut last = None;
        for index in 0..11 {
            last = measures.on_arrival(ProbeId(1), index * sent, index * arrives, 1000);
        }
        last
    }

    #[test]
    fn the_slower_rate_counts() {
        let through = Measured { rate: DataRate::from_mbps(4), is_full: false };
        assert_eq!(run(2000, 2000), Some(through));
        let full = Measured { rate: DataRate::from_kbps(1900), is_full: true };
        assert_eq!(run(2000, 4000), Some(full));
    }

    #[test]
    fn what_was_held_up_measures_nothing() {
        assert_eq!(run(2000, 500), None);
        assert_eq!(run(2000, 0), None);
    }

    #[test]
    fn probes_that_nobody_began_are_not_measured() {
        let mut measures = Measures::default();
        assert_eq!(measures.on_arrival(ProbeId(7), 0, 0, 1200), None);
        (0..100).for_each(|id| measures.expect(ProbeId(id), 5, DataSize::ZERO));
        assert_eq!(measures.list.len(), LIMIT);
    }
}
