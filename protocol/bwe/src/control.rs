//! The rate that delay allows (draft-ietf-rmcat-gcc-02 §5.5: increase, hold, decrease; libwebrtc's `AimdRateControl` and
//! `LinkCapacityEstimator`). See `SOURCES.md` for where it departs from them.

mod drain;
#[cfg(test)]
mod tests;

use drain::{Drain, Range};

use crate::delay::Usage;
use crate::rate::DataRate;
use crate::time::{MILLISECOND, Micros, NEVER, SECOND};

/// Growth in a second where nothing is known of the path's capacity: of the rate. Twice the draft's (§5.5), since a queue
/// that begins to stand shows at once.
const GROWTH: f64 = 0.16;
/// The same before the path was ever found to be full (RFC 8698 §4.3 ramps up at first, too).
const STARTUP_GROWTH: f64 = 0.5;
/// The same near the capacity: of the rate, at most. Below that it is the same for every flow, so that shares become equal.
const CAREFUL_GROWTH: f64 = 0.08;
/// Near the capacity one such packet is added with each response time (draft §5.5).
const PACKET_BITS: f64 = 1200.0 * 8.0;
/// What a response takes beside the round trip (draft §5.5).
const RESPONSE: Micros = 100 * MILLISECOND;
/// What is sent beyond this part of what arrives has not been tried (draft §5.5: 1.5, and a little).
const UNTRIED: f64 = 1.5;
const UNTRIED_BITS: f64 = 10_000.0;
/// A full path is sent this part of what it delivers, until its queue is drained (draft §5.5: beta).
const DRAIN: f64 = 0.85;
const LEAST_DRAIN: f64 = 0.5;
/// Who sends less than this part of the rate is limited by the application: then it is the rate that is lowered so.
const LITTLE: f64 = 0.65;
/// Unless less than this part of what it sends arrives: then the path is full of that.
const LESS: f64 = 0.8;
/// Where the application's part is less than this part of what arrives, the path is not full of that.
const ALONE: f64 = 0.75;
/// A queue is to drain within this time.
const DRAIN_TIME: f64 = 400.0 * MILLISECOND as f64;
/// Once it is, so much of what the path delivered; less where it delivered this part or less of what it once did, since
/// then there are others, and who has more is to give more.
const RESUME: f64 = 0.98;
const SHARED: f64 = 0.9;
const SHARED_RESUME: f64 = 0.9;
/// For how long it counts what the path once delivered.
const REMEMBERED: Micros = 30 * SECOND;
/// After so many attempts that did not drain it, somebody else fills it.
const ATTEMPTS: u32 = 3;
/// Who sends beyond this part of the rate does not do as it is told.
const AS_TOLD: f64 = 1.3;
/// That is looked at again and again for so long while others seem to fill the queue.
const LOOK: Micros = SECOND;
/// Within these parts of the capacity a rate is near it.
const NEAR: (f64, f64) = (0.85, 1.05);
/// A queue that is shorter than this now and then is none: frames come in bursts.
const EMPTY: Micros = 5 * MILLISECOND;
/// What is usual is learnt over so many seconds, and is at most this, in microseconds.
const FLOOR_TIME: f64 = 8.0;
const MOST_FLOOR: f64 = 15.0 * MILLISECOND as f64;
/// A queue that stands this long is drained even if it does not grow.
const STANDING: Micros = 40 * MILLISECOND;
/// Where less than this part of what is sent arrives, such a queue need not have stood: the way has become narrow.
const NARROW: f64 = 0.55;
/// A queue that is never shorter than this stops growth.
const HOLD: Micros = 15 * MILLISECOND;
/// Growth in a second beside others who fill the queue, and what is left after a loss, which is then the only sign.
const CONTENDED_GROWTH: f64 = 0.05;
const CONTENDED_LOSS: f64 = 0.85;
/// Losses within this time are one.
const LOSS_EVENT: Micros = 300 * MILLISECOND;

