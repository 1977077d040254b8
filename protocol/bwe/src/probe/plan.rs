//! When to probe, and how fast (libwebrtc's `ProbeController`: at first, when more is wanted, while the application is
//! the limit, after the rate dropped; draft-ietf-rmcat-gcc-02 has none).

#[cfg(test)]
mod tests;

use super::measure::Measured;
use crate::packet::{Probe, ProbeId};
use crate::rate::{DataRate, DataSize};
use crate::time::{MILLISECOND, Micros, NEVER, SECOND, duration};

/// How long a probe is, and how many packets it has.
const LENGTH: Micros = 15 * MILLISECOND;
const PACKETS: u32 = 5;
/// Bytes of a probe's packets on average, at least: smaller ones are headers only.
const LEAST_PACKET: u64 = 200;
/// The first probes, in terms of the first target.
const FIRST: [f64; 2] = [3.0, 6.0];
/// A result beyond this part of its probe asks for another probe, so many times as fast.
const FURTHER: f64 = 0.7;
const FURTHER_SCALE: f64 = 2.0;
/// A probe of which nothing was heard until then has failed.
const PATIENCE: Micros = SECOND;
/// Between probes while nothing suggests one: at first, and at most, since one that found nothing doubles it.
const LEAST_INTERVAL: Micros = 2 * SECOND;
const GREATEST_INTERVAL: Micros = 5 * SECOND;
/// Where it is no time to probe, that is looked at again after this time, or with the next report.
const RETRY: Micros = SECOND;
/// How much faster than the target: where the application is the limit, and else.
const LIMITED_SCALE: f64 = 2.0;
const SCALE: f64 = 1.5;
/// A probe that finds less than this has found nothing.
const GAIN: f64 = 1.1;
/// More than what is wanted need not be found.
const BEYOND_WANTED: f64 = 1.5;
/// What the target must lose for it to be sought soon.
const DROP: f64 = 0.66;
/// A queue longer than this is no time to probe.
const QUEUE: Micros = 30 * MILLISECOND;
/// After a probe that found more, the next comes this soon.
const SOON: Micros = 500 * MILLISECOND;

/// What there is to know for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) now: Micros,
    pub(crate) target: DataRate,
    /// What the application can use.
    pub(crate) wanted: DataRate,
    pub(crate) max: DataRate,
    /// Whether feedback comes.
    pub(crate) is_heard: bool,
    /// Whether the target falls, or is kept from growing, by delay or loss.
    pub(crate) is_congested: bool,
    pub(crate) queue: Micros,
    pub(crate) is_application_limited: bool,
}

impl View {
    fn limit(&self) -> DataRate {
        self.max.min(self.wanted.scaled(BEYOND_WANTED))
    }
}

#[derive(Debug)]
pub(crate) struct Planner {
    /// Rates to be probed at once, slower first.
    pending: [Option<DataRate>; 2],
    waiting_until: Option<Micros>,
    /// The fastest probe of which a result is awaited.
    probed: DataRate,
    next_id: u32,
    has_begun: bool,
    next_at: Micros,
    interval: Micros,
    /// When it was no time to probe.
    refused_at: Micros,
    /// What the target was before it fell.
    before_drop: DataRate,
    last_wanted: DataRate,
}

impl Planner {
    pub(crate) fn new() -> Self {
        Self {
            pending: [None; 2],
            waiting_until: None,
            probed: DataRate::ZERO,
            next_id: 0,
            has_begun: false,
            next_at: 0,
            interval: LEAST_INTERVAL,
            refused_at: NEVER,
            before_drop: DataRate::ZERO,
            last_wanted: DataRate::ZERO,
        }
    }

    /// The next probe, if it is time for one. Asked again and again until there is none.
    pub(crate) fn poll(&mut self, view: &View) -> Option<Probe> {
        if let Some(probe) = self.take_pending(view) {
            return Some(probe);
        }
        if let Some(until) = self.waiting_until {
            if view.now < until {
                return None;
            }
            self.waiting_until = None;
            self.back_off(view.now);
        }
        self.plan(view);
        self.take_pending(view)
    }

