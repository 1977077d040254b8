//! The rate that loss allows (draft-ietf-rmcat-gcc-02 §6 for the bounds of 2 and 10 percent; libwebrtc's `LossBasedBweV2`
//! for the idea that a path may lose packets whatever is sent, which no lower rate would mend; RFC 8698 §4.2 for why a
//! path that loses without a queue must be told from one that is full).
//!
//! Windows of a quarter of a second each say how fast packets left and how many were lost. Two explanations are laid beside
//! each other: that the path loses the same part at any rate, or that it loses what is beyond its capacity.

#[cfg(test)]
mod tests;

use crate::rate::{DataRate, DataSize};
use crate::time::{MILLISECOND, Micros, NEVER, SECOND, duration};

/// A window is complete after this time and so many packets, or after the longest time.
const SPAN: Micros = 250 * MILLISECOND;
const LEAST_PACKETS: u32 = 20;
const LONGEST_SPAN: Micros = SECOND;
/// Windows that count.
const WINDOWS: usize = 24;
/// So many before loss is explained at all.
const LEAST_WINDOWS: usize = 4;
/// What each window before the last weighs less.
const FADING: f64 = 0.93;
/// Loss below this is of no account; above the other one it is, until it is known to be there at any rate.
const NO_LOSS: f64 = 0.02;
const GREAT_LOSS: f64 = 0.10;
/// No path that loses more than this is used for calls: it must be full.
const MOST_INHERENT: f64 = 0.2;
/// Capacities that are tried as an explanation, in parts of the rate at which was sent of late.
const CANDIDATES: [f64; 10] = [0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05];
/// How much better a capacity must explain what was seen than loss at any rate.
const BETTER: f64 = 0.7;
/// While the application is the limit, a bound is not lowered by more than to this part at once.
const LIMITED: f64 = 0.85;
/// What a bound grows by in each window without much loss.
const GROWTH: f64 = 1.05;
/// A lost packet's silence longer than this is an outage, and no sign of a rate that is too high.
const OUTAGE: Micros = 300 * MILLISECOND;
/// For how long it is believed that a path loses packets at any rate.
const BELIEVED: Micros = 20 * SECOND;

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    packets: f64,
    /// Part of them.
    lost: f64,
    /// Bits a second.
    rate: f64,
}

#[derive(Debug)]
pub(crate) struct Loss {
    windows: [Window; WINDOWS],
    /// Of those.
    count: usize,
    /// What was sent before the rate was last lowered needs no further answer.
    answered_until: Micros,
    // The window that is open.
    packets: u32,
    lost: u32,
    bytes: u64,
    first_sent: Micros,
    last_sent: Micros,
    /// What loss allows.
    bound: Option<f64>,
    /// Loss that a lower rate did not mend, and when that was seen.
    inherent: f64,
    inherent_at: Micros,
    is_limited: bool,
    /// Whether more was lost of late than is lost at any rate.
    is_lossy: bool,
}

impl Loss {
    pub(crate) fn new() -> Self {
        Self {
            windows: [Window::default(); WINDOWS],
            count: 0,
            answered_until: NEVER,
            packets: 0,
            lost: 0,
            bytes: 0,
            first_sent: Micros::MAX,
            last_sent: Micros::MIN,
            bound: None,
            inherent: 0.0,
            inherent_at: NEVER,
            is_limited: false,
            is_lossy: false,
        }
    }

    /// A packet has arrived or is given up.
    pub(crate) fn on_packet(&mut self, sent_at: Micros, bytes: u32, is_lost: bool) {
        if sent_at < self.answered_until {
            return;
        }
        self.packets = self.packets.saturating_add(1);
        self.lost = self.lost.saturating_add(u32::from(is_lost));
        self.bytes = self.bytes.saturating_add(u64::from(bytes));
        self.first_sent = self.first_sent.min(sent_at);
        self.last_sent = self.last_sent.max(sent_at);
    }

    /// Looks at what came since: `delay_rate` is what delay allows, `delivered` what arrives.
    pub(crate) fn update(
        &mut self,
        now: Micros,
        delay_rate: DataRate,
        delivered: Option<DataRate>,
        is_queueing: bool,
    ) {
        let span = self.last_sent.saturating_sub(self.first_sent);
        let is_complete = span >= SPAN && self.packets >= LEAST_PACKETS || span >= LONGEST_SPAN;
        if is_complete {
            let rate = DataSize::from_bytes(self.bytes).per(duration(span));
            let (packets, lost) = (f64::from(self.packets), f64::from(self.lost));
            self.open();
            let window = Window { packets, lost: lost / packets, rate: rate.as_bps() as f64 };
            self.windows.rotate_right(1);
            self.windows[0] = window;
            self.count = (self.count + 1).min(WINDOWS);
            let delivered = delivered.map(|rate| rate.as_bps() as f64);
            self.judge(now, delay_rate.as_bps() as f64, delivered, is_queueing);
        }
    }

    /// The rate that loss allows, if it sets a bound.
    pub(crate) fn bound(&self) -> Option<DataRate> {
        self.bound.map(|bound| DataRate::from_bps(bound as u64))
    }

    fn open(&mut self) {
        (self.packets, self.lost, self.bytes) = (0, 0, 0);
        (self.first_sent, self.last_sent) = (Micros::MAX, Micros::MIN);
    }

    /// The rate was lowered, for whatever reason.
    pub(crate) fn on_decrease(&mut self, now: Micros) {
        self.answered_until = now;
        self.open();
    }

    /// Everything was lost for a while: an outage.
    pub(crate) fn on_outage(&mut self) {
        self.open();
    }

