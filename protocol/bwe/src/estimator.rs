//! The estimator: puts together what delay, loss, marks and probes say (draft-ietf-rmcat-gcc-02 §4; RFC 8888 for what
//! feedback may say, RFC 8836 for what is asked of such a thing).

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::control::{Control, Found, Signs};
use crate::delay::{Arrived, Delay, Few, Spare};
use crate::ecn::Marks;
use crate::history::{Fate, History};
use crate::limited::Limited;
use crate::loss::Loss;
use crate::outage::Outage;
use crate::packet::{Arrival, Kind, Probe, Sent};
use crate::probe::{Measures, Planner, View};
use crate::rate::{DataRate, DataSize};
use crate::round_trip::RoundTrip;
use crate::throughput::Throughput;
use crate::time::{Clock, MILLISECOND, Micros, NEVER, SECOND, duration, micros};

/// Bounds, and where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The first target, 300 kbit/s by default as in browsers.
    pub start: DataRate,
    /// Never below this, 30 kbit/s by default: what audio needs.
    pub min: DataRate,
    /// Never above this, 100 Mbit/s by default.
    pub max: DataRate,
    /// What the application can use at first, 2.5 Mbit/s by default: see [`Estimator::set_wanted`].
    pub wanted: DataRate,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            start: DataRate::from_kbps(300),
            min: DataRate::from_kbps(30),
            max: DataRate::from_mbps(100),
            wanted: DataRate::from_kbps(2500),
        }
    }
}

/// What an estimator has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// So much may be sent now: all packets, with their headers.
    Target(DataRate),
    /// The pacer should send this probe: [`Pacer::probe`](crate::Pacer::probe).
    Probe(Probe),
}

/// What an estimator waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Feedback that does not come: then the target falls.
    Silence,
    /// The time of the next probe.
    Probe,
}

/// What was said that cannot be; counted and left aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Feedback about packets that were never sent, or so long ago that they are forgotten.
    pub unknown: u64,
    /// Feedback about packets that are known to have arrived.
    pub repeated: u64,
    /// Packets that were told to have been sent with a number that is not greater than the one before.
    pub disordered: u64,
}

/// Figures for statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// The target.
    pub target: DataRate,
    /// What delay alone would allow.
    pub delay_bound: DataRate,
    /// What loss alone would allow, where it sets a bound.
    pub loss_bound: Option<DataRate>,
    /// What arrived over the last half second.
    pub delivered: Option<DataRate>,
    /// Part of the packets that were lost of late.
    pub lost: f64,
    /// How long packets wait on the way.
    pub queue: Duration,
    /// From sending to feedback.
    pub round_trip: Option<Duration>,
    /// Bytes of which nothing is known yet.
    pub in_flight: DataSize,
    /// Whether the application sends less than it may.
    pub is_application_limited: bool,
    /// Whether less is sent just now than the path carries, for its queue to drain.
    pub is_draining: bool,
    /// Whether others keep the queue filled, so that delay says nothing.
    pub is_contended: bool,
}

/// Sums up how fast the path may be sent on. See the [crate](crate).
///
/// Order of calls: [`on_sent`](Self::on_sent) for each packet as it leaves, [`on_feedback`](Self::on_feedback) for each report,
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) says; after each of the latter two,
/// [`poll_event`](Self::poll_event) until there is none.
#[derive(Debug)]
pub struct Estimator {
    config: Config,
    clock: Clock,
    wanted: DataRate,
    history: History,
    spare: Spare,
    delay: Delay,
    delivered: Throughput,
    sending: Throughput,
    round_trip: RoundTrip,
    control: Control,
    loss: Loss,
    marks: Marks,
    limited: Limited,
    outage: Outage,
    measures: Measures,
    planner: Planner,
    target: DataRate,
    told: DataRate,
    probes: VecDeque<Probe>,
    faults: Faults,
    /// When the newest packet that arrived had left.
    newest_arrived: Micros,
    /// Bytes of everything that arrived.
    arrived: u64,
    /// The greatest number that a report spoke of.
    reported: u64,
    /// How late packets may arrive before they count as lost.
    reordering: Micros,
}

