//! The rate that delay allows (draft-ietf-rmcat-gcc-02 §5.5: increase, hold, decrease; libwebrtc's `AimdRateControl` and
//! `LinkCapacityEstimator`). See `SOURCES.md` for where it departs from them.

#[cfg(test)]
mod tests;

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
/// A queue that did not get shorter than this part of what it was has not drained.
const DRAINED: f64 = 0.8;
/// After so many attempts that did not drain it, somebody else fills it.
const ATTEMPTS: u32 = 3;
/// Who sends beyond this part of the rate does not do as it is told.
const AS_TOLD: f64 = 1.3;
/// A queue that stayed within this all the while is none: the way has become longer. Where delays vary from group to group, as
/// those of a queue hardly do, its shortest may vary by so many times as much.
const STEADY: Micros = 5 * MILLISECOND;
const VARIATIONS: Micros = 2;
/// That is looked at again and again for so long while others seem to fill the queue.
const LOOK: Micros = SECOND;
/// Nothing was seen of a queue yet.
const NO_RANGE: (Micros, Micros) = (Micros::MAX, 0);
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
    Drain {
        /// What was sent at before.
        before: f64,
        /// How long the queue was when it was looked at last.
        queue: Micros,
        next_look: Micros,
        attempts: u32,
        /// The least and the greatest that the queue was since the second attempt.
        range: (Micros, Micros),
    },
    /// Others keep the queue filled, whatever this flow does: delay says nothing.
    Contended {
        lost_at: Micros,
        /// The least and the greatest that the queue was, and since when.
        range: (Micros, Micros),
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
        matches!(self.phase, Phase::Drain { .. })
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
        let empty = EMPTY + self.packet_time(signs) + self.floor as Micros;
        let narrow = self.narrow(now, signs, empty);
        match self.phase {
            Phase::Increase => {
                self.has_narrowed = narrow.is_some();
                if let Some(signs) = narrow {
                    self.decrease(now, &signs, self.rate, 1);
                    return Found::Full;
                }
                let grows = signs.usage == Usage::Over && signs.least_queue > empty;
                if grows || signs.least_queue > STANDING.max(2 * empty) {
                    self.decrease(now, signs, self.rate, 1);
                    return Found::Full;
                }
                if signs.usage == Usage::Normal && signs.least_queue < HOLD.max(empty) {
                    self.increase(signs, passed);
                }
            }
            Phase::Drain { before, queue, next_look, attempts, mut range } => {
                if let Some(signs) =
                    narrow.filter(|signs| self.has_narrowed && attempts == 1 && signs.queue > queue)
                {
                    // What was seen first was not all.
                    self.decrease(now, &signs, before, attempts);
                    return Found::Full;
                }
                if attempts > 1 {
                    range = widened(range, signs);
                    self.phase = Phase::Drain { before, queue, next_look, attempts, range };
                }
                // Where a way has just become narrow, the shortest of late may be from before.
                let is_queueing = signs.latest_queue > STANDING.max(2 * empty);
                let is_old = self.has_narrowed && attempts == 1 && now < next_look && is_queueing;
                if signs.least_queue <= empty.max(queue / 10) && !is_old {
                    if let Some(capacity) = self.capacity {
                        self.rate = self.rate.max(capacity * self.resume(capacity));
                    }
                    self.phase = Phase::Increase;
                } else if now >= next_look {
                    if (signs.queue as f64) < queue as f64 * DRAINED {
                        let (queue, next_look) = (signs.queue, now + signs.round_trip + 2 * RESPONSE);
                        self.phase = Phase::Drain { before, queue, next_look, attempts, range };
                    } else if attempts >= ATTEMPTS && self.is_below(signs) {
                        self.rate = self.rate.max(before * DRAIN);
                        if is_steady(range, signs) {
                            self.phase = Phase::Increase;
                            return Found::Longer;
                        }
                        let began_at = self.rate;
                        self.phase = Phase::Contended { lost_at: now, range: NO_RANGE, since: now, began_at };
                    } else {
                        self.decrease(now, signs, before, attempts + 1);
                        return Found::Full;
                    }
                }
            }
            Phase::Contended { lost_at, range, since, began_at } => {
                self.contended_at = now;
                let range = widened(range, signs);
                let has_looked = now - since >= LOOK;
                if has_looked && is_steady(range, signs) {
                    // What was seen at first was from before, and what was lost is not the others'.
                    self.rate = self.rate.max(began_at);
                    self.phase = Phase::Increase;
                    return Found::Longer;
                }
                let (range, since) = if has_looked { (NO_RANGE, now) } else { (range, since) };
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
                    self.rate += self.rate * CONTENDED_GROWTH * passed;
                    self.bound(signs);
                }
            }
        }
        Found::Nothing
    }

    /// Where the way has become narrow, what there is to know of it: what arrives now is all that it carries.
    fn narrow(&self, now: Micros, signs: &Signs, empty: Micros) -> Option<Signs> {
        if now - self.contended_at < REMEMBERED {
            // It is what others leave.
            return None;
        }
        let is_less = signs.delivered? < signs.sent?.scaled(NARROW);
        let is_narrow = is_less && signs.latest_queue > STANDING.max(2 * empty);
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

    /// How long a packet occupies the path: what is smaller arrives sooner without any queue.
    fn packet_time(&self, signs: &Signs) -> Micros {
        let rate = signs.delivered.map_or(self.rate, |delivered| delivered.as_bps() as f64);
        (PACKET_BITS * SECOND as f64 / rate.max(100_000.0)) as Micros
    }

    /// Whether what is sent is no more than what the path delivers, nor much more than it should be: who sends again what is
    /// lost may fill the queue alone.
    fn is_below(&self, signs: &Signs) -> bool {
        let sending = self.sending(signs);
        let is_as_told = sending <= self.rate * AS_TOLD;
        is_as_told && signs.delivered.is_none_or(|delivered| sending <= delivered.as_bps() as f64 * 1.05)
    }

    /// What is sent, whatever may be.
    fn sending(&self, signs: &Signs) -> f64 {
        signs.sending.map_or(self.rate, |sending| sending.as_bps() as f64)
    }

    /// Nothing beyond what was tried.
    fn bound(&mut self, signs: &Signs) {
        if let Some(delivered) = signs.delivered_long {
            self.rate = self.rate.min(delivered.as_bps() as f64 * UNTRIED + UNTRIED_BITS);
        }
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
        let mut rate = self.rate + growth * passed;
        if let Some(delivered) = signs.delivered_long {
            rate = rate.min(delivered.as_bps() as f64 * UNTRIED + UNTRIED_BITS);
        }
        self.rate = self.rate.max(rate);
    }

    fn decrease(&mut self, now: Micros, signs: &Signs, before: f64, attempts: u32) {
        let delivered = signs.delivered.map_or(self.rate, |delivered| delivered.as_bps() as f64);
        // What a probe has filled drains without it.
        let is_of_probe = (signs.application.as_bps() as f64) < delivered * ALONE;
        let least = if is_of_probe { DRAIN } else { LEAST_DRAIN };
        let drain = (1.0 - signs.queue as f64 / DRAIN_TIME).clamp(least, DRAIN);
        let is_less = signs.sent.is_some_and(|sent| delivered < sent.as_bps() as f64 * LESS);
        if self.sending(signs) < self.rate * LITTLE && !is_less {
            // What little arrives says nothing of what could.
            self.rate *= drain;
        } else {
            if attempts == 1 || !self.is_below(signs) {
                let capacity = delivered.min(self.rate * UNTRIED);
                self.capacity = Some(capacity);
                if capacity >= self.greatest || now - self.greatest_at > REMEMBERED {
                    (self.greatest, self.greatest_at) = (capacity, now);
                }
            }
            self.rate = self.rate.min(delivered * drain);
        }
        let next_look = now + signs.round_trip + 2 * RESPONSE;
        let range = match self.phase {
            Phase::Drain { range, .. } => range,
            _ => NO_RANGE,
        };
        self.phase = Phase::Drain { before, queue: signs.queue, next_look, attempts, range };
    }
}

/// The least and the greatest that a queue was, with what is seen of it now.
fn widened((least, greatest): (Micros, Micros), signs: &Signs) -> (Micros, Micros) {
    (least.min(signs.least_queue), greatest.max(signs.least_queue))
}

/// Whether a queue of this range is none.
fn is_steady((least, greatest): (Micros, Micros), signs: &Signs) -> bool {
    greatest - least <= STEADY.max(signs.variation * VARIATIONS)
}
