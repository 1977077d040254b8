//! What a connection waits for (RFC 9147 §5.8, §7.1).

use std::time::Instant;

use super::Dtls;
use crate::failure::Failure;

/// Why a connection wants to be called at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The peer has not answered: the flight is to be sent again.
    Retransmit,
    /// The peer's flight has come in part: what came is to be acknowledged.
    Acknowledge,
    /// The handshake has failed if it is not complete by then.
    GiveUp,
    /// The peer cannot repeat its last flight any more: the handshake's keys are to be forgotten.
    ForgetKeys,
}

impl Dtls {
    /// When to call [`Dtls::handle_timeout`] at the latest, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let core = &self.core;
        let running = |deadline: Option<Instant>| deadline.filter(|_| !core.is_held);
        [
            (running(core.flight.deadline()), Reason::Retransmit),
            (core.acks.deadline(), Reason::Acknowledge),
            (running(core.give_up), Reason::GiveUp),
            (core.linger, Reason::ForgetKeys),
        ]
        .into_iter()
        .filter_map(|(deadline, reason)| Some((deadline?, reason)))
        .min_by_key(|(deadline, _)| *deadline)
    }

    /// Time has passed. Harmless if it was not yet time; then [`Dtls::poll_transmit`].
    pub fn handle_timeout(&mut self, now: Instant) {
        let core = &mut self.core;
        core.now = now;
        if !core.is_held {
            core.flight.handle_timeout(now, &core.config);
        }
        if core.linger.take_if(|deadline| *deadline <= now).is_some() {
            core.reading.handshake = None;
            core.reading.previous = None;
            core.acks.clear();
            if core.flight.is_done() {
                core.flight.clear();
            }
        }
        let is_held = core.is_held;
        if core.give_up.take_if(|deadline| *deadline <= now && !is_held).is_some() {
            let is_heard = self.state.is_complete() && core.has_heard_data;
            if is_heard {
                // The peer talks to us: it has our last flight, whatever became of its acknowledgement.
                core.flight.clear();
            } else {
                self.fail(Failure::TimedOut);
            }
        }
    }
}