/// What there is to know for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signs {
    pub(crate) usage: Usage,
    pub(crate) queue: Micros,
    /// The shortest of late.
    pub(crate) least_queue: Micros,
    /// The shortest of just now.
    pub(crate) latest_queue: Micros,
    /// How much delays vary from one to the next.
    pub(crate) variation: Micros,
    /// What arrived of late, and over a longer time.
    pub(crate) delivered: Option<DataRate>,
    pub(crate) delivered_long: Option<DataRate>,
    /// What left of late.
    pub(crate) sending: Option<DataRate>,
    /// The application's part of that: without what fills up probes.
    pub(crate) application: DataRate,
    /// What had left of late when that left which arrives now.
    pub(crate) sent: Option<DataRate>,
    pub(crate) round_trip: Micros,
    /// Whether packets were lost just now.
    pub(crate) is_losing: bool,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing that is new.
    Nothing,
    /// The path is full: the rate is lower now.
    Full,
    /// The way has become longer: what was taken for a queue is none.
    Longer,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// More and more.
    Increase,
    /// Less than the path carries, until its queue is gone.
    Drain(Drain),
    /// Others keep the queue filled, whatever this flow does: delay says nothing.
    Contended {
        lost_at: Micros,
        /// What the queue was, and since when.
        range: Range,
        since: Micros,
        /// The rate at which it began.
        began_at: f64,
    },
}

#[derive(Debug)]
pub(crate) struct Control {
    rate: f64,
    phase: Phase,
    /// What the path delivered while it was full, in bits a second.
    capacity: Option<f64>,
    /// The greatest capacity of the last half minute.
    greatest: f64,
    greatest_at: Micros,
    /// The shortest queue that is usual, in microseconds.
    floor: f64,
    /// When others were last seen to fill the queue.
    contended_at: Micros,
    updated_at: Micros,
    /// Whether what is drained is of a way that has become narrow.
    has_narrowed: bool,
    has_room: bool,
}

impl Control {
    pub(crate) fn new(now: Micros, rate: DataRate) -> Self {
        Self {
            rate: rate.as_bps() as f64,
            phase: Phase::Increase,
            capacity: None,
            greatest: 0.0,
            greatest_at: now,
            floor: 0.0,
            contended_at: NEVER,
            updated_at: now,
            has_narrowed: false,
            has_room: false,
        }
    }

    pub(crate) fn rate(&self) -> DataRate {
        DataRate::from_bps(self.rate as u64)
    }

    /// Whether there is more room than was thought: true once after each time that it was found to be so.
    pub(crate) fn take_room(&mut self) -> bool {
        std::mem::take(&mut self.has_room)
    }

    /// Takes a rate from elsewhere: a probe, a bound, what was before an outage.
    pub(crate) fn set(&mut self, rate: DataRate) {
        self.rate = rate.as_bps() as f64;
    }

    /// A probe went through at this rate: what was thought of the capacity is old. Beside another flow a probe gets more
    /// than its share: where it found an end, and it is not the first, half the way is gone at once.
    pub(crate) fn on_probe(&mut self, rate: DataRate, is_full: bool) {
        let measured = rate.as_bps() as f64;
        self.rate = if is_full && self.greatest > 0.0 { (self.rate + measured) / 2.0 } else { measured };
        self.capacity = is_full.then_some(measured);
        self.phase = Phase::Increase;
    }

