//! Silence: packets leave, and nothing is heard (RFC 8083 §4.2 asks that a sender notices; RFC 8085 §3.1.1 that it
//! backs off).

use crate::rate::DataRate;
use crate::time::{MILLISECOND, Micros};

/// Silence so long is an outage; feedback comes twenty times in that time.
const SILENCE: Micros = 700 * MILLISECOND;
/// The target is halved again after each of these.
const STEP: Micros = 500 * MILLISECOND;

#[derive(Debug)]
pub(crate) struct Outage {
    /// When the first packet left after the last arrival was heard of; none before the first arrival.
    waiting_since: Option<Micros>,
    was_heard: bool,
    next_step: Micros,
    /// The target before.
    before: Option<DataRate>,
}

impl Outage {
    pub(crate) fn new() -> Self {
        Self { waiting_since: None, was_heard: false, next_step: 0, before: None }
    }

    pub(crate) fn on_sent(&mut self, now: Micros) {
        if self.was_heard && self.waiting_since.is_none() {
            self.waiting_since = Some(now);
            self.next_step = now + SILENCE;
        }
    }

    /// Arrivals were reported; what the target was before the outage that so ends.
    pub(crate) fn on_arrival(&mut self, _now: Micros) -> Option<DataRate> {
        self.was_heard = true;
        self.waiting_since = None;
        self.before.take()
    }

    /// Whether the target is to be halved.
    pub(crate) fn handle_timeout(&mut self, now: Micros, target: DataRate) -> bool {
        if self.waiting_since.is_none() || now < self.next_step {
            return false;
        }
        self.before.get_or_insert(target);
        self.next_step = now + STEP;
        true
    }

    pub(crate) fn is_out(&self) -> bool {
        self.before.is_some()
    }

    pub(crate) fn next_at(&self) -> Option<Micros> {
        self.waiting_since.map(|_| self.next_step)
    }
}
