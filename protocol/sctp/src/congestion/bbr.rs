//! BBR version 3: state and control parameters (draft-ietf-ccwg-bbr-06 §5.2, §5.3.1, §5.3.2, §5.6).
//!
//! The model of the path is in `model`, the ProbeBW and ProbeRTT states are in `probe`. Names are the
//! draft's; gains are in hundredths, rates in bytes a second, [`INFINITY`] stands for "no bound".

use super::filter::MaxFilter;
use super::rate_sample::{PacketState, RateSample, Sampler};
use crate::time::{MILLISECOND, Nanos, SECOND, Time};

/// No bound, or not known yet.
pub(super) const INFINITY: u64 = u64::MAX;

const STARTUP_PACING_GAIN: u64 = 277;
const DRAIN_PACING_GAIN: u64 = 50;
/// A little less than the draft's 2: a window of two bandwidth-delay products fills a buffer of one to its
/// last byte, and then loses hundreds of packets.
const DEFAULT_CWND_GAIN: u64 = 190;
const PROBE_UP_CWND_GAIN: u64 = 225;
const PROBE_RTT_CWND_GAIN: u64 = 50;
/// What a probe upwards puts on the path before it waits for what comes of it.
const PROBE_UP_INFLIGHT_GAIN: u64 = 125;
/// A queue that short is none: drivers wake up that late.
const QUEUE_OF_DRIVERS: Nanos = 4 * MILLISECOND;
/// Pace a hundredth below the estimate, on average.
const PACING_MARGIN: u64 = 99;
/// The least congestion window, in packets (§5.6.4.3).
const MIN_PIPE_PACKETS: u64 = 4;
/// The first congestion window, in packets (RFC 6928).
const INITIAL_PACKETS: u64 = 10;
/// Loss events in a round that may end Startup (§5.3.1.3).
const STARTUP_FULL_LOSS_COUNT: u32 = 6;

/// §5.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Startup,
    Drain,
    ProbeBwDown,
    ProbeBwCruise,
    ProbeBwRefill,
    ProbeBwUp,
    ProbeRtt,
}

/// Which phase of a bandwidth probe acknowledgements tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AckPhase {
    Init,
    Refilling,
    ProbeStarting,
    ProbeFeedback,
    ProbeStopping,
}

/// The congestion control of one association.
#[derive(Debug)]
pub(crate) struct Bbr {
    pub(super) sampler: Sampler,
    pub(super) state: State,
    pub(super) packet_size: u64,
    pub(super) cwnd: u64,
    pub(super) prior_cwnd: u64,
    pub(super) pacing_rate: u64,
    pub(super) in_flight: u64,
    pub(super) is_cwnd_limited: bool,
    pub(super) random: u64,

    // Model: rates.
    pub(super) max_bw_filter: [u64; 2],
    pub(super) max_bw: u64,
    pub(super) bw: u64,
    pub(super) bw_shortterm: u64,
    pub(super) bw_latest: u64,
    // Model: volumes.
    pub(super) inflight_longterm: u64,
    pub(super) inflight_shortterm: u64,
    pub(super) inflight_latest: u64,
    pub(super) extra_acked: u64,
    pub(super) extra_acked_filter: MaxFilter,
    pub(super) extra_acked_interval_start: Time,
    pub(super) extra_acked_delivered: u64,
    // Model: round trips.
    pub(super) min_rtt: u64,
    pub(super) min_rtt_stamp: Time,
    pub(super) probe_rtt_min_delay: u64,
    pub(super) probe_rtt_min_stamp: Time,
    pub(super) probe_rtt_expired: bool,
    pub(super) probe_rtt_done_stamp: Option<Time>,
    pub(super) probe_rtt_round_done: bool,
    pub(super) idle_restart: bool,
    // Rounds.
    pub(super) next_round_delivered: u64,
    pub(super) round_start: bool,
    pub(super) round_count: u64,
    /// The least round trip of this round and of the one before.
    pub(super) round_min_rtt: u64,
    pub(super) last_round_min_rtt: u64,
    pub(super) drain_start_round: u64,
    // Loss.
    pub(super) is_loss_in_round: bool,
    pub(super) loss_round_delivered: u64,
    pub(super) loss_round_start: bool,
    pub(super) loss_events_in_round: u32,
    pub(super) last_loss_event: u64,
    // The full pipe.
    pub(super) full_bw: u64,
    pub(super) full_bw_count: u32,
    pub(super) full_bw_now: bool,
    pub(super) full_bw_reached: bool,
    // ProbeBW.
    pub(super) ack_phase: AckPhase,
    pub(super) cycle_stamp: Time,
    pub(super) bw_probe_wait: Nanos,
    pub(super) rounds_since_probe_up: u64,
    pub(super) bw_probe_up_rounds: u32,
    pub(super) bw_probe_up_acked: u64,
    pub(super) probe_up_acked_per_inc: u64,
    pub(super) is_bw_probe_sample: bool,
    pub(super) prev_probe_too_high: bool,
    pub(super) prev_probe_precautionary: bool,
    // Undo.
    pub(super) undo_state: Option<State>,
    pub(super) undo_bw_shortterm: u64,
    pub(super) undo_inflight_shortterm: u64,
    pub(super) undo_inflight_longterm: u64,
}