    /// Whether the queue is being drained.
    pub(crate) fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Drain(_))
    }

    /// Whether others fill the queue.
    pub(crate) fn is_contended(&self) -> bool {
        matches!(self.phase, Phase::Contended { .. })
    }

    /// Takes what feedback says.
    pub(crate) fn update(&mut self, now: Micros, signs: &Signs) -> Found {
        let passed = (now - self.updated_at).clamp(0, SECOND) as f64 / SECOND as f64;
        self.updated_at = now;
        self.learn(signs, passed);
        let empty = self.empty(signs);
        let narrow = self.narrow(now, signs);
        match self.phase {
            Phase::Increase => {
                self.has_narrowed = narrow.is_some();
                if let Some(signs) = narrow {
                    self.decrease(now, &signs, self.rate, 1);
                    return Found::Full;
                }
                let grows = signs.usage == Usage::Over && signs.least_queue > empty;
                if grows || signs.least_queue > self.standing(signs) {
                    self.decrease(now, signs, self.rate, 1);
                    return Found::Full;
                }
                if signs.usage == Usage::Normal && signs.least_queue < HOLD.max(empty) {
                    self.increase(signs, passed);
                }
            }
            Phase::Drain(mut drain) => {
                let is_first = self.has_narrowed && drain.attempts == 1;
                if let Some(signs) = narrow.filter(|signs| is_first && signs.queue > drain.queue) {
                    // What was seen first was not all.
                    self.decrease(now, &signs, drain.before, drain.attempts);
                    return Found::Full;
                }
                drain.see(signs);
                self.phase = Phase::Drain(drain);
                // Where a way has just become narrow, the shortest of late may be from before.
                let is_old = is_first && now < drain.next_look && 2 * signs.latest_queue > drain.queue;
                if signs.least_queue <= drain.target(empty) && !is_old {
                    if let Some(capacity) = self.capacity {
                        self.rate = self.rate.max(capacity * self.resume(capacity));
                    }
                    self.phase = Phase::Increase;
                } else if now >= drain.next_look {
                    if drain.has_shortened(signs) {
                        let next_look = now + signs.round_trip + 2 * RESPONSE;
                        self.phase = Phase::Drain(Drain { queue: signs.latest_queue, next_look, ..drain });
                    } else if drain.attempts >= ATTEMPTS && !self.fills(signs) {
                        self.rate = self.rate.max(drain.before * DRAIN);
                        if drain.range.is_steady(signs) {
                            self.phase = Phase::Increase;
                            return Found::Longer;
                        }
                        let began_at = self.rate;
                        self.phase =
                            Phase::Contended { lost_at: now, range: Range::NONE, since: now, began_at };
                    } else {
                        self.decrease(now, signs, drain.before, drain.attempts + 1);
                        return Found::Full;
                    }
                }
            }
            Phase::Contended { lost_at, mut range, since, began_at } => {
                self.contended_at = now;
                range.widen(signs);
                let has_looked = now - since >= LOOK;
                if has_looked && range.is_steady(signs) {
                    // What was seen at first was from before, and what was lost is not the others'.
                    self.rate = self.rate.max(began_at);
                    self.phase = Phase::Increase;
                    return Found::Longer;
                }
                let (range, since) = if has_looked { (Range::NONE, now) } else { (range, since) };
                self.phase = Phase::Contended { lost_at, range, since, began_at };
                if signs.least_queue < 2 * empty {
                    self.phase = Phase::Increase;
                    self.capacity = None;
                } else if signs.is_losing {
                    if now - lost_at > LOSS_EVENT {
                        self.rate *= CONTENDED_LOSS;
                        self.phase = Phase::Contended { lost_at: now, range, since, began_at };
                        return Found::Full;
                    }
                } else {
                    self.grow(signs, self.rate * CONTENDED_GROWTH * passed);
                }
            }
        }
        Found::Nothing
    }

    /// Where the way has become narrow, what there is to know of it: what arrives now is all that it carries.
    fn narrow(&self, now: Micros, signs: &Signs) -> Option<Signs> {
        if now - self.contended_at < REMEMBERED {
            // It is what others leave.
            return None;
        }
        let is_less = signs.delivered? < signs.sent?.scaled(NARROW);
        let is_narrow = is_less && signs.latest_queue > self.standing(signs);
        is_narrow.then_some(Signs { queue: signs.queue.max(signs.latest_queue), ..*signs })
    }

    /// A path that delays packets as it likes is never seen without a queue: what is usual while the rate grows is none.
    fn learn(&mut self, signs: &Signs, passed: f64) {
        if self.phase == Phase::Increase && signs.usage != Usage::Over {
            let least = signs.least_queue as f64 - self.packet_time(signs) as f64;
            self.floor += (least - self.floor) * (passed / FLOOR_TIME).min(1.0);
            self.floor = self.floor.clamp(0.0, MOST_FLOOR);
        }
    }

    /// What of the capacity is used after the queue is drained.
    fn resume(&self, capacity: f64) -> f64 {
        if capacity < self.greatest * SHARED { SHARED_RESUME } else { RESUME }
    }

    /// A queue beyond this is drained even if it does not grow.
    pub(crate) fn standing(&self, signs: &Signs) -> Micros {
        STANDING.max(2 * self.empty(signs))
    }

    /// A queue of this is none.
    fn empty(&self, signs: &Signs) -> Micros {
        EMPTY + self.packet_time(signs) + self.floor as Micros
    }

    /// How long a packet occupies the path: what is smaller arrives sooner without any queue. Who sends little sees little
    /// arrive, of a path that carries more.
    fn packet_time(&self, signs: &Signs) -> Micros {
        let rate = signs.delivered.map_or(self.rate, |delivered| delivered.as_bps() as f64);
        let rate = rate.max(self.capacity.unwrap_or_default()).max(self.carried());
        (PACKET_BITS * SECOND as f64 / rate.max(100_000.0)) as Micros
    }

    /// What the path delivered while its queue, which is being drained, was this flow's own; 0 if none is.
    fn carried(&self) -> f64 {
        if let Phase::Drain(drain) = self.phase { drain.carried } else { 0.0 }
    }

    /// Whether this flow may be what fills the queue that is to be drained: it sends much more than it should, as who sends again
    /// what is lost may, and no less than the path delivered; or the queue has become longer.
    fn fills(&self, signs: &Signs) -> bool {
        let Phase::Drain(drain) = self.phase else { return true };
        self.sending(signs) > (self.rate * AS_TOLD).max(drain.carried * DRAIN) || drain.has_grown(signs)
    }

    /// What is sent, whatever may be.
    fn sending(&self, signs: &Signs) -> f64 {
        signs.sending.map_or(self.rate, |sending| sending.as_bps() as f64)
    }

    /// More, but nothing far beyond what was tried.
    fn grow(&mut self, signs: &Signs, growth: f64) {
        let mut rate = self.rate + growth;
        if let Some(delivered) = signs.delivered_long {
            rate = rate.min(delivered.as_bps() as f64 * UNTRIED + UNTRIED_BITS);
        }
        self.rate = self.rate.max(rate);
    }

    fn increase(&mut self, signs: &Signs, passed: f64) {
        let near = |capacity: f64| (capacity * NEAR.0..capacity * NEAR.1).contains(&self.rate);
        if self.capacity.is_some_and(|capacity| self.rate >= capacity * NEAR.1) {
            self.capacity = None;
            self.has_room = true;
        }
        let growth = if self.capacity.is_some_and(near) {
            let response = (signs.round_trip + RESPONSE) as f64 / SECOND as f64;
            (PACKET_BITS / response).min(self.rate * CAREFUL_GROWTH)
        } else if self.greatest > 0.0 {
            self.rate * GROWTH
        } else {
            self.rate * STARTUP_GROWTH
        };
        self.grow(signs, growth * passed);
    }

    fn decrease(&mut self, now: Micros, signs: &Signs, before: f64, attempts: u32) {
        let delivered = signs.delivered.map_or(self.rate, |delivered| delivered.as_bps() as f64);
        let fills = attempts == 1 || self.fills(signs);
        let (carried, range) = match self.phase {
            Phase::Drain(drain) => (if fills { delivered } else { drain.carried }, drain.range),
            _ => (delivered, Range::NONE),
        };
        // What a probe has filled drains without it.
        let is_of_probe = (signs.application.as_bps() as f64) < delivered * ALONE;
        let least = if is_of_probe { DRAIN } else { LEAST_DRAIN };
        let part = (1.0 - signs.queue as f64 / DRAIN_TIME).clamp(least, DRAIN);
        let is_less = signs.sent.is_some_and(|sent| delivered < sent.as_bps() as f64 * LESS);
        if self.sending(signs) < self.rate * LITTLE && !is_less {
            // What little arrives says nothing of what could.
            self.rate *= part;
        } else {
            if fills {
                let capacity = delivered.min(self.rate * UNTRIED);
                self.capacity = Some(capacity);
                if capacity >= self.greatest || now - self.greatest_at > REMEMBERED {
                    (self.greatest, self.greatest_at) = (capacity, now);
                }
            }
            self.rate = self.rate.min(delivered * part);
        }
        let (queue, next_look) = (signs.latest_queue, now + signs.round_trip + 2 * RESPONSE);
        self.phase = Phase::Drain(Drain { before, queue, next_look, attempts, carried, range });
    }
}