    /// When to ask next.
    pub(crate) fn next_at(&self) -> Micros {
        if self.pending.iter().any(Option::is_some) {
            return 0;
        }
        self.waiting_until.unwrap_or(self.next_at.max(self.refused_at + RETRY))
    }

    fn plan(&mut self, view: &View) {
        let has_room = view.target < view.max.min(view.wanted) && view.is_heard;
        if !self.has_begun {
            self.has_begun = true;
            self.last_wanted = view.wanted;
            self.pending = FIRST.map(|scale| Some(view.target.scaled(scale)));
            return;
        }
        let more_is_wanted = view.wanted > self.last_wanted;
        self.last_wanted = view.wanted;
        if view.is_congested || view.queue > QUEUE || !has_room {
            self.refused_at = view.now;
            return;
        }
        if more_is_wanted && view.wanted > view.target {
            self.pending = [Some(view.wanted), Some(view.wanted.scaled(FURTHER_SCALE))];
        } else if view.now >= self.next_at {
            let scale = if view.is_application_limited { LIMITED_SCALE } else { SCALE };
            // Where it fell from was possible not long ago.
            let rate = view.target.scaled(scale).max(self.before_drop.scaled(0.85));
            self.before_drop = DataRate::ZERO;
            self.pending = [Some(rate), None];
        }
    }

    fn take_pending(&mut self, view: &View) -> Option<Probe> {
        let rate = self.pending.iter_mut().find_map(Option::take)?.min(view.limit());
        if rate <= view.target {
            self.pending = [None; 2];
            self.next_at = view.now + self.interval;
            return None;
        }
        if rate == view.limit() {
            self.pending = [None; 2];
        }
        self.waiting_until = Some(view.now + PATIENCE);
        self.next_at = view.now + self.interval;
        self.probed = rate;
        self.next_id = self.next_id.wrapping_add(1);
        let least = DataSize::from_bytes(LEAST_PACKET * u64::from(PACKETS));
        let size = rate.over(duration(LENGTH)).max(least);
        Some(Probe { id: ProbeId(self.next_id), rate, size, packets: PACKETS })
    }

    /// A probe has a result; `target` is what it was before.
    pub(crate) fn on_measured(&mut self, now: Micros, measured: Measured, target: DataRate) {
        if self.waiting_until.is_none() {
            return;
        }
        if measured.rate > self.probed.scaled(FURTHER) && !measured.is_full {
            self.waiting_until = None;
            self.interval = LEAST_INTERVAL;
            self.pending = [Some(measured.rate.scaled(FURTHER_SCALE)), None];
            return;
        }
        let gains = measured.rate > target.scaled(GAIN);
        if gains {
            self.interval = LEAST_INTERVAL;
            self.next_at = now + SOON;
        }
        if measured.is_full {
            self.waiting_until = None;
            if !gains {
                self.back_off(now);
            }
        }
    }

    fn back_off(&mut self, now: Micros) {
        self.interval = (self.interval * 2).min(GREATEST_INTERVAL);
        self.next_at = now + self.interval;
    }

    /// The target fell from a rate, for want of capacity.
    pub(crate) fn on_decrease(&mut self, now: Micros, before: DataRate, after: DataRate) {
        self.pending = [None; 2];
        self.waiting_until = None;
        self.before_drop = self.before_drop.max(before);
        if after < before.scaled(DROP) {
            self.interval = LEAST_INTERVAL;
        }
        self.next_at = self.next_at.max(now + self.interval);
    }

    /// The path carries more than was thought.
    pub(crate) fn on_room(&mut self, now: Micros) {
        self.interval = LEAST_INTERVAL;
        self.next_at = self.next_at.min(now);
    }

    /// The path is back: what it carried before may be tried at once.
    pub(crate) fn on_recovery(&mut self, now: Micros, before: DataRate) {
        self.interval = LEAST_INTERVAL;
        self.next_at = now + self.interval;
        self.waiting_until = None;
        self.pending = [Some(before), None];
    }
}