/// Packets in one report that count; RFC 8888 §3.1 allows 16,384 for each stream.
const MOST_ARRIVALS: usize = 16_384;
/// Probes that wait to be taken.
const MOST_PROBES: usize = 4;
/// The reordering that is allowed for: at first, at most.
const REORDERING: Micros = 15 * MILLISECOND;
const MOST_REORDERING: Micros = 200 * MILLISECOND;
/// What was never spoken of when something that left so much later was, never will be.
const UNHEARD: Micros = SECOND;
/// What delivery is measured over.
const SHORT: Micros = 250 * MILLISECOND;
const LONG: Micros = 500 * MILLISECOND;

impl Estimator {
    /// An estimator that knows nothing yet. Bounds that contradict each other give way to the least.
    pub fn new(now: Instant, config: Config) -> Self {
        let max = config.max.max(config.min);
        let config = Config { max, start: config.start.clamp(config.min, max), ..config };
        let clock = Clock::new(now);
        Self {
            config,
            clock,
            wanted: config.wanted,
            history: History::default(),
            spare: Spare::default(),
            delay: Delay::new(),
            delivered: Throughput::default(),
            sending: Throughput::default(),
            round_trip: RoundTrip::new(),
            control: Control::new(0, config.start),
            loss: Loss::new(),
            marks: Marks::new(),
            limited: Limited::new(0),
            outage: Outage::new(),
            measures: Measures::default(),
            planner: Planner::new(config.start),
            target: config.start,
            told: config.start,
            probes: VecDeque::with_capacity(MOST_PROBES),
            faults: Faults::default(),
            newest_arrived: NEVER,
            arrived: 0,
            reported: 0,
            reordering: REORDERING,
        }
    }

    /// How much may be sent now, between the bounds: all packets, with their headers.
    pub fn target(&self) -> DataRate {
        self.target
    }

    /// How much the application can use: the sum of what its streams send at best. Below that, the estimator probes for
    /// more; up to half as much again, and at once when this rises. Beyond, the target grows by what is sent only.
    pub fn set_wanted(&mut self, now: Instant, wanted: DataRate) {
        self.wanted = wanted;
        let now = self.clock.time(now);
        self.plan(now);
    }

    /// Changes the bounds.
    pub fn set_bounds(&mut self, now: Instant, min: DataRate, max: DataRate) {
        (self.config.min, self.config.max) = (min, max.max(min));
        let now = self.clock.time(now);
        self.settle(now);
    }

    /// A packet has left.
    pub fn on_sent(&mut self, sent: &Sent) {
        let now = self.clock.time(sent.at);
        if !self.history.put(sent, now) {
            self.faults.disordered += 1;
            return;
        }
        self.outage.on_sent(now);
        self.sending.on_packet(now, u32::try_from(sent.size.as_bytes()).unwrap_or(u32::MAX));
        if sent.kind != Kind::Padding {
            self.limited.on_sent(now, sent.size.as_bytes(), self.target);
        }
    }