impl Bbr {
    /// §5.2.1. `rtt` is a first measurement, where there is one already.
    pub(crate) fn new(now: Time, packet_size: usize, rtt: Option<Nanos>, seed: u64) -> Self {
        let packet_size = packet_size as u64;
        let initial_cwnd = INITIAL_PACKETS * packet_size;
        let nominal = super::rate_sample::per_second(initial_cwnd, rtt.unwrap_or(MILLISECOND));
        Self {
            sampler: Sampler::default(),
            state: State::Startup,
            packet_size,
            cwnd: initial_cwnd,
            prior_cwnd: 0,
            pacing_rate: nominal * STARTUP_PACING_GAIN / 100,
            in_flight: 0,
            is_cwnd_limited: false,
            random: seed,
            max_bw_filter: [0; 2],
            max_bw: 0,
            bw: 0,
            bw_shortterm: INFINITY,
            bw_latest: 0,
            inflight_longterm: INFINITY,
            inflight_shortterm: INFINITY,
            inflight_latest: 0,
            extra_acked: 0,
            extra_acked_filter: MaxFilter::default(),
            extra_acked_interval_start: now,
            extra_acked_delivered: 0,
            min_rtt: INFINITY,
            min_rtt_stamp: now,
            probe_rtt_min_delay: INFINITY,
            probe_rtt_min_stamp: now,
            probe_rtt_expired: false,
            probe_rtt_done_stamp: None,
            probe_rtt_round_done: false,
            idle_restart: false,
            next_round_delivered: 0,
            round_start: false,
            round_count: 0,
            round_min_rtt: INFINITY,
            last_round_min_rtt: INFINITY,
            drain_start_round: 0,
            is_loss_in_round: false,
            loss_round_delivered: 0,
            loss_round_start: false,
            loss_events_in_round: 0,
            last_loss_event: INFINITY,
            full_bw: 0,
            full_bw_count: 0,
            full_bw_now: false,
            full_bw_reached: false,
            ack_phase: AckPhase::Init,
            cycle_stamp: now,
            bw_probe_wait: 0,
            rounds_since_probe_up: 0,
            bw_probe_up_rounds: 0,
            bw_probe_up_acked: 0,
            probe_up_acked_per_inc: INFINITY,
            is_bw_probe_sample: false,
            prev_probe_too_high: false,
            prev_probe_precautionary: false,
            undo_state: None,
            undo_bw_shortterm: INFINITY,
            undo_inflight_shortterm: INFINITY,
            undo_inflight_longterm: INFINITY,
        }
    }

    /// Bytes that may be under way.
    #[inline]
    pub(crate) fn cwnd(&self) -> u64 {
        self.cwnd
    }

    /// Bytes a second.
    #[inline]
    pub(crate) fn pacing_rate(&self) -> u64 {
        self.pacing_rate
    }

