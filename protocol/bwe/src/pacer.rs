//! The pacer: lets packets leave at a rate, in small batches, the urgent ones first (libwebrtc's `PacingController`;
//! RFC 8085 §3.1.6 asks for pacing).

mod budget;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use budget::Budget;
pub use queue::Priority;
use queue::{Queued, Queues};

use crate::packet::{Probe, ProbeId};
use crate::rate::{DataRate, DataSize};
use crate::time::{Clock, MILLISECOND, Micros, SECOND, duration, micros};

/// How a pacer behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PacerConfig {
    /// How much faster than the target packets leave while some wait, so that a frame does not take as long to leave as
    /// the next one takes to come. See `SOURCES.md` for what was measured.
    pub factor: f64,
    /// How much leaves at once: what takes so long at the rate, or 16 packets. 5 ms by default. A frame is of no use before
    /// its last packet, so that whoever sends to many, and pays for each system call, may let whole frames go.
    pub batch: Duration,
    /// Packets do not wait longer than about this: the rate rises. 2 s by default.
    pub longest_wait: Duration,
    /// Whether audio waits for its turn, too. It does not by default.
    pub paces_audio: bool,
}

impl Default for PacerConfig {
    fn default() -> Self {
        Self {
            factor: 1.35,
            batch: Duration::from_millis(5),
            longest_wait: Duration::from_secs(2),
            paces_audio: false,
        }
    }
}

/// What may leave now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release<T> {
    /// A packet that was queued.
    Packet {
        /// As it was given.
        item: T,
        /// As it was told.
        size: DataSize,
        /// How long it has waited.
        waited: Duration,
        /// The probe that it serves, for [`Sent::probe`](crate::Sent::probe).
        probe: Option<ProbeId>,
    },
    /// A packet of no use but its size is to be made up: a retransmission of something recent, or padding.
    Padding {
        /// About so large.
        size: DataSize,
        /// The probe that it serves.
        probe: Option<ProbeId>,
    },
}

/// There is no room for a packet: so many wait already. Nobody wants what would come out at the end of such a queue; drop
/// a whole frame and ask for a key frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

/// What a pacer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacerReason {
    /// The turn of a queued packet.
    Packet,
    /// The next packet of a probe.
    Probe,
    /// Padding.
    Padding,
}

/// Packets that wait, at most.
pub const QUEUE_LIMIT: usize = 4096;
/// Probes that wait, at most.
const MOST_PROBES: usize = 4;
/// Padding is made in packets of about this size.
const PADDING_SIZE: u64 = 1200;
/// For a probe, not smaller than this.
const LEAST_PADDING_SIZE: u64 = 50;
/// How late padding may be without being left out.
const PADDING_CREDIT: Micros = 5 * MILLISECOND;
/// Between packets of padding: beyond 100 Mbit/s nobody pads.
const LEAST_PADDING_GAP: Micros = 75;
/// While packets wait the rate is looked at this often: it rises as they grow old.
const LOOK: Micros = 50 * MILLISECOND;
/// A probe for which nothing can be made up ends after this time.
const PROBE_PATIENCE: Micros = 200 * MILLISECOND;
/// A wake-up in the middle of a probe may be so late.
const LATEST: Micros = 10 * MILLISECOND;

/// Lets packets leave at a rate. `T` is whatever the caller needs to find the packet: a handle, not its bytes.
///
/// Order of calls: [`push`](Self::push) what is to be sent, then [`poll_release`](Self::poll_release) until there is
/// nothing; again at [`poll_timeout`](Self::poll_timeout). What may leave at once ([`is_open`](Self::is_open)) need not be
/// queued.
#[derive(Debug)]
pub struct Pacer<T> {
    config: PacerConfig,
    clock: Clock,
    target: DataRate,
    queues: Queues<T>,
    budget: Budget,
    /// The rate below which padding makes up for what is missing.
    padding: DataRate,
    padding_next: Micros,
    can_pad: bool,
    probes: VecDeque<Running>,
    /// When the rate was last looked at.
    adjusted_at: Micros,
    /// Whether it is faster than the target has it, for what waits.
    is_hurried: bool,
    /// Packets were queued since then, for which there was room.
    is_stale: bool,
}

/// A probe.
#[derive(Clone, Copy, Debug)]
struct Running {
    probe: Probe,
    began_at: Option<Micros>,
    bytes: u64,
    packets: u32,
}

impl<T> Pacer<T> {
    /// A pacer without packets.
    pub fn new(now: Instant, target: DataRate, config: PacerConfig) -> Self {
        let mut pacer = Self {
            config,
            clock: Clock::new(now),
            target,
            queues: Queues::new(),
            budget: Budget::new(micros(config.batch)),
            padding: DataRate::ZERO,
            padding_next: 0,
            can_pad: true,
            probes: VecDeque::with_capacity(MOST_PROBES),
            adjusted_at: 0,
            is_hurried: false,
            is_stale: false,
        };
        pacer.set_target(now, target);
        pacer
    }

