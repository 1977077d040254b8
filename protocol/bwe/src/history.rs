//! Packets that were sent, until it is known what became of them (RFC 8888 §3.1: a packet may be reported several times, as
//! missing first and as arrived later).

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::packet::{ProbeId, Sent};
use crate::time::{Micros, SECOND};

/// Packets that are remembered at most: two seconds and more at 40 Mbit/s.
pub(crate) const LIMIT: usize = 8192;
/// For how long they are remembered: outages longer than this leave nothing to learn.
const KEPT: Micros = 10 * SECOND;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) sequence: u64,
    pub(crate) size: u32,
    pub(crate) probe: Option<ProbeId>,
    pub(crate) sent_at: Micros,
    pub(crate) fate: Fate,
}

/// What is known of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Unknown,
    /// The other end said that it was not there yet.
    Missing,
    /// Given up.
    Lost,
    Arrived,
}

#[derive(Debug, Default)]
pub(crate) struct History {
    records: VecDeque<Record>,
    /// The number after the last.
    next: u64,
    /// Bytes of which nothing is known, or that were said to be missing.
    in_flight: u64,
}

impl History {
    /// Remembers a packet; whether its number is greater than those before.
    pub(crate) fn put(&mut self, sent: &Sent, sent_at: Micros) -> bool {
        if sent.sequence < self.next {
            return false;
        }
        self.next = sent.sequence.saturating_add(1);
        // What feedback has settled is forgotten with it: until there is no room, this looks at the last record only.
        if self.records.len() == self.records.capacity() {
            self.forget(sent_at);
        }
        if self.records.len() >= LIMIT {
            self.pop();
        }
        let size = u32::try_from(sent.size.as_bytes()).unwrap_or(u32::MAX);
        self.in_flight += u64::from(size);
        let Sent { sequence, probe, .. } = *sent;
        self.records.push_back(Record { sequence, size, probe, sent_at, fate: Fate::Unknown });
        true
    }

    /// Drops from the front what has arrived, and what is old.
    pub(crate) fn forget(&mut self, now: Micros) {
        while let Some(first) = self.records.front() {
            let is_old = now - first.sent_at > KEPT;
            // What was given up may arrive still: for a while that is told from what was never sent.
            let is_settled =
                first.fate == Fate::Arrived || first.fate == Fate::Lost && now - first.sent_at > SECOND;
            if !is_old && !is_settled {
                return;
            }
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(gone) = self.records.pop_front()
            && matches!(gone.fate, Fate::Unknown | Fate::Missing)
        {
            self.in_flight -= u64::from(gone.size);
        }
    }

    fn index(&self, sequence: u64) -> Option<usize> {
        let first = self.records.front()?.sequence;
        // Without gaps, which is how it is mostly, the number tells the place.
        let guess = usize::try_from(sequence.checked_sub(first)?).ok();
        if let Some(guess) = guess
            && self.records.get(guess).is_some_and(|record| record.sequence == sequence)
        {
            return Some(guess);
        }
        self.records.binary_search_by_key(&sequence, |record| record.sequence).ok()
    }

    /// A packet's record, if it is remembered.
    pub(crate) fn get(&self, sequence: u64) -> Option<&Record> {
        self.records.get(self.index(sequence)?)
    }

    /// Notes what is known now; what was known before.
    pub(crate) fn settle(&mut self, sequence: u64, fate: Fate) -> Option<Record> {
        let index = self.index(sequence)?;
        let record = self.records.get_mut(index)?;
        let before = *record;
        record.fate = fate;
        let was_open = matches!(before.fate, Fate::Unknown | Fate::Missing);
        let is_open = matches!(fate, Fate::Unknown | Fate::Missing);
        if was_open && !is_open {
            self.in_flight -= u64::from(before.size);
        } else if !was_open && is_open {
            self.in_flight += u64::from(before.size);
        }
        Some(before)
    }

    /// Gives up what was reported missing and was sent before this time, oldest first: `lost` gets each. What was sent
    /// before `unheard_before` and was never spoken of, since feedback is lost, too, is given up in silence.
    pub(crate) fn give_up(
        &mut self,
        sent_before: Micros,
        unheard_before: Micros,
        mut lost: impl FnMut(&Record),
    ) {
        for record in &mut self.records {
            if record.sent_at >= sent_before {
                return;
            }
            let is_missing = record.fate == Fate::Missing;
            if is_missing || record.fate == Fate::Unknown && record.sent_at < unheard_before {
                record.fate = Fate::Lost;
                self.in_flight -= u64::from(record.size);
                if is_missing {
                    lost(record);
                }
            }
        }
    }

    /// Bytes under way.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight
    }
}
