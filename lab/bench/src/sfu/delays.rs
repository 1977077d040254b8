//! How late packets come, and how even.

use std::time::Instant;

/// How long packets took, and how much longer than it should it was silent before them: in milliseconds.
#[derive(Default)]
pub(super) struct Delays {
    pub(super) took: Spread,
    pub(super) gaps: Spread,
}

/// Figures of which parts are told.
#[derive(Default)]
pub(super) struct Spread(Vec<f64>);

impl Spread {
    pub(super) fn add(&mut self, figure: f64) {
        self.0.push(figure);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Of this part of them no more than this.
    pub(super) fn at(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (sorted.len() as f64 * part) as usize;
        sorted.get(place).or(sorted.last()).copied().unwrap_or(f64::NAN)
    }
}

impl Delays {
    /// A packet was made and arrived; `last` is the one before it, of the same kind and receiver.
    pub(super) fn note(&mut self, packet: (Instant, Instant), last: &mut Option<(Instant, Instant)>) {
        let milliseconds =
            |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1e3;
        let (made, arrived) = packet;
        self.took.add(milliseconds(made, arrived));
        if let Some((before, came)) = last.replace(packet) {
            self.gaps.add((milliseconds(came, arrived) - milliseconds(before, made)).max(0.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn silence_counts_beyond_what_was_to_be() {
        let (start, ms) = (Instant::now(), Duration::from_millis(1));
        let (mut delays, mut last) = (Delays::default(), None);
        for (made, took) in [(0, 2), (33, 2), (66, 27), (99, 2)] {
            let made = start + ms * made;
            delays.note((made, made + ms * took), &mut last);
        }
        let near = |value: f64, expected: f64| (value - expected).abs() < 1e-6;
        assert!(near(delays.took.at(0.5), 2.0) && near(delays.took.at(1.0), 27.0));
        assert!(near(delays.gaps.at(1.0), 25.0) && near(delays.gaps.at(0.0), 0.0));
        assert!(Spread::default().at(0.5).is_nan());
    }
}