    /// The estimator's target has changed.
    pub fn set_target(&mut self, now: Instant, target: DataRate) {
        if target < self.target {
            // There is an answer already.
            self.probes.clear();
        }
        self.target = target;
        // What the target has caught up with would only hold up what waits.
        while self.probes.front().is_some_and(|running| running.probe.rate <= target) {
            self.probes.pop_front();
        }
        let now = self.clock.time(now);
        self.adjust(now);
    }

    /// Whether something can be made up for padding: it cannot where no stream can be sent on again. It can by default.
    pub fn set_can_pad(&mut self, can_pad: bool) {
        self.can_pad = can_pad;
    }

    /// So much is to be sent at least, with padding where there is nothing else; nothing by default. Who wants to climb
    /// to a higher rate for which there is no media yet sets it.
    pub fn set_padding(&mut self, now: Instant, rate: DataRate) {
        self.padding = rate;
        let now = self.clock.time(now);
        self.padding_next = self.padding_next.max(now);
    }

    /// Sends this probe as soon as those before are done. One beyond a few, or no faster than the target, is not sent.
    pub fn probe(&mut self, probe: Probe) {
        if self.probes.len() < MOST_PROBES && probe.rate > self.target {
            self.probes.push_back(Running { probe, began_at: None, bytes: 0, packets: 0 });
        }
    }

    /// Queues a packet of a stream.
    ///
    /// # Errors
    ///
    /// [`Full`] where [`QUEUE_LIMIT`] packets wait already, or too many streams have some.
    pub fn push(
        &mut self,
        now: Instant,
        stream: u64,
        priority: Priority,
        size: DataSize,
        item: T,
    ) -> Result<(), Full<T>> {
        let queued_at = self.clock.time(now);
        let bytes = u32::try_from(size.as_bytes()).unwrap_or(u32::MAX);
        self.queues.push(stream, priority, Queued { item, bytes, queued_at }).map_err(Full)?;
        // What may leave at once needs no rate.
        if self.is_hurried || !self.budget.is_ready(queued_at) {
            self.adjust(queued_at);
        } else {
            self.is_stale = true;
        }
        Ok(())
    }

    /// Whether a packet of this priority that came now would leave at once: nothing is to go before it, and the rate has room.
    /// Then there is no need to queue it: send it, and say so ([`Pacer::passed`]).
    #[inline]
    pub fn is_open(&mut self, now: Instant, priority: Priority) -> bool {
        if !self.probes.is_empty() {
            return false;
        }
        if priority == Priority::Audio && !self.config.paces_audio {
            return !self.queues.has_audio();
        }
        if self.queues.count() > 0 {
            return false;
        }
        let now = self.clock.time(now);
        if self.is_hurried {
            // What it was faster for has left.
            self.adjust(now);
        }
        self.budget.is_ready(now)
    }

    /// A packet has left without having been queued, as [`Pacer::is_open`] said that it may.
    #[inline]
    pub fn passed(&mut self, now: Instant, size: DataSize) {
        let now = self.clock.time(now);
        self.account(now, size.as_bytes());
    }

    /// Drops what a stream has waiting: it ended, or begins anew with a key frame. `dropped` gets each.
    pub fn drop_stream(&mut self, stream: u64, dropped: impl FnMut(T)) {
        self.queues.drop_stream(stream, dropped);
    }

    /// Gives memory back that packets had waited in, if none was queued since the last call: call it now and then, where there
    /// are many pacers.
    pub fn rest(&mut self) {
        self.queues.rest();
    }

    /// Packets that wait.
    pub fn waiting(&self) -> usize {
        self.queues.count()
    }

    /// Bytes that wait.
    pub fn waiting_size(&self) -> DataSize {
        DataSize::from_bytes(self.queues.bytes())
    }

    /// How long a packet of this priority that came now would wait, at the rate of now.
    pub fn wait(&mut self, now: Instant, priority: Priority) -> Duration {
        let now = self.clock.time(now);
        let ahead = self.budget.debt(now) + DataSize::from_bytes(self.queues.bytes_until(priority));
        ahead.at(self.budget.rate())
    }

    /// What may leave now: called until there is nothing. What comes out at one time is a batch, of some 5 ms or 16 packets.
    pub fn poll_release(&mut self, now: Instant) -> Option<Release<T>> {
        let now = self.clock.time(now);
        self.drop_stale_probe(now);
        if !self.config.paces_audio
            && let Some(queued) = self.queues.pop_audio()
        {
            return Some(self.release(now, queued));
        }
        if let Some(at) = self.probe_at() {
            if at > now {
                return None;
            }
            if let Some(queued) = self.queues.pop() {
                return Some(self.release(now, queued));
            }
            return self.pad_probe(now);
        }
        if self.queues.count() > 0 {
            if now - self.adjusted_at >= LOOK {
                self.adjust(now);
            }
            if !self.budget.is_ready(now) {
                if self.is_stale {
                    self.adjust(now);
                }
                return None;
            }
            let queued = self.queues.pop()?;
            return Some(self.release(now, queued));
        }
        if self.padding_at().is_some_and(|at| at <= now) && self.budget.is_ready(now) {
            let size = DataSize::from_bytes(PADDING_SIZE);
            self.account(now, PADDING_SIZE);
            return Some(Release::Padding { size, probe: None });
        }
        None
    }

