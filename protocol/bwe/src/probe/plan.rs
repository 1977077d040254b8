//! When to probe, and how fast (libwebrtc's `ProbeController`: at first, when more is wanted, while the application is
//! the limit, after the rate dropped; draft-ietf-rmcat-gcc-02 has none).

#[cfg(test)]
mod tests;

use super::measure::{LEAST_PART, Measured};
use crate::packet::{Probe, ProbeId};
use crate::rate::{DataRate, DataSize};
use crate::time::{MILLISECOND, Micros, NEVER, SECOND, duration, micros};

/// How long a probe is, at first and at most, and how many packets it has.
const LENGTH: Micros = 15 * MILLISECOND;
const GREATEST_LENGTH: Micros = 900 * MILLISECOND;
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

/// What is sent at the rate of a probe for so long at most shows whether it was true.
const TRIAL: Micros = 2 * SECOND;
/// It was not where less than this part of it arrives.
const BORNE_OUT: f64 = 0.8;
/// One that was short is followed by one that is so many times as long.
const LONGER: u64 = 4;
/// Bytes that a burst which deceived a probe has at least: how many were sent beyond what the path carries is not known where
/// the application sent little for long, and home routers let tens of kilobytes pass.
const LEAST_BURST: u64 = 32 * 1024;
/// The longest that is asked for.
const MOST_BYTES: u64 = 128 * 1024;

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
    /// Whether nothing is in the way of a probe.
    fn is_clear(&self) -> bool {
        !self.is_congested && self.queue <= QUEUE
    }

    fn limit(&self) -> DataRate {
        self.max.min(self.wanted.scaled(BEYOND_WANTED))
    }
}

/// A rate that is taken for one that the path carries, and was not tried for long.
#[derive(Clone, Copy, Debug)]
struct Claim {
    rate: DataRate,
    /// What was allowed before.
    before: DataRate,
    /// Since when more than that is sent, and what had arrived by then, of everything.
    at: Micros,
    arrived: u64,
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
    /// What was wanted when it was probed for, or less since then.
    last_wanted: DataRate,
    /// What is sent now relies on it.
    claim: Option<Claim>,
    /// Bytes that a probe must have to be believed: fewer have passed at a rate that the path does not carry, as a token
    /// bucket (RFC 2697 §3) lets pass what it has saved up. None did where it is zero.
    least_bytes: u64,
    /// Bytes of the next one.
    next_bytes: u64,
}

