//! What went over which pair of candidates, for statistics: the selected one, and those that were it before.

use std::time::Instant;

use super::Traffic;

/// Pairs of which is known what they have carried. The one that was left first makes room for another.
const PAIRS: usize = 8;

/// What one pair has carried, packets of ICE apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flow {
    pub(crate) sent: Traffic,
    pub(crate) received: Traffic,
    pub(crate) last_sent: Option<Instant>,
    pub(crate) last_received: Option<Instant>,
}

/// All of them; the selected one is the last.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    all: Vec<(ice::PairId, Flow)>,
    is_selected: bool,
    /// How often another pair was selected, or none.
    pub(crate) changes: u32,
}

impl Flows {
    /// Data goes by this pair from now on, or by none. That it still does changes nothing.
    pub(super) fn select(&mut self, pair: Option<ice::PairId>) {
        let before = self.all.last().map(|(pair, _)| *pair).filter(|_| self.is_selected);
        if pair.is_some() && pair == before {
            return;
        }
        self.changes = self.changes.saturating_add(1);
        self.is_selected = pair.is_some();
        let Some(pair) = pair else { return };
        let known = self.all.iter().position(|(known, _)| *known == pair);
        let flow = known.map(|at| self.all.remove(at).1).unwrap_or_default();
        if self.all.len() == PAIRS {
            self.all.remove(0);
        }
        self.all.push((pair, flow));
    }

    pub(super) fn sent(&mut self, now: Instant, packets: usize, bytes: usize) {
        if let Some(flow) = self.selected() {
            flow.sent.add(packets, bytes);
            flow.last_sent = Some(now);
        }
    }

    /// What comes another way than ours counts with it, as the peer may have selected another pair for a moment.
    pub(super) fn received(&mut self, now: Instant, bytes: usize) {
        if let Some(flow) = self.selected() {
            flow.received.add(1, bytes);
            flow.last_received = Some(now);
        }
    }

    fn selected(&mut self) -> Option<&mut Flow> {
        let is_selected = self.is_selected;
        self.all.last_mut().map(|(_, flow)| flow).filter(|_| is_selected)
    }

    pub(crate) fn of(&self, pair: ice::PairId) -> Option<&Flow> {
        self.all.iter().find(|(known, _)| *known == pair).map(|(_, flow)| flow)
    }
}
