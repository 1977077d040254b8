//! BBR's steady state: ProbeBW and ProbeRTT (draft-ietf-ccwg-bbr-06 §5.3.3, §5.3.4).

use super::bbr::{AckPhase, Bbr, INFINITY, State};
use super::rate_sample::RateSample;
use crate::random::mix;
use crate::time::{MILLISECOND, Nanos, SECOND, Time};

/// §5.3.4.2.
const PROBE_RTT_DURATION: Nanos = 200 * MILLISECOND;

impl Bbr {
    pub(super) fn is_in_probe_bw(&self) -> bool {
        matches!(
            self.state,
            State::ProbeBwDown | State::ProbeBwCruise | State::ProbeBwRefill | State::ProbeBwUp
        )
    }

    pub(super) fn target_inflight(&self) -> u64 {
        self.bdp().min(self.cwnd)
    }

    // ---- When to probe (§5.3.3.8).

    fn pick_probe_wait(&mut self) {
        self.random = mix(self.random);
        self.rounds_since_probe_up = self.random & 1;
        self.bw_probe_wait = 2 * SECOND + (self.random >> 1) % SECOND;
    }

    fn is_time_to_probe_bw(&mut self, now: Time) -> bool {
        let reno_rounds = (self.target_inflight() / self.packet_size).min(63);
        let is_time =
            now.since(self.cycle_stamp) > self.bw_probe_wait || self.rounds_since_probe_up >= reno_rounds;
        if is_time {
            self.start_probe_bw_refill();
        }
        is_time
    }

    // ---- Entering each state (§5.3.3.9).

    pub(super) fn start_probe_bw_down(&mut self, now: Time) {
        self.reset_congestion_signals();
        self.probe_up_acked_per_inc = INFINITY;
        self.pick_probe_wait();
        self.cycle_stamp = now;
        self.ack_phase = AckPhase::ProbeStopping;
        self.start_round();
        self.state = State::ProbeBwDown;
    }

    pub(super) fn start_probe_bw_refill(&mut self) {
        self.reset_short_term_model();
        self.bw_probe_up_rounds = 0;
        self.bw_probe_up_acked = 0;
        self.prev_probe_precautionary = false;
        self.ack_phase = AckPhase::Refilling;
        self.start_round();
        self.state = State::ProbeBwRefill;
    }

    fn start_probe_bw_up(&mut self, sample: &RateSample) {
        self.ack_phase = AckPhase::ProbeStarting;
        self.start_round();
        self.reset_full_bw();
        self.full_bw = sample.delivery_rate;
        self.state = State::ProbeBwUp;
        self.raise_inflight_longterm_slope();
    }

    /// The core of ProbeBW.
    pub(super) fn update_probe_bw_cycle_phase(&mut self, now: Time, sample: &RateSample) {
        if !self.full_bw_reached || self.adapt_long_term_model(sample) {
            return;
        }
        let state = self.state;
        match state {
            State::ProbeBwDown if !self.is_time_to_probe_bw(now) && self.is_time_to_cruise() => {
                self.state = State::ProbeBwCruise;
            }
            State::ProbeBwCruise => {
                self.is_time_to_probe_bw(now);
            }
            State::ProbeBwRefill if self.round_start => {
                self.is_bw_probe_sample = true;
                self.start_probe_bw_up(sample);
            }
            State::ProbeBwUp if self.is_time_to_go_down(sample) => {
                self.prev_probe_too_high = false;
                self.start_probe_bw_down(now);
            }
            _ => {}
        }
    }

    fn is_time_to_cruise(&self) -> bool {
        self.in_flight <= self.inflight_with_headroom() && self.in_flight <= self.inflight(100)
    }

    fn is_time_to_go_down(&mut self, sample: &RateSample) -> bool {
        if self.prev_probe_too_high && self.in_flight >= self.inflight_longterm {
            self.prev_probe_precautionary = true;
            return true;
        }
        if self.is_cwnd_limited && self.cwnd >= self.inflight_longterm {
            self.reset_full_bw();
            self.full_bw = sample.delivery_rate;
            return false;
        }
        self.full_bw_now
    }

