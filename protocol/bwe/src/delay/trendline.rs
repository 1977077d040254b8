//! The slope of the delay over the last groups (libwebrtc's `TrendlineEstimator`, which took the place of the Kalman
//! filter of draft-ietf-rmcat-gcc-02 §5.3).

use crate::time::{Micros, milliseconds};

/// Groups that the line is laid through.
const WINDOW: usize = 20;
/// What is left of the smoothed delay at each group.
const SMOOTHING: f64 = 0.9;

#[derive(Debug)]
pub(crate) struct Trendline {
    /// Time of arrival and smoothed delay, in milliseconds, in a ring.
    points: [(f64, f64); WINDOW],
    /// Groups so far.
    count: usize,
    first_arrival: Micros,
    delay: f64,
    smoothed: f64,
    slope: f64,
}

impl Trendline {
    pub(crate) fn new() -> Self {
        Self {
            points: [(0.0, 0.0); WINDOW],
            count: 0,
            first_arrival: 0,
            delay: 0.0,
            smoothed: 0.0,
            slope: 0.0,
        }
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::new();
    }

    /// A group arrived by so many milliseconds later than the one before let expect.
    pub(crate) fn on_group(&mut self, arrived_at: Micros, variation: f64) {
        if self.count == 0 {
            self.first_arrival = arrived_at;
        }
        self.delay += variation;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        let place = self.count % WINDOW;
        self.points[place] = (milliseconds(arrived_at.saturating_sub(self.first_arrival)), self.smoothed);
        self.count = self.count.saturating_add(1);
        if self.count >= WINDOW
            && let Some(slope) = slope(&self.points)
        {
            self.slope = slope;
        }
    }

    /// Milliseconds of delay that come on top with each millisecond. Zero until there are enough groups.
    pub(crate) fn slope(&self) -> f64 {
        self.slope
    }

    /// Groups so far.
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

/// Least squares.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let (mut x_sum, mut y_sum) = (0.0, 0.0);
    for (x, y) in points {
        x_sum += x;
        y_sum += y;
    }
    let (x_mean, y_mean) = (x_sum / count, y_sum / count);
    let (mut product, mut square) = (0.0, 0.0);
    for (x, y) in points {
        product += (x - x_mean) * (y - y_mean);
        square += (x - x_mean) * (x - x_mean);
    }
    (square > 0.0).then(|| product / square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growing_queue_has_a_slope_and_a_standing_one_has_none() {
        let mut line = Trendline::new();
        for index in 0..60 {
            line.on_group(index * 20_000, 2.0);
        }
        // A tenth more each 20 ms; smoothing lags behind, but grows as fast.
        assert!((line.slope() - 0.1).abs() < 0.01, "{}", line.slope());
        for index in 60..160 {
            line.on_group(index * 20_000, 0.0);
        }
        assert!(line.slope().abs() < 0.001, "{}", line.slope());
    }

    #[test]
    fn groups_that_arrive_at_one_moment_give_none() {
        let mut line = Trendline::new();
        (0..100).for_each(|_| line.on_group(0, 1.0));
        assert_eq!(line.slope().to_bits(), 0.0_f64.to_bits());
    }
}
