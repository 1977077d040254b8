//! What a probe has measured: the slower of the rates at which it left and arrived (libwebrtc's `ProbeBitrateEstimator`;
//! draft-ietf-rmcat-gcc-02 has none). Elsewhere this is known as a packet train.

use crate::packet::ProbeId;
use crate::rate::{DataRate, DataSize};
use crate::time::{MILLISECOND, Micros, SECOND, duration};

/// Probes under way at most; the oldest makes room.
const LIMIT: usize = 8;
/// Of a probe, so much must have arrived.
pub(super) const LEAST_PART: f64 = 0.8;
/// A probe that arrived more than this much faster than it left was held up and let go.
const MOST_RATIO: f64 = 2.0;
/// A probe that took longer than this is none.
const LONGEST: Micros = 2 * SECOND;
/// Where what arrives is slower than this part of what left, the path is full.
const FULL: f64 = 0.9;
/// Of a full path so much is used.
const UTILISATION: f64 = 0.95;
/// A probe of so many packets is judged by its second half: a shaper lets the first pass at any rate.
const LONG: u32 = 20;

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
    /// The packet with which its second half begins.
    middle: Option<Middle>,
}

#[derive(Clone, Copy, Debug)]
struct Middle {
    sent_at: Micros,
    at: Micros,
    /// Of the first half, this packet included.
    bytes: u64,
}

/// The result of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) id: ProbeId,
    /// What the path carries at least.
    pub(crate) rate: DataRate,
    /// It carries no more than that.
    pub(crate) is_full: bool,
    /// Of what arrived of it.
    pub(crate) bytes: u64,
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
            middle: None,
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
        if measure.middle.is_none() && measure.packets >= LONG / 2 && measure.bytes >= measure.least_bytes / 2
        {
            measure.middle = Some(Middle { sent_at, at, bytes: measure.bytes });
        }
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
        let rate = |bytes: u64, span: Micros| DataSize::from_bytes(bytes).per(duration(span));
        let sent = rate(self.bytes.saturating_sub(u64::from(self.last_sent_bytes)), sending);
        let received = rate(self.bytes.saturating_sub(u64::from(self.first_arrival_bytes)), receiving);
        if received.part_of(sent) > MOST_RATIO {
            return None;
        }
        let (sent, received) = self.second_half().unwrap_or((sent, received));
        let is_full = received.part_of(sent) < FULL;
        let rate = if is_full { received.scaled(UTILISATION) } else { received.min(sent) };
        Some(Measured { id: self.id, rate, is_full, bytes: self.bytes })
    }

    /// The rates at which the second half of a long probe left and arrived.
    fn second_half(&self) -> Option<(DataRate, DataRate)> {
        let middle = self.middle.filter(|_| self.packets >= LONG)?;
        let size = DataSize::from_bytes(self.bytes.saturating_sub(middle.bytes));
        let (sending, receiving) = (self.last_sent - middle.sent_at, self.last_arrival - middle.at);
        let is_sane = sending >= MILLISECOND && receiving >= MILLISECOND;
        is_sane.then(|| (size.per(duration(sending)), size.per(duration(receiving))))
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
        let through =
            Measured { id: ProbeId(1), rate: DataRate::from_mbps(4), is_full: false, bytes: 11_000 };
        assert_eq!(run(2000, 2000), Some(through));
        let full = Measured { rate: DataRate::from_kbps(1900), is_full: true, ..through };
        assert_eq!(run(2000, 4000), Some(full));
    }

    /// Thirty packets of 1,000 bytes, one each two milliseconds; a shaper lets half of them pass as they come.
    #[test]
    fn of_a_long_probe_the_second_half_counts() {
        let mut measures = Measures::default();
        measures.expect(ProbeId(1), 5, DataSize::from_bytes(30_000));
        let mut last = None;
        for index in 0..30 {
            let at = if index < 15 { index * 2000 } else { 28_000 + (index - 14) * 4000 };
            last = measures.on_arrival(ProbeId(1), index * 2000, at, 1000).or(last);
        }
        let full = DataRate::from_mbps(2).scaled(UTILISATION);
        assert_eq!(last, Some(Measured { id: ProbeId(1), rate: full, is_full: true, bytes: 30_000 }));
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