    /// When [`poll_release`](Self::poll_release) will have something, as far as is known, and what.
    pub fn poll_timeout(&self) -> Option<(Instant, PacerReason)> {
        let (at, reason) = if self.queues.has_audio() && !self.config.paces_audio {
            (0, PacerReason::Packet)
        } else if let Some(at) = self.probe_at() {
            (at, PacerReason::Probe)
        } else if self.queues.count() > 0 {
            (self.budget.ready_at().min(self.adjusted_at + LOOK), PacerReason::Packet)
        } else {
            (self.padding_at()?.max(self.budget.ready_at()), PacerReason::Padding)
        };
        Some((self.clock.instant(at), reason))
    }

    /// When the next packet of a probe may leave, if one is under way.
    fn probe_at(&self) -> Option<Micros> {
        let running = self.probes.front()?;
        if !self.can_pad && self.queues.count() == 0 {
            return None;
        }
        let Some(began_at) = running.began_at else { return Some(0) };
        let took = DataSize::from_bytes(running.bytes).at(running.probe.rate);
        Some(began_at + micros(took))
    }

    fn pad_probe(&mut self, now: Micros) -> Option<Release<T>> {
        let running = self.probes.front()?;
        let id = running.probe.id;
        // Small enough for the probe to have its packets, and not too small for it to have its bytes soon.
        let size = running.probe.size.as_bytes() / u64::from(running.probe.packets.max(1));
        let size = size.clamp(LEAST_PADDING_SIZE, PADDING_SIZE);
        self.account(now, size);
        Some(Release::Padding { size: DataSize::from_bytes(size), probe: Some(id) })
    }

    /// A probe that could not be sent for want of packets is of no use, nor one that holds up packets which have waited too
    /// long to leave so slowly.
    fn drop_stale_probe(&mut self, now: Micros) {
        if self.probes.is_empty() {
            return;
        }
        let hurry = self.budget.rate();
        let is_pressed = self.queues.count() > 0 && hurry > self.target.scaled(self.config.factor);
        while is_pressed && self.probes.front().is_some_and(|running| running.probe.rate < hurry) {
            self.probes.pop_front();
        }
        if let Some(running) = self.probes.front() {
            let is_late = running.began_at.is_some_and(|at| now - at > PROBE_PATIENCE + SECOND);
            let is_starved = !self.can_pad
                && self.queues.count() == 0
                && running.began_at.is_some_and(|at| now - at > PROBE_PATIENCE);
            if is_late || is_starved {
                self.probes.pop_front();
            }
        }
    }

    fn release(&mut self, now: Micros, queued: Queued<T>) -> Release<T> {
        let probe = self.account(now, u64::from(queued.bytes));
        Release::Packet {
            item: queued.item,
            size: DataSize::from_bytes(u64::from(queued.bytes)),
            waited: duration(now - queued.queued_at),
            probe,
        }
    }

    /// Something leaves; the probe that it serves.
    #[inline]
    fn account(&mut self, now: Micros, bytes: u64) -> Option<ProbeId> {
        self.budget.on_sent(now, bytes);
        if self.padding > DataRate::ZERO {
            let took = micros(DataSize::from_bytes(bytes).at(self.padding));
            self.padding_next = self.padding_next.max(now - PADDING_CREDIT) + took.max(LEAST_PADDING_GAP);
        }
        let running = self.probes.front_mut()?;
        let began_at = *running.began_at.get_or_insert(now);
        // Who wakes up late does not send everything at once.
        let due = began_at + micros(DataSize::from_bytes(running.bytes).at(running.probe.rate));
        if now - due > LATEST {
            running.began_at = Some(began_at + now - due);
        }
        running.bytes += bytes;
        running.packets += 1;
        let (id, done) = (
            running.probe.id,
            running.bytes >= running.probe.size.as_bytes() && running.packets >= running.probe.packets,
        );
        if done {
            self.probes.pop_front();
        }
        Some(id)
    }

    fn padding_at(&self) -> Option<Micros> {
        (self.padding > DataRate::ZERO && self.can_pad).then_some(self.padding_next)
    }

    /// The rate that empties the queue in time.
    fn adjust(&mut self, now: Micros) {
        let paced = self.target.scaled(self.config.factor);
        let left = micros(self.config.longest_wait) - self.queues.mean_wait(now);
        let needed = if self.queues.count() > 0 {
            let ahead = self.budget.debt(now) + DataSize::from_bytes(self.queues.bytes());
            ahead.per(duration(left.max(MILLISECOND)))
        } else {
            DataRate::ZERO
        };
        self.budget.set_rate(now, paced.max(needed));
        self.adjusted_at = now;
        (self.is_hurried, self.is_stale) = (needed > paced, false);
    }
}