    /// §5.3.3.9: leaves room in the bottleneck for others.
    pub(super) fn inflight_with_headroom(&self) -> u64 {
        if self.inflight_longterm == INFINITY {
            return INFINITY;
        }
        let headroom = self.packet_size.max(self.inflight_longterm / 100 * 15);
        self.inflight_longterm.saturating_sub(headroom).max(self.min_pipe_cwnd())
    }

    fn raise_inflight_longterm_slope(&mut self) {
        let growth = 1u64 << self.bw_probe_up_rounds;
        self.bw_probe_up_rounds = (self.bw_probe_up_rounds + 1).min(30);
        self.probe_up_acked_per_inc = (self.cwnd / growth).max(self.packet_size);
    }

    fn probe_inflight_longterm_upward(&mut self, sample: &RateSample) {
        if !self.is_cwnd_limited || self.cwnd < self.inflight_longterm {
            return;
        }
        self.bw_probe_up_acked += sample.newly_acked;
        if self.bw_probe_up_acked >= self.probe_up_acked_per_inc {
            let delta = self.bw_probe_up_acked / self.probe_up_acked_per_inc;
            self.bw_probe_up_acked -= delta * self.probe_up_acked_per_inc;
            self.inflight_longterm = self.inflight_longterm.saturating_add(delta * self.packet_size);
        }
        if self.round_start {
            self.raise_inflight_longterm_slope();
        }
    }

    /// Whether it decided on a new state.
    fn adapt_long_term_model(&mut self, sample: &RateSample) -> bool {
        if self.is_ack_phase(AckPhase::ProbeStarting) && self.round_start {
            self.ack_phase = AckPhase::ProbeFeedback;
        }
        if self.is_ack_phase(AckPhase::ProbeStopping) && self.round_start {
            self.is_bw_probe_sample = false;
            self.ack_phase = AckPhase::Init;
            if self.is_in_probe_bw() && !sample.is_app_limited {
                self.advance_max_bw_filter();
            }
            if self.is_in_probe_bw() && self.prev_probe_precautionary && !self.prev_probe_too_high {
                self.start_probe_bw_refill();
                return true;
            }
        }
        if !Self::is_inflight_too_high(sample) && self.inflight_longterm != INFINITY {
            self.inflight_longterm = self.inflight_longterm.max(sample.tx_in_flight);
            if self.state == State::ProbeBwUp {
                self.probe_inflight_longterm_upward(sample);
            }
        }
        false
    }

    // ---- ProbeRTT (§5.3.4.3).

    pub(super) fn check_probe_rtt(&mut self, now: Time, sample: &RateSample) {
        if self.state != State::ProbeRtt && self.probe_rtt_expired && !self.idle_restart {
            self.save_cwnd();
            self.state = State::ProbeRtt;
            self.probe_rtt_done_stamp = None;
            self.ack_phase = AckPhase::ProbeStopping;
            self.start_round();
        }
        if self.state == State::ProbeRtt {
            self.handle_probe_rtt(now);
        }
        if sample.delivered > 0 {
            self.idle_restart = false;
        }
    }

    fn handle_probe_rtt(&mut self, now: Time) {
        self.sampler.mark_app_limited(self.in_flight);
        if self.probe_rtt_done_stamp.is_none() {
            if self.in_flight <= self.probe_rtt_cwnd() {
                self.probe_rtt_done_stamp = Some(now.plus(PROBE_RTT_DURATION));
                self.probe_rtt_round_done = false;
                self.start_round();
            }
        } else {
            self.probe_rtt_round_done |= self.round_start;
            if self.probe_rtt_round_done {
                self.check_probe_rtt_done(now);
            }
        }
    }

    pub(super) fn check_probe_rtt_done(&mut self, now: Time) {
        if self.probe_rtt_done_stamp.is_some_and(|done| now > done) {
            self.probe_rtt_min_stamp = now;
            self.restore_cwnd();
            self.reset_short_term_model();
            if self.full_bw_reached {
                self.start_probe_bw_down(now);
                self.state = State::ProbeBwCruise;
            } else {
                self.enter_startup();
            }
        }
    }
}
