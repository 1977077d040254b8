//! BBR's model of the path (draft-ietf-ccwg-bbr-06 §5.3.1.2, §5.5).

use super::bbr::{AckPhase, Bbr, INFINITY, State};
use super::rate_sample::{PacketState, RateSample};
use crate::time::{Nanos, SECOND, Time};

/// How long a minimal round trip is remembered (§5.5.7.2).
const MIN_RTT_FILTER_LEN: Nanos = 10 * SECOND;
/// How often a minimal round trip is looked for (§5.3.4).
const PROBE_RTT_INTERVAL: Nanos = 5 * SECOND;
/// The part by which a round trip may be longer than the least and still confirm it.
const SAME_RTT: u64 = 32;
/// Rounds that the degree of aggregation is remembered (§5.5.9).
const EXTRA_ACKED_FILTER_LEN: u64 = 10;

/// 0.7 of a value: BBR.Beta.
pub(super) fn beta(value: u64) -> u64 {
    value / 10 * 7
}

impl Bbr {
    // ---- Rounds (§5.5.1).

    pub(super) fn start_round(&mut self) {
        self.next_round_delivered = self.sampler.delivered;
    }

    fn update_round(&mut self, sample: &RateSample) {
        self.round_start = sample.prior_delivered >= self.next_round_delivered;
        if self.round_start {
            self.start_round();
            self.last_round_min_rtt = std::mem::replace(&mut self.round_min_rtt, INFINITY);
            self.round_count += 1;
            self.rounds_since_probe_up += 1;
        }
    }

    // ---- Bandwidth (§5.5.5, §5.5.6).

    fn update_max_bw(&mut self, sample: &RateSample) {
        self.update_round(sample);
        let rate = sample.delivery_rate;
        if rate > 0 && (rate >= self.max_bw || !sample.is_app_limited) {
            self.max_bw_filter[1] = self.max_bw_filter[1].max(rate);
            self.max_bw = self.max_bw_filter[0].max(self.max_bw_filter[1]);
        }
    }

    pub(super) fn advance_max_bw_filter(&mut self) {
        // A cycle without a sample says nothing about the path.
        if self.max_bw_filter[1] != 0 {
            self.max_bw_filter = [self.max_bw_filter[1], 0];
            self.max_bw = self.max_bw_filter[0];
        }
    }

    // ---- The full pipe (§5.3.1.2).

    pub(super) fn reset_full_bw(&mut self) {
        self.full_bw = 0;
        self.full_bw_count = 0;
        self.full_bw_now = false;
    }

    pub(super) fn check_full_bw_reached(&mut self, sample: &RateSample) {
        if self.full_bw_now || !self.round_start || sample.is_app_limited || sample.delivery_rate == 0 {
            return;
        }
        if sample.delivery_rate >= self.full_bw + self.full_bw / 4 {
            self.reset_full_bw();
            self.full_bw = sample.delivery_rate;
            return;
        }
        self.full_bw_count += 1;
        // A queue that stood for the whole round says the same as two further rounds. A later probe's is short.
        let least = self.last_round_min_rtt;
        let queue = self.min_rtt / if self.full_bw_reached { 8 } else { 4 };
        let has_queue = least != INFINITY && self.min_rtt != INFINITY && least > self.min_rtt + queue;
        self.full_bw_now = self.full_bw_count >= 3 || has_queue;
        self.full_bw_reached |= self.full_bw_now;
    }

    // ---- Round trips (§5.3.4.3, §5.5.7).

    pub(super) fn update_min_rtt(&mut self, now: Time, sample: &RateSample) {
        self.round_min_rtt = self.round_min_rtt.min(sample.rtt.unwrap_or(INFINITY));
        self.probe_rtt_expired = now.since(self.probe_rtt_min_stamp) > PROBE_RTT_INTERVAL;
        if let Some(rtt) = sample.rtt
            && (rtt < self.probe_rtt_min_delay || self.probe_rtt_expired)
        {
            self.probe_rtt_min_delay = rtt;
            self.probe_rtt_min_stamp = now;
        } else if let Some(rtt) = sample.rtt
            && rtt - self.probe_rtt_min_delay <= self.probe_rtt_min_delay / SAME_RTT
        {
            // The queue was empty just now: nothing needs to be held back to see that.
            self.probe_rtt_min_stamp = now;
        }
        let min_rtt_expired = now.since(self.min_rtt_stamp) > MIN_RTT_FILTER_LEN;
        if self.probe_rtt_min_delay < self.min_rtt || min_rtt_expired {
            self.min_rtt = self.probe_rtt_min_delay;
            self.min_rtt_stamp = self.probe_rtt_min_stamp;
        }
    }

    // ---- Aggregation (§5.5.9).

    pub(super) fn update_ack_aggregation(&mut self, now: Time, sample: &RateSample) {
        let interval = now.since(self.extra_acked_interval_start);
        let mut expected = self.bw.saturating_mul(interval / 1000) / (SECOND / 1000);
        if self.extra_acked_delivered <= expected {
            self.extra_acked_delivered = 0;
            self.extra_acked_interval_start = now;
            expected = 0;
        }
        self.extra_acked_delivered += sample.newly_acked;
        let extra = (self.extra_acked_delivered - expected).min(self.cwnd);
        let window = if self.full_bw_reached { EXTRA_ACKED_FILTER_LEN } else { 1 };
        self.extra_acked = self.extra_acked_filter.update(self.round_count, window, extra);
    }

    // ---- Loss (§5.5.10).

