//! When each leg is to be woken.
//!
//! A leg's deadlines move on with each packet, mostly to later. It keeps its place as long as that is early enough: woken
//! too early, it says what it waits for now, which is far rarer than that it changes its mind.

use std::collections::BTreeSet;
use std::time::Instant;

use super::legs::{Leg, LegId};

#[derive(Default)]
pub(super) struct Timers(BTreeSet<(Instant, LegId)>);

impl Timers {
    /// A leg may be waiting for something else than before.
    pub(super) fn update(&mut self, number: LegId, leg: &mut Leg) {
        let Some((wanted, _)) = leg.peer.poll_timeout() else { return };
        if leg.deadline.is_some_and(|known| known <= wanted) {
            return;
        }
        self.forget(number, leg);
        leg.deadline = Some(wanted);
        self.0.insert((wanted, number));
    }

    pub(super) fn forget(&mut self, number: LegId, leg: &mut Leg) {
        if let Some(before) = leg.deadline.take() {
            self.0.remove(&(before, number));
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// A leg whose time has come, as far as is known here; it waits for nothing until it is told again.
    pub(super) fn due(&mut self, now: Instant) -> Option<LegId> {
        let (_, number) = *self.0.first().filter(|(at, _)| *at <= now)?;
        self.0.pop_first();
        Some(number)
    }

    /// Whether there is something for it to do. If not, it waits for what it waits for now.
    pub(super) fn is_due(&mut self, now: Instant, number: LegId, leg: &mut Leg) -> bool {
        leg.deadline = None;
        let is_due = leg.peer.poll_timeout().is_some_and(|(at, _)| at <= now);
        if !is_due {
            self.update(number, leg);
        }
        is_due
    }
}
