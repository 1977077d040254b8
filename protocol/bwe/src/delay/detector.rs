//! Whether a trend of delays means that more is sent than the path carries (draft-ietf-rmcat-gcc-02 §5.4), with a
//! threshold that adapts (§5.4; Carlucci et al., "Analysis and Design of the Google Congestion Control for WebRTC", 2016), so
//! that flows which fill the queue do not starve this one.

use crate::time::{MILLISECOND, Micros, milliseconds};

/// What the trend is multiplied with, beside the number of groups, as in libwebrtc.
const GAIN: f64 = 4.0;
/// Groups that are counted at most.
const MOST_GROUPS: usize = 60;
/// The threshold, in milliseconds of the trend so multiplied: at first, at least, at most.
const THRESHOLD: f64 = 12.5;
const LEAST_THRESHOLD: f64 = 6.0;
const GREATEST_THRESHOLD: f64 = 600.0;
/// How fast the threshold follows: upwards, downwards.
const UP: f64 = 0.0087;
const DOWN: f64 = 0.039;
/// A trend that lies beyond the threshold by more than this is an outlier, which it does not follow.
const OUTLIER: f64 = 15.0;
/// For how long a trend must last.
const LASTING: f64 = 10.0;
/// A threshold is not moved for longer than this at once.
const LONGEST_STEP: Micros = 100 * MILLISECOND;

/// How the path is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    /// The queue stands, or is empty.
    Normal,
    /// The queue grows.
    Over,
    /// The queue drains.
    Under,
}

#[derive(Debug)]
pub(crate) struct Detector {
    usage: Usage,
    threshold: f64,
    moved_at: Option<Micros>,
    /// Milliseconds for which the trend is beyond the threshold, and groups.
    beyond: f64,
    groups_beyond: u32,
    previous: f64,
}

impl Detector {
    pub(crate) fn new() -> Self {
        Self {
            usage: Usage::Normal,
            threshold: THRESHOLD,
            moved_at: None,
            beyond: 0.0,
            groups_beyond: 0,
            previous: 0.0,
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// Takes the slope after a group that left `departure` milliseconds after the one before.
    pub(crate) fn on_trend(&mut self, now: Micros, slope: f64, groups: usize, departure: f64) {
        let trend = slope * groups.min(MOST_GROUPS) as f64 * GAIN;
        if trend > self.threshold {
            // The first such group counts by half: when the trend crossed the threshold is not known.
            self.beyond += if self.groups_beyond == 0 { departure / 2.0 } else { departure };
            self.groups_beyond = self.groups_beyond.saturating_add(1);
            if self.beyond > LASTING && self.groups_beyond > 1 && slope >= self.previous {
                self.beyond = 0.0;
                self.groups_beyond = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.beyond = 0.0;
            self.groups_beyond = 0;
            self.usage = if trend < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.previous = slope;
        self.follow(now, trend.abs());
    }

    fn follow(&mut self, now: Micros, trend: f64) {
        let moved_at = self.moved_at.replace(now).unwrap_or(now);
        if trend > self.threshold + OUTLIER {
            return;
        }
        let speed = if trend < self.threshold { DOWN } else { UP };
        let span = milliseconds((now - moved_at).clamp(0, LONGEST_STEP));
        let moved = self.threshold + speed * (trend - self.threshold) * span;
        self.threshold = moved.clamp(LEAST_THRESHOLD, GREATEST_THRESHOLD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_must_last() {
        let mut detector = Detector::new();
        detector.on_trend(0, 0.1, 100, 5.0);
        assert_eq!(detector.usage(), Usage::Normal);
        detector.on_trend(5000, 0.1, 100, 5.0);
        detector.on_trend(10_000, 0.1, 100, 5.0);
        assert_eq!(detector.usage(), Usage::Over);
        detector.on_trend(15_000, 0.0, 100, 5.0);
        assert_eq!(detector.usage(), Usage::Normal);
        detector.on_trend(20_000, -0.1, 100, 5.0);
        assert_eq!(detector.usage(), Usage::Under);
    }

    #[test]
    fn the_threshold_follows_what_comes_again_and_again() {
        let mut detector = Detector::new();
        let over = |detector: &mut Detector, times: i64, from: i64| {
            (0..times)
                .filter(|index| {
                    let now = (from + index) * 20_000;
                    let slope = if (from + index) % 40 < 20 { 0.07 } else { -0.07 };
                    detector.on_trend(now, slope, 60, 20.0);
                    detector.usage() == Usage::Over
                })
                .count()
        };
        let first = over(&mut detector, 200, 0);
        let later = over(&mut detector, 200, 2000);
        assert!(first > 0 && later < first, "{first} {later}");
    }
}