    /// Whether a silence of so long is an outage.
    pub(crate) fn is_outage(silence: Micros) -> bool {
        silence >= OUTAGE
    }

    /// A probe went through at this rate.
    pub(crate) fn on_probe(&mut self, rate: DataRate) {
        if self.bound.is_some_and(|bound| bound < rate.as_bps() as f64) {
            self.bound = None;
        }
    }

    /// Part of the packets that the path loses at any rate, as far as that is known: at most a fifth.
    pub(crate) fn inherent(&self, now: Micros) -> f64 {
        if now - self.inherent_at < BELIEVED { self.inherent } else { 0.0 }
    }

    /// Whether the application is the limit.
    pub(crate) fn set_limited(&mut self, is_limited: bool) {
        self.is_limited = is_limited;
    }

    /// Whether a packet was lost in the window that is open or in the one before.
    pub(crate) fn is_losing(&self) -> bool {
        self.lost > 0 || self.windows[0].lost > 0.0
    }

    /// Whether loss sets the bound and goes on: then a probe would find what is lost, too.
    pub(crate) fn is_holding(&self) -> bool {
        self.bound.is_some() && self.is_lossy
    }

    /// Whether loss sets the bound.
    pub(crate) fn is_bound(&self) -> bool {
        self.bound.is_some()
    }

    /// Part of packets that were lost of late.
    pub(crate) fn part(&self) -> f64 {
        let recent = &self.windows[..self.count.min(4)];
        let packets: f64 = recent.iter().map(|window| window.packets).sum();
        let lost: f64 = recent.iter().map(|window| window.packets * window.lost).sum();
        if packets > 0.0 { lost / packets } else { 0.0 }
    }

    fn judge(&mut self, now: Micros, delay_rate: f64, delivered: Option<f64>, is_queueing: bool) {
        let part = self.part();
        let inherent = self.inherent(now);
        let allowed = NO_LOSS + inherent * 1.3;
        self.is_lossy = part > allowed;
        if !self.is_lossy {
            self.grow(delay_rate);
            return;
        }
        let delivered = delivered.unwrap_or(self.windows[0].rate * (1.0 - part));
        if is_queueing || part > MOST_INHERENT {
            // A full queue loses what is too much.
            self.lower(delivered * 0.95, delay_rate);
            return;
        }
        if self.count < LEAST_WINDOWS {
            return;
        }
        let (capacity, everywhere) = self.explain();
        if let Some(capacity) = capacity {
            self.lower(capacity.max(delivered * 0.95), delay_rate);
        } else if self.count >= WINDOWS / 2 {
            // As much was lost whatever was sent.
            self.inherent = everywhere.min(self.at_low_rates()).min(MOST_INHERENT);
            self.inherent_at = now;
            self.grow(delay_rate);
        } else if part > GREAT_LOSS {
            // Not known yet: no more until it is.
            self.lower(delay_rate, delay_rate);
        }
    }

    fn lower(&mut self, rate: f64, delay_rate: f64) {
        let before = self.bound.unwrap_or(delay_rate).min(delay_rate);
        // What an application sends that sends little says nothing of what could be.
        let rate = if self.is_limited { rate.max(before * LIMITED) } else { rate };
        self.bound = Some(before.min(rate));
    }

    fn grow(&mut self, delay_rate: f64) {
        if let Some(bound) = &mut self.bound {
            *bound *= GROWTH;
            if *bound >= delay_rate {
                self.bound = None;
            }
        }
    }

    /// Part of the packets that was lost in the windows of lower rate: a lower rate would not mend that.
    fn at_low_rates(&self) -> f64 {
        let seen = &self.windows[..self.count];
        let mean = seen.iter().map(|window| window.rate).sum::<f64>() / seen.len().max(1) as f64;
        let low = || seen.iter().filter(|window| window.rate <= mean);
        let packets: f64 = low().map(|window| window.packets).sum();
        let lost: f64 = low().map(|window| window.packets * window.lost).sum();
        if packets > 0.0 { lost / packets } else { 0.0 }
    }

    /// The capacity that explains what was lost, if one does so better than loss at any rate; and how much that is.
    fn explain(&self) -> (Option<f64>, f64) {
        let seen = &self.windows[..self.count];
        let recent =
            seen.iter().take(4).map(|window| window.rate).sum::<f64>() / seen.len().clamp(1, 4) as f64;
        let (unbounded, everywhere) = self.cost(f64::INFINITY);
        let mut best = (unbounded * BETTER, None);
        for candidate in CANDIDATES {
            let capacity = candidate * recent;
            let (cost, _) = self.cost(capacity);
            if cost < best.0 {
                best = (cost, Some(capacity));
            }
        }
        (best.1, everywhere)
    }

    /// How badly a capacity explains the windows, and the loss at any rate that goes best with it.
    fn cost(&self, capacity: f64) -> (f64, f64) {
        let seen = &self.windows[..self.count];
        let beyond = |window: &Window| (1.0 - capacity / window.rate.max(1.0)).max(0.0);
        let (mut weights, mut sum, mut weight) = (0.0, 0.0, 1.0);
        for window in seen {
            let weight_here = weight * window.packets;
            let rest = (window.lost - beyond(window)).max(0.0);
            sum += weight_here * rest;
            weights += weight_here * (1.0 - beyond(window));
            weight *= FADING;
        }
        let everywhere: f64 = if weights > 0.0 { (sum / weights).min(1.0) } else { 0.0 };
        let (mut cost, mut weight) = (0.0, 1.0);
        for window in seen {
            let expected = everywhere + (1.0 - everywhere) * beyond(window);
            let off = window.lost - expected;
            cost += weight * window.packets * off * off;
            weight *= FADING;
        }
        (cost, everywhere)
    }
}