    pub(super) fn update_latest_delivery_signals(&mut self, sample: &RateSample) {
        self.loss_round_start = false;
        self.bw_latest = self.bw_latest.max(sample.delivery_rate);
        self.inflight_latest = self.inflight_latest.max(sample.delivered);
        if sample.prior_delivered >= self.loss_round_delivered {
            self.loss_round_delivered = self.sampler.delivered;
            self.loss_round_start = true;
        }
    }

    pub(super) fn advance_latest_delivery_signals(&mut self, sample: &RateSample) {
        if self.loss_round_start {
            self.bw_latest = sample.delivery_rate;
            self.inflight_latest = sample.delivered;
        }
    }

    pub(super) fn reset_congestion_signals(&mut self) {
        self.is_loss_in_round = false;
        self.bw_latest = 0;
        self.inflight_latest = 0;
    }

    pub(super) fn update_congestion_signals(&mut self, sample: &RateSample) {
        self.update_max_bw(sample);
        if !self.loss_round_start {
            return;
        }
        let is_probing = matches!(self.state, State::Startup | State::ProbeBwRefill | State::ProbeBwUp);
        // Less loss than a probe may cause is borne, and where nothing could be measured nothing is concluded.
        if self.is_loss_in_round && !is_probing && Self::is_inflight_too_high(sample) && self.bw_latest > 0 {
            self.adapt_lower_bounds();
        }
        self.is_loss_in_round = false;
    }

    fn adapt_lower_bounds(&mut self) {
        if self.bw_shortterm == INFINITY {
            self.bw_shortterm = self.max_bw;
        }
        if self.inflight_shortterm == INFINITY {
            self.inflight_shortterm = self.cwnd;
        }
        self.bw_shortterm = self.bw_latest.max(beta(self.bw_shortterm));
        self.inflight_shortterm = self.inflight_latest.max(beta(self.inflight_shortterm));
    }

    pub(super) fn reset_short_term_model(&mut self) {
        self.bw_shortterm = INFINITY;
        self.inflight_shortterm = INFINITY;
    }

    /// §5.5.10.2: more than a fiftieth of what was in flight got lost.
    pub(super) fn is_inflight_too_high(sample: &RateSample) -> bool {
        sample.lost * 50 > sample.tx_in_flight
    }

    pub(super) fn handle_lost_packet(&mut self, now: Time, packet: &PacketState) {
        if !self.is_loss_in_round {
            self.loss_round_delivered = self.sampler.delivered;
            self.save_cwnd();
            self.save_state_upon_loss();
        }
        self.is_loss_in_round = true;
        if !self.is_bw_probe_sample {
            return;
        }
        let mut sample = RateSample {
            tx_in_flight: packet.in_flight,
            lost: self.sampler.lost - packet.lost,
            is_app_limited: packet.is_app_limited,
            ..RateSample::default()
        };
        if Self::is_inflight_too_high(&sample) {
            let size = u64::from(packet.size);
            let inflight_prev = sample.tx_in_flight.saturating_sub(size);
            let lost_prev = sample.lost.saturating_sub(size);
            // (0.02 * inflight_prev - lost_prev) / (1 - 0.02)
            let lost_prefix = (inflight_prev / 50).saturating_sub(lost_prev) * 100 / 98;
            sample.tx_in_flight = inflight_prev + lost_prefix;
            self.handle_inflight_too_high(now, &sample);
        }
    }

    fn handle_inflight_too_high(&mut self, now: Time, sample: &RateSample) {
        self.prev_probe_too_high = true;
        self.is_bw_probe_sample = false;
        if !sample.is_app_limited {
            self.inflight_longterm = sample.tx_in_flight.max(beta(self.target_inflight()));
        }
        if self.state == State::ProbeBwUp {
            self.undo_state = Some(State::ProbeBwUp);
            self.start_probe_bw_down(now);
        }
    }

    // ---- Undo (§5.5.11).

    pub(super) fn save_state_upon_loss(&mut self) {
        self.undo_state = None;
        self.undo_bw_shortterm = self.bw_shortterm;
        self.undo_inflight_shortterm = self.inflight_shortterm;
        self.undo_inflight_longterm = self.inflight_longterm;
    }

    pub(super) fn handle_spurious_loss(&mut self) {
        self.restore_cwnd();
        self.is_loss_in_round = false;
        self.reset_full_bw();
        self.bw_shortterm = self.bw_shortterm.max(self.undo_bw_shortterm);
        self.inflight_shortterm = self.inflight_shortterm.max(self.undo_inflight_shortterm);
        self.inflight_longterm = self.inflight_longterm.max(self.undo_inflight_longterm);
        match self.undo_state.take() {
            Some(State::Startup) if self.state != State::Startup => {
                self.full_bw_reached = false;
                if self.state != State::ProbeRtt {
                    self.enter_startup();
                }
            }
            Some(State::ProbeBwUp) if !matches!(self.state, State::ProbeBwUp | State::ProbeRtt) => {
                self.start_probe_bw_refill();
            }
            _ => {}
        }
    }

    // ---- Idle (§5.4).

    pub(super) fn restart_from_idle(&mut self, now: Time) {
        self.idle_restart = true;
        self.extra_acked_interval_start = now;
        if self.is_in_probe_bw() {
            self.set_pacing_rate_with_gain(100);
        } else if self.state == State::ProbeRtt {
            self.check_probe_rtt_done(now);
        }
    }

    pub(super) fn is_ack_phase(&self, phase: AckPhase) -> bool {
        self.ack_phase == phase
    }
}