    /// A report has come. What contradicts what was sent is counted and left aside.
    pub fn on_feedback(&mut self, now: Instant, arrivals: impl IntoIterator<Item = Arrival>) {
        let now = self.clock.time(now);
        let mut few = Few::new(&mut self.spare);
        let mut measured = None;
        let before = self.newest_arrived;
        let (mut lowest, mut highest, mut first) = (u64::MAX, 0, Micros::MAX);
        for arrival in arrivals.into_iter().take(MOST_ARRIVALS) {
            let sequence = arrival.sequence;
            let Some(at) = arrival.at else {
                match self.history.get(sequence).map(|record| record.fate) {
                    Some(Fate::Unknown) => _ = self.history.settle(sequence, Fate::Missing),
                    Some(_) => {}
                    None => {
                        self.faults.unknown += 1;
                        continue;
                    }
                }
                (lowest, highest) = (lowest.min(sequence), highest.max(sequence));
                continue;
            };
            let Some(record) = self.history.settle(sequence, Fate::Arrived) else {
                self.faults.unknown += 1;
                continue;
            };
            (lowest, highest) = (lowest.min(sequence), highest.max(sequence));
            match record.fate {
                Fate::Arrived => {
                    self.faults.repeated += 1;
                    continue;
                }
                Fate::Lost | Fate::Missing => {
                    let late = self.newest_arrived - record.sent_at;
                    self.reordering = self.reordering.max((late * 5 / 4).min(MOST_REORDERING));
                }
                Fate::Unknown => {}
            }
            let (at, sent_at, size) = (micros(at), record.sent_at, record.size);
            self.newest_arrived = self.newest_arrived.max(sent_at);
            first = first.min(sent_at);
            self.marks.on_arrival(arrival.ecn);
            few.push(Arrived { sequence, sent_at, at, size });
            self.arrived += u64::from(size);
            if record.fate != Fate::Lost {
                self.loss.on_packet(sent_at, size, false);
            }
            if let Some(id) = record.probe {
                let result = self.measures.on_arrival(id, sent_at, at, size);
                measured = result.or(measured);
            }
        }
        if lowest > self.reported.saturating_add(1) {
            self.delivered.on_gap();
        }
        self.reported = self.reported.max(highest);
        let arrived = few.in_order();
        for packet in arrived {
            self.delivered.on_packet(packet.at, packet.size);
            self.delay.on_arrival(now, packet);
        }
        let any = !arrived.is_empty();
        few.give_back(&mut self.spare);
        if any {
            self.round_trip.on_sample(now - self.newest_arrived);
            let gap = before..first.max(before);
            self.give_up(&gap);
            if let Some(before) = self.outage.on_arrival() {
                self.recover(now, before);
            }
        }
        self.history.forget(now);
        self.control(now, any);
        if let Some(measured) = measured {
            let is_believed = self.planner.on_measured(now, measured, self.target, self.arrived);
            if is_believed && measured.rate > self.target {
                self.control.on_probe(measured.rate, measured.is_full);
                self.loss.on_probe(measured.rate);
            }
        }
        self.settle(now);
        self.plan(now);
    }

    /// What was missing for too long is lost. `gap` is the time within which nothing left that arrived.
    fn give_up(&mut self, gap: &std::ops::Range<Micros>) {
        let is_outage = Loss::is_outage(gap.end - gap.start);
        if is_outage {
            self.loss.on_outage();
        }
        let (newest, loss) = (self.newest_arrived, &mut self.loss);
        self.history.give_up(newest - self.reordering, newest - UNHEARD, |record| {
            if !(is_outage && gap.contains(&record.sent_at)) {
                loss.on_packet(record.sent_at, record.size, true);
            }
        });
    }

    /// After an outage.
    fn recover(&mut self, now: Micros, before: DataRate) {
        self.delivered.reset();
        self.delay.reset();
        self.measures.clear();
        self.planner.on_new_path();
        self.control.set(before.scaled(0.5).max(self.control.rate()));
        self.planner.on_recovery(now, before);
    }