    /// The estimate of what the path delivers, in bytes a second; zero: none yet.
    pub(crate) fn bandwidth(&self) -> u64 {
        self.bw
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// A packet of data leaves (§5.2.2). `in_flight` does not include it.
    #[inline]
    pub(crate) fn on_sent(&mut self, now: Time, size: u32, in_flight: u64) -> PacketState {
        if in_flight == 0 && self.sampler.is_app_limited() {
            self.restart_from_idle(now);
        }
        self.sampler.on_sent(now, size, in_flight)
    }

    /// There was nothing to send (draft §4.1.2.4).
    #[inline]
    pub(crate) fn mark_app_limited(&mut self, in_flight: u64) {
        if in_flight < self.cwnd {
            self.sampler.mark_app_limited(in_flight);
        }
    }

    /// The congestion window held back a packet.
    #[inline]
    pub(crate) fn mark_cwnd_limited(&mut self) {
        self.is_cwnd_limited = true;
    }

    /// Data was newly acknowledged (§5.2.3). `newest` is the packet of it that left last, with its
    /// round trip, and whether all that arrived was acknowledged; `in_flight` is what is under way now.
    pub(crate) fn on_ack(
        &mut self,
        now: Time,
        newly_acked: u64,
        (newest, rtt, is_whole): (&PacketState, Option<Nanos>, bool),
        in_flight: u64,
    ) {
        self.in_flight = in_flight;
        let min_rtt = (self.min_rtt != INFINITY).then_some(self.min_rtt);
        let mut sample = self.sampler.sample(now, newly_acked, newest, min_rtt);
        sample.rtt = rtt;
        if !is_whole {
            sample.delivery_rate = 0;
        }
        self.update_model_and_state(now, &sample);
        self.set_pacing_rate_with_gain(self.pacing_gain());
        self.set_cwnd(&sample);
        if self.round_start {
            self.is_cwnd_limited = false;
        }
    }

    fn update_model_and_state(&mut self, now: Time, sample: &RateSample) {
        self.update_latest_delivery_signals(sample);
        self.update_congestion_signals(sample);
        self.update_ack_aggregation(now, sample);
        self.check_full_bw_reached(sample);
        self.check_startup_done(sample);
        self.check_drain_done(now);
        self.update_probe_bw_cycle_phase(now, sample);
        self.update_min_rtt(now, sample);
        self.check_probe_rtt(now, sample);
        self.advance_latest_delivery_signals(sample);
        self.bw = self.max_bw.min(self.bw_shortterm);
    }

    /// A packet is believed lost (§5.5.10.2).
    pub(crate) fn on_lost(&mut self, now: Time, packet: &PacketState) {
        self.sampler.lost += u64::from(packet.size);
        if self.last_loss_event != self.sampler.delivered {
            self.last_loss_event = self.sampler.delivered;
            self.loss_events_in_round += 1;
        }
        self.handle_lost_packet(now, packet);
    }

    /// Every loss of an episode turned out to be none (§5.5.11.2).
    pub(crate) fn on_spurious_loss(&mut self) {
        self.handle_spurious_loss();
    }

    /// The retransmission timer expired (§5.6.4.4).
    pub(crate) fn on_timeout(&mut self, in_flight: u64) {
        self.save_cwnd();
        self.save_state_upon_loss();
        self.cwnd = in_flight + self.packet_size;
    }

    /// Everything that was lost has arrived (§5.6.4.4).
    pub(crate) fn on_recovered(&mut self) {
        self.restore_cwnd();
    }

    // ---- Startup and Drain (§5.3.1, §5.3.2).

    pub(super) fn enter_startup(&mut self) {
        self.state = State::Startup;
    }

    fn check_startup_done(&mut self, sample: &RateSample) {
        if self.state != State::Startup {
            return;
        }
        // §5.3.1.3: exit by loss, judged once a round.
        if self.loss_round_start {
            let is_lossy = sample.lost * 50 > sample.tx_in_flight;
            if is_lossy && self.loss_events_in_round >= STARTUP_FULL_LOSS_COUNT && !self.full_bw_reached {
                self.undo_state = Some(State::Startup);
                self.full_bw_reached = true;
                self.inflight_longterm = self.bdp().max(self.inflight_latest);
            }
            self.loss_events_in_round = 0;
        }
        if self.full_bw_reached {
            self.state = State::Drain;
            self.drain_start_round = self.round_count;
        }
    }

    fn check_drain_done(&mut self, now: Time) {
        if self.state == State::Drain
            && (self.in_flight <= self.inflight(100) || self.round_count > self.drain_start_round + 3)
        {
            self.start_probe_bw_down(now);
        }
    }

    // ---- Control parameters (§5.6).

    fn pacing_gain(&self) -> u64 {
        match self.state {
            State::Startup => STARTUP_PACING_GAIN,
            State::Drain => DRAIN_PACING_GAIN,
            State::ProbeBwDown => 90,
            State::ProbeBwUp if !self.has_filled_up() => 125,
            State::ProbeBwUp => 100,
            State::ProbeBwCruise | State::ProbeBwRefill | State::ProbeRtt => 100,
        }
    }

    /// Whether a probe upwards has put a quarter more on the path than it holds: a longer queue would say nothing
    /// further. Where the path turns out to carry more, it holds more.
    fn has_filled_up(&self) -> bool {
        let short = self.inflight(100) + self.bw / 1000 * (QUEUE_OF_DRIVERS / MILLISECOND);
        self.in_flight >= self.inflight(PROBE_UP_INFLIGHT_GAIN).max(short) + self.extra_acked
    }

    fn cwnd_gain(&self) -> u64 {
        match self.state {
            State::ProbeBwUp => PROBE_UP_CWND_GAIN,
            State::ProbeRtt => PROBE_RTT_CWND_GAIN,
            _ => DEFAULT_CWND_GAIN,
        }
    }

    /// §5.6.2.
    pub(super) fn set_pacing_rate_with_gain(&mut self, gain: u64) {
        let rate = self.bw / 100 * gain * PACING_MARGIN / 100;
        if rate > 0 && (self.full_bw_reached || rate > self.pacing_rate) {
            self.pacing_rate = rate;
        }
    }

    /// §5.6.3, without the draft's upper bound: the pacer's bursts are a millisecond long at any rate.
    fn send_quantum(&self) -> u64 {
        (self.pacing_rate / 1000).max(2 * self.packet_size)
    }

    pub(super) fn min_pipe_cwnd(&self) -> u64 {
        MIN_PIPE_PACKETS * self.packet_size
    }

    fn initial_cwnd(&self) -> u64 {
        INITIAL_PACKETS * self.packet_size
    }

    /// §5.6.4.2.
    pub(super) fn bdp_multiple(&self, gain: u64) -> u64 {
        if self.min_rtt == INFINITY {
            return self.initial_cwnd();
        }
        self.bdp() * gain / 100
    }

    pub(super) fn bdp(&self) -> u64 {
        if self.min_rtt == INFINITY {
            return self.initial_cwnd();
        }
        // In microseconds, so that 64 bits hold 18 TB of rate times delay.
        self.bw.saturating_mul(self.min_rtt / 1000) / (SECOND / 1000)
    }

    fn quantization_budget(&self, inflight_cap: u64) -> u64 {
        let mut cap = inflight_cap.max(self.send_quantum()).max(self.min_pipe_cwnd());
        if self.state == State::ProbeBwUp {
            cap += 2 * self.packet_size;
        }
        cap
    }

    pub(super) fn inflight(&self, gain: u64) -> u64 {
        self.quantization_budget(self.bdp_multiple(gain))
    }

    /// §5.6.4.6.
    fn set_cwnd(&mut self, sample: &RateSample) {
        // While the rate still doubles, every round looks like aggregation (Linux leaves it out, too).
        let extra_acked = if self.full_bw_reached { self.extra_acked } else { 0 };
        let max_inflight = self.quantization_budget(self.bdp_multiple(self.cwnd_gain()) + extra_acked);
        if self.full_bw_reached {
            self.cwnd = (self.cwnd + sample.newly_acked).min(max_inflight);
        } else if self.cwnd < max_inflight || self.sampler.delivered < self.initial_cwnd() {
            self.cwnd += sample.newly_acked;
        }
        self.cwnd = self.cwnd.max(self.min_pipe_cwnd());
        if self.state == State::ProbeRtt {
            self.cwnd = self.cwnd.min(self.probe_rtt_cwnd());
        }
        self.bound_cwnd_for_model();
    }

    pub(super) fn probe_rtt_cwnd(&self) -> u64 {
        self.bdp_multiple(PROBE_RTT_CWND_GAIN).max(self.min_pipe_cwnd())
    }

    /// §5.6.4.7.
    fn bound_cwnd_for_model(&mut self) {
        let cap = match self.state {
            State::ProbeBwDown | State::ProbeBwRefill | State::ProbeBwUp => self.inflight_longterm,
            State::ProbeRtt | State::ProbeBwCruise => self.inflight_with_headroom(),
            State::Startup | State::Drain => INFINITY,
        };
        let cap = cap.min(self.inflight_shortterm).max(self.min_pipe_cwnd());
        self.cwnd = self.cwnd.min(cap);
    }

    pub(super) fn save_cwnd(&mut self) {
        if !self.is_loss_in_round && self.state != State::ProbeRtt {
            self.prior_cwnd = self.cwnd;
        } else {
            self.prior_cwnd = self.prior_cwnd.max(self.cwnd);
        }
    }

    pub(super) fn restore_cwnd(&mut self) {
        self.cwnd = self.cwnd.max(self.prior_cwnd);
    }
}
