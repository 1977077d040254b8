//! The crate `bwe`: estimator and pacer, with feedback of the grain that transport-wide feedback has.

use std::time::{Duration, Instant};

use bwe::{Arrival, Config, DataRate, DataSize, Ecn, Estimator, Event, Kind, Pacer, PacerConfig, Priority};
use bwe::{ProbeId, Release, Sent};

use super::encoder::Encoder;
use super::end::{End, Label, MEDIA, OTHER};
use super::plan::MOST;

/// What SRTP, the header and extensions add to a payload; and UDP and IP to that.
const RTP: usize = 12 + 8 + 10;
const IP: usize = 28;
/// Between reports, as str0m does.
const REPORT: Duration = Duration::from_millis(50);
/// The grain of times in reports (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.1).
const GRAIN: u64 = 250;

pub(crate) struct Sender {
    start: Instant,
    estimator: Estimator,
    pacer: Pacer<Label>,
    encoder: Option<Encoder>,
    most: u64,
    sequence: u64,
    media: u16,
    seed: u64,
}

impl Sender {
    pub(crate) fn new(now: Instant, seed: u64) -> Self {
        let estimator = Estimator::new(now, Config { wanted: DataRate::from_bps(MOST), ..Config::default() });
        let pacer = Pacer::new(now, estimator.target(), PacerConfig::default());
        Self { start: now, estimator, pacer, encoder: None, most: MOST, sequence: 0, media: 0, seed }
    }

    fn encode(&mut self, now: Instant) {
        let Some(encoder) = &mut self.encoder else { return };
        let rate = self.estimator.target().as_bps().min(self.most);
        let Some(sizes) = encoder.frame(now, rate) else { return };
        let frame = (now - self.start).as_millis() as u32;
        for size in sizes {
            let label = Label { ssrc: MEDIA, sequence: self.media, frame };
            self.media = self.media.wrapping_add(1);
            let size = DataSize::from_bytes((size + RTP + IP) as u64);
            // What finds no room is dropped.
            let _ = self.pacer.push(now, u64::from(MEDIA), Priority::Video, size, label);
        }
    }

    fn sent(
        &mut self,
        now: Instant,
        label: Label,
        size: DataSize,
        kind: Kind,
        probe: Option<ProbeId>,
    ) -> Vec<u8> {
        let sequence = self.sequence;
        self.sequence += 1;
        self.estimator.on_sent(&Sent { sequence, size, at: now, kind, probe });
        let mut datagram = label.write(size.as_bytes() as usize - IP);
        datagram[12..20].copy_from_slice(&sequence.to_be_bytes());
        datagram
    }

    fn hear(&mut self, now: Instant) {
        while let Some(event) = self.estimator.poll_event() {
            match event {
                Event::Target(target) => self.pacer.set_target(now, target),
                Event::Probe(probe) => self.pacer.probe(probe),
            }
        }
    }
}

impl End for Sender {
    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        let words = datagram.chunks_exact(8).filter_map(|word| word.try_into().ok().map(u64::from_be_bytes));
        let mut words = words;
        let Some(base) = words.next() else { return };
        let arrivals = words.enumerate().map(|(index, at)| Arrival {
            sequence: base + index as u64,
            at: (at > 0).then(|| Duration::from_micros(at * GRAIN)),
            ecn: Ecn::NotEct,
        });
        self.estimator.on_feedback(now, arrivals);
        self.hear(now);
    }

    fn advance(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        self.estimator.handle_timeout(now);
        self.hear(now);
        if self.encoder.is_none() {
            return;
        }
        self.encode(now);
        while let Some(release) = self.pacer.poll_release(now) {
            let datagram = match release {
                Release::Packet { item, size, probe, .. } => self.sent(now, item, size, Kind::Media, probe),
                Release::Padding { size, probe } => {
                    let label = Label { ssrc: OTHER, sequence: self.sequence as u16, frame: 0 };
                    let size = size.max(DataSize::from_bytes((RTP + IP) as u64));
                    self.sent(now, label, size, Kind::Padding, probe)
                }
            };
            out.push(datagram);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let encoder = self.encoder.as_ref()?.next_at();
        let estimator = self.estimator.poll_timeout().map(|(at, _)| at);
        let pacer = self.pacer.poll_timeout().map(|(at, _)| at);
        estimator.into_iter().chain(pacer).chain([encoder]).min()
    }

    fn begin(&mut self, now: Instant, sizes: &'static [u64]) {
        self.encoder = Some(Encoder::new(now, self.seed, sizes));
    }

    fn limit(&mut self, _now: Instant, most: u64) {
        self.most = most;
    }

    fn target(&self) -> u64 {
        self.estimator.target().as_bps()
    }

    fn trace(&self) -> String {
        let stats = self.estimator.stats();
        format!(
            "delay {} loss {} acked {} lost {:.3} queue {} ms wait {} {}",
            stats.delay_bound,
            stats.loss_bound.map_or_else(|| "-".into(), |bound| bound.to_string()),
            stats.delivered.unwrap_or_default(),
            stats.lost,
            stats.queue.as_millis(),
            self.pacer.waiting(),
            match (stats.is_contended, stats.is_draining, stats.is_application_limited) {
                (true, ..) => "contended",
                (_, true, _) => "draining",
                (.., true) => "limited",
                _ => "",
            },
        )
    }
}

/// Reports what arrives.
#[derive(Debug)]
pub(crate) struct Receiver {
    start: Instant,
    /// From the first that was not reported on.
    base: u64,
    arrivals: Vec<u64>,
    next_base: u64,
    report_at: Option<Instant>,
    reported_at: Instant,
}

impl Receiver {
    pub(crate) fn new(now: Instant) -> Self {
        Self { start: now, base: 0, arrivals: Vec::new(), next_base: 0, report_at: None, reported_at: now }
    }
}

impl End for Receiver {
    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        let Some(sequence) = datagram.get(12..20).and_then(|word| word.try_into().ok()) else { return };
        let sequence = u64::from_be_bytes(sequence);
        if self.arrivals.is_empty() {
            // One that comes after its report is reported again, with what is behind it.
            self.base = self.next_base.min(sequence);
        }
        if sequence < self.base {
            let missing = (self.base - sequence) as usize;
            self.arrivals.splice(0..0, std::iter::repeat_n(0, missing));
            self.base = sequence;
        }
        let place = (sequence - self.base) as usize;
        self.arrivals.resize(self.arrivals.len().max(place + 1), 0);
        self.arrivals[place] = ((now - self.start).as_micros() as u64 / GRAIN).max(1);
        self.next_base = self.next_base.max(sequence + 1);
        self.report_at.get_or_insert((self.reported_at + REPORT).max(now));
    }

    fn advance(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        if self.report_at.is_none_or(|at| at > now) {
            return;
        }
        self.report_at = None;
        self.reported_at = now;
        let words = std::iter::once(self.base).chain(self.arrivals.iter().copied());
        out.push(words.flat_map(u64::to_be_bytes).collect());
        self.arrivals.clear();
    }

    fn deadline(&self) -> Option<Instant> {
        self.report_at
    }
}
