//! When each leg and room is to be woken.

use std::collections::BTreeSet;
use std::time::Instant;

use super::legs::{Leg, LegId};

#[derive(Default)]
pub(super) struct Timers(BTreeSet<(Instant, LegId)>);

impl Timers {
    /// A leg may be waiting for something else than before.
    pub(super) fn update(&mut self, number: LegId, leg: &mut Leg) {
        let wanted = leg.peer.poll_timeout().map(|(at, _)| at);
        if leg.deadline == wanted {
            return;
        }
        self.forget(number, leg);
        leg.deadline = wanted;
        self.0.extend(wanted.map(|at| (at, number)));
    }

    pub(super) fn forget(&mut self, number: LegId, leg: &mut Leg) {
        if let Some(before) = leg.deadline.take() {
            self.0.remove(&(before, number));
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// A leg whose time has come; it waits for nothing until it is told again.
    pub(super) fn due(&mut self, now: Instant) -> Option<LegId> {
        let (_, number) = *self.0.first().filter(|(at, _)| *at <= now)?;
        self.0.pop_first();
        Some(number)
    }
}
