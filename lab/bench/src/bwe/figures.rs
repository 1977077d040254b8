//! What a cell of the table tells.

use std::time::Duration;

use super::plan::Plan;
use super::world::Measured;

/// What UDP and IP add on the wire.
const HEADERS: usize = 28;
/// Throughput is looked at over this time, where it is asked whether it has converged.
const WINDOW: Duration = Duration::from_millis(500);
/// Converged means this part of the capacity.
const CONVERGED: f64 = 0.8;

/// Figures of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    /// Media that arrived in percent of what the path could carry, with headers.
    pub(crate) used: f64,
    /// Of all packets, in milliseconds, in the network.
    pub(crate) queue_mean: f64,
    pub(crate) queue_slow: f64,
    /// From a frame's making to its packets' arrival, for 95 of a hundred.
    pub(crate) age_slow: f64,
    /// In percent of the packets.
    pub(crate) lost: f64,
    /// Seconds until four fifths of the capacity arrived, since the time that the plan names.
    pub(crate) converged: f64,
}

impl Figures {
    pub(crate) fn of(plan: &Plan, measured: &Measured, share: f64) -> Self {
        let seen = &measured.seen;
        let media = || seen.iter().filter(|seen| seen.is_media);
        let bits: f64 = media().map(|seen| (seen.bytes + HEADERS) as f64 * 8.0).sum();
        let mut queues: Vec<f64> = seen.iter().map(|seen| seen.queue.as_secs_f64() * 1e3).collect();
        queues.sort_by(f64::total_cmp);
        let mut ages: Vec<f64> = media().map(|seen| seen.age.as_secs_f64() * 1e3).collect();
        ages.sort_by(f64::total_cmp);
        let slow = |sorted: &[f64]| sorted.get(sorted.len() * 95 / 100).copied().unwrap_or(0.0);
        Self {
            used: bits * 100.0 / plan.capacity(Duration::ZERO, plan.lasting),
            queue_mean: queues.iter().sum::<f64>() / queues.len().max(1) as f64,
            queue_slow: slow(&queues),
            age_slow: slow(&ages),
            lost: (measured.sent.saturating_sub(seen.len() as u64)) as f64 * 100.0
                / measured.sent.max(1) as f64,
            converged: converged(plan, measured, share),
        }
    }

    /// The mean of several runs.
    pub(crate) fn mean(all: &[Self]) -> Self {
        let mean = |figure: fn(&Self) -> f64| all.iter().map(figure).sum::<f64>() / all.len().max(1) as f64;
        Self {
            used: mean(|figures| figures.used),
            queue_mean: mean(|figures| figures.queue_mean),
            queue_slow: mean(|figures| figures.queue_slow),
            age_slow: mean(|figures| figures.age_slow),
            lost: mean(|figures| figures.lost),
            converged: mean(|figures| figures.converged),
        }
    }
}

/// When media arrived at four fifths of the share of the capacity for the first time; the rest of the plan if never.
fn converged(plan: &Plan, measured: &Measured, share: f64) -> f64 {
    let media: Vec<_> =
        measured.seen.iter().filter(|seen| seen.is_media && seen.at >= plan.from).copied().collect();
    let (mut oldest, mut bytes) = (0, 0);
    for newest in &media {
        bytes += newest.bytes + HEADERS;
        while newest.at.saturating_sub(media[oldest].at) > WINDOW {
            bytes -= media[oldest].bytes + HEADERS;
            oldest += 1;
        }
        let begins = newest.at.saturating_sub(WINDOW);
        let capacity = plan.capacity(begins, newest.at) * share;
        if begins >= plan.from && bytes as f64 * 8.0 >= capacity * CONVERGED {
            return (newest.at - plan.from).as_secs_f64();
        }
    }
    (plan.lasting - plan.from).as_secs_f64()
}