impl Planner {
    /// `start` is the first target: whatever is sent beyond it is not tried.
    pub(crate) fn new(start: DataRate) -> Self {
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
            claim: Some(Claim { rate: DataRate::MAX, before: start, at: 0, arrived: 0 }),
            least_bytes: 0,
            next_bytes: 0,
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
        // Who wants more while it is no time to probe still does when it is.
        self.last_wanted = self.last_wanted.min(view.wanted);
        if !self.has_begun {
            // What is wanted at first, before there is a picture to send, may be next to nothing.
            self.has_begun = view.target < view.limit();
            if self.has_begun && view.is_clear() {
                self.last_wanted = view.wanted;
                self.pending = FIRST.map(|scale| Some(view.target.scaled(scale)));
            } else {
                self.refused_at = view.now;
            }
            return;
        }
        let has_room = view.target < view.max.min(view.wanted);
        if !view.is_clear() || !view.is_heard || !has_room {
            self.refused_at = view.now;
            return;
        }
        let more_is_wanted = view.wanted > self.last_wanted;
        self.last_wanted = view.wanted;
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
            (self.pending, self.next_bytes) = ([None; 2], 0);
            self.next_at = view.now + self.interval;
            return None;
        }
        if rate == view.limit() {
            self.pending = [None; 2];
        }
        let is_longer = self.next_bytes > 0;
        if is_longer && !view.is_clear() {
            self.next_bytes = 0;
            self.back_off(view.now);
            return None;
        }
        let longer = DataSize::from_bytes(std::mem::take(&mut self.next_bytes));
        let longer = longer.min(rate.over(duration(GREATEST_LENGTH)));
        let least = DataSize::from_bytes(LEAST_PACKET * u64::from(PACKETS));
        let size = rate.over(duration(LENGTH)).max(least).max(longer);
        self.waiting_until = Some(view.now + PATIENCE.max(micros(size.at(rate)) + PATIENCE - LENGTH));
        self.next_at = view.now + self.interval;
        self.probed = rate;
        self.next_id = self.next_id.wrapping_add(1);
        Some(Probe { id: ProbeId(self.next_id), rate, size, packets: PACKETS })
    }

    /// A probe has a result; `target` is what it was before, `arrived` the bytes of everything. Whether it is to be believed.
    pub(crate) fn on_measured(
        &mut self,
        now: Micros,
        measured: Measured,
        target: DataRate,
        arrived: u64,
    ) -> bool {
        let is_believed = self.take_result(now, measured, target);
        if is_believed && measured.rate > target {
            let arrived = arrived.saturating_sub(measured.bytes);
            self.claim = Some(Claim { rate: measured.rate, before: target, at: now, arrived });
        }
        is_believed
    }

    fn take_result(&mut self, now: Micros, measured: Measured, target: DataRate) -> bool {
        let least = self.least_bytes.min(self.probed.over(duration(GREATEST_LENGTH)).as_bytes());
        // A burst lets what it has saved up pass, and what comes behind it no faster than the path carries: beyond its
        // end a short probe is full, and still faster than the path.
        let is_short = (measured.bytes as f64) < least as f64 * LEAST_PART;
        let is_newest = self.waiting_until.is_some() && measured.id == ProbeId(self.next_id);
        if is_short && !is_newest {
            return false;
        }
        if self.waiting_until.is_none() {
            return true;
        }
        let gains = measured.rate > target.scaled(GAIN);
        if is_short && (gains || !measured.is_full) {
            self.waiting_until = None;
            self.next_bytes = (measured.bytes * LONGER).min(least);
            let rate = if measured.is_full { measured.rate } else { self.probed };
            self.pending = [Some(rate), None];
            return false;
        }
        if measured.rate > self.probed.scaled(FURTHER) && !measured.is_full {
            self.waiting_until = None;
            self.interval = LEAST_INTERVAL;
            self.pending = [Some(measured.rate.scaled(FURTHER_SCALE)), None];
            return true;
        }
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
        !is_short
    }

    /// So much was sent of what has arrived now.
    pub(crate) fn on_sent(&mut self, now: Micros, sent: DataRate, arrived: u64) {
        match &mut self.claim {
            Some(claim) if sent <= claim.before => (claim.at, claim.arrived) = (now, arrived),
            Some(claim) if now - claim.at > TRIAL => self.claim = None,
            _ => {}
        }
    }

    /// The path is full, with this rate of delivery, of what was sent at that: whether a probe had found more than it carries.
    pub(crate) fn on_full(&mut self, delivered: DataRate, sent: DataRate, arrived: u64) -> bool {
        let Some(claim) = self.claim else { return false };
        let is_borne_out = delivered >= claim.rate.min(sent).scaled(BORNE_OUT);
        if !is_borne_out {
            self.claim = None;
            let carried = arrived.saturating_sub(claim.arrived);
            // The second half of the next is to lie beyond it.
            self.least_bytes = (2 * carried.max(self.least_bytes).max(LEAST_BURST)).min(MOST_BYTES);
        }
        !is_borne_out
    }

    /// It is another path now, as far as can be seen.
    pub(crate) fn on_new_path(&mut self) {
        (self.claim, self.least_bytes, self.next_bytes) = (None, 0, 0);
    }

    fn back_off(&mut self, now: Micros) {
        self.interval = (self.interval * 2).min(GREATEST_INTERVAL);
        self.next_at = now + self.interval;
    }

    /// The target fell from a rate, for want of capacity; zero where there never was so much.
    pub(crate) fn on_decrease(&mut self, now: Micros, before: DataRate, after: DataRate) {
        self.pending = [None; 2];
        self.next_bytes = 0;
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