    /// `any`: whether any packet has arrived.
    fn control(&mut self, now: Micros, any: bool) {
        // What a path loses at any rate is sent, too.
        let sent = |delivered: DataRate| delivered.scaled(1.0 / (1.0 - self.loss.inherent(now)));
        let (delivered, delivered_long) = self.delivered.over_both(SHORT, LONG);
        let signs = Signs {
            usage: self.delay.usage(),
            queue: self.delay.queue(),
            least_queue: self.delay.least_queue(),
            latest_queue: self.delay.latest_queue(),
            variation: self.delay.variation(),
            delivered: delivered.map(sent),
            delivered_long: delivered_long.map(sent),
            sending: self.sending.over(SHORT),
            application: self.limited.rate(),
            sent: self.sending.over_until(SHORT, self.newest_arrived),
            round_trip: self.round_trip.smoothed(),
            is_losing: self.loss.is_losing(),
        };
        let before = self.target;
        if let Some(sent) = signs.sent {
            self.planner.on_sent(now, sent, self.arrived);
        }
        match self.control.update(now, &signs) {
            Found::Nothing => {}
            Found::Full => {
                let delivered = signs.delivered.unwrap_or(before);
                let sent = signs.sent.unwrap_or(before);
                let was_deceived = self.planner.on_full(delivered, sent, self.arrived);
                let before = if was_deceived { DataRate::ZERO } else { before };
                self.planner.on_decrease(now, before, self.control.rate());
                self.loss.on_decrease(now);
            }
            Found::Longer => {
                self.delay.reset();
                self.planner.on_new_path();
                self.planner.on_room(now);
            }
        }
        if self.control.take_room() {
            self.planner.on_room(now);
        }
        if let Some(factor) = self.marks.factor(now, self.round_trip.smoothed()) {
            let marked = self.target.scaled(factor);
            self.control.set(marked.min(self.control.rate()));
            self.planner.on_decrease(now, before, marked);
        }
        if !any {
            return;
        }
        self.loss.set_limited(self.limited.since().is_some());
        // Loss beside a queue that is to be drained comes from it.
        let is_queueing = signs.least_queue > self.control.standing(&signs);
        self.loss.update(now, self.control.rate(), signs.delivered_long, is_queueing);
    }

    /// Finds the target.
    fn settle(&mut self, now: Micros) {
        let Config { min, max, .. } = self.config;
        self.control.set(self.control.rate().clamp(min, max));
        let loss = self.loss.bound().unwrap_or(max);
        let target = self.control.rate().min(loss).clamp(min, max);
        if target < self.target && self.loss.is_bound() {
            self.planner.on_decrease(now, self.target, target);
        }
        self.target = target;
    }

    fn plan(&mut self, now: Micros) {
        self.limited.update(now);
        let view = View {
            now,
            target: self.target,
            wanted: self.wanted,
            max: self.config.max,
            is_heard: self.round_trip.is_known() && !self.outage.is_out(),
            is_congested: self.control.is_draining() || self.control.is_contended() || self.loss.is_holding(),
            queue: self.delay.least_queue(),
            is_application_limited: self.limited.since().is_some(),
        };
        while self.probes.len() < MOST_PROBES {
            let Some(probe) = self.planner.poll(&view) else { return };
            self.measures.expect(probe.id, probe.packets, probe.size);
            self.probes.push_back(probe);
        }
    }

    /// Time has come to what was waited for.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.clock.time(now);
        if self.outage.handle_timeout(now, self.target) {
            self.control.set(self.control.rate().min(self.target).scaled(0.5));
            self.settle(now);
        }
        self.plan(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let probe = (self.planner.next_at(), Reason::Probe);
        let silence = self.outage.next_at().map(|at| (at, Reason::Silence));
        let (at, reason) = silence.into_iter().chain([probe]).min_by_key(|(at, _)| *at)?;
        Some((self.clock.instant(at), reason))
    }

    /// The next thing that there is to say.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(probe) = self.probes.pop_front() {
            return Some(Event::Probe(probe));
        }
        if self.told != self.target {
            self.told = self.target;
            return Some(Event::Target(self.target));
        }
        None
    }

    /// Whether less is sent just now than the path carries, for its queue to drain.
    pub fn is_draining(&self) -> bool {
        self.control.is_draining()
    }

    /// How long an answer takes now, queues on the way included: whatever is asked for again sooner is under way. None before
    /// the first report.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip.longest().map(duration)
    }

    /// What was said that cannot be.
    pub fn faults(&self) -> Faults {
        self.faults
    }

    /// Figures for statistics.
    pub fn stats(&self) -> Stats {
        Stats {
            target: self.target,
            delay_bound: self.control.rate(),
            loss_bound: self.loss.bound(),
            delivered: self.delivered.over(LONG),
            lost: self.loss.part(),
            queue: duration(self.delay.queue()),
            round_trip: self.round_trip.is_known().then(|| duration(self.round_trip.smoothed())),
            in_flight: DataSize::from_bytes(self.history.in_flight()),
            is_application_limited: self.limited.since().is_some(),
            is_draining: self.control.is_draining(),
            is_contended: self.control.is_contended(),
        }
    }
}
