//! Marks of congestion (RFC 3168 §5, RFC 9331 §4.3; the response is that of DCTCP, RFC 8257 §3.3, as SCReAM uses it with
//! RFC 8888's feedback): the target shrinks by half the part of the packets that were marked, once a round trip.

use crate::packet::Ecn;
use crate::time::Micros;

/// What a round trip's marks weigh in the average.
const GAIN: f64 = 1.0 / 16.0;
/// A mark on a path of which only RFC 3168 is known stands for a queue that is full: RFC 8511's factor.
const CLASSIC: f64 = 0.8;

#[derive(Debug)]
pub(crate) struct Marks {
    arrived: u32,
    marked: u32,
    /// Packets that bore ECT(1) were seen, and none that bore ECT(0).
    is_scalable: bool,
    average: f64,
    round_ends: Micros,
}

impl Marks {
    pub(crate) fn new() -> Self {
        // The first marks count in full (RFC 8257 §3.3: alpha begins at 1).
        Self { arrived: 0, marked: 0, is_scalable: false, average: 1.0, round_ends: 0 }
    }

    pub(crate) fn on_arrival(&mut self, ecn: Ecn) {
        self.arrived = self.arrived.saturating_add(1);
        match ecn {
            Ecn::Ce => self.marked = self.marked.saturating_add(1),
            Ecn::Ect1 => self.is_scalable = true,
            Ecn::Ect0 => self.is_scalable = false,
            Ecn::NotEct => {}
        }
    }

    /// What the target is to be multiplied with: once a round trip, where there were marks.
    pub(crate) fn factor(&mut self, now: Micros, round_trip: Micros) -> Option<f64> {
        if now < self.round_ends || self.arrived == 0 {
            return None;
        }
        let (arrived, marked) = (f64::from(self.arrived), f64::from(self.marked));
        (self.arrived, self.marked) = (0, 0);
        self.round_ends = now + round_trip;
        self.average += GAIN * (marked / arrived - self.average);
        if marked == 0.0 {
            return None;
        }
        Some(if self.is_scalable { 1.0 - self.average / 2.0 } else { CLASSIC })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(marks: &mut Marks, now: Micros, of_ten: usize, otherwise: Ecn) -> Option<f64> {
        for index in 0..10 {
            marks.on_arrival(if index < of_ten { Ecn::Ce } else { otherwise });
        }
        marks.factor(now, 50_000)
    }

    #[test]
    fn few_marks_cost_little_and_only_once_a_round_trip() {
        let mut marks = Marks::new();
        for index in 0..100 {
            assert_eq!(round(&mut marks, index * 50_000, 0, Ecn::Ect1), None);
        }
        let factor = round(&mut marks, 5_000_000, 1, Ecn::Ect1).unwrap();
        assert!(factor > 0.99, "{factor}");
        assert_eq!(round(&mut marks, 5_010_000, 1, Ecn::Ect1), None);
        let mut factor = 1.0;
        for index in 1..100 {
            factor = round(&mut marks, 5_010_000 + index * 50_000, 10, Ecn::Ect1).unwrap();
        }
        assert!((factor - 0.5).abs() < 0.01, "{factor}");
    }

    #[test]
    fn a_classic_mark_is_a_loss() {
        let mut marks = Marks::new();
        assert_eq!(round(&mut marks, 0, 1, Ecn::Ect0), Some(0.8));
        assert_eq!(round(&mut marks, 60_000, 0, Ecn::Ect0), None);
    }
}
