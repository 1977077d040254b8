//! Which TSNs arrived (RFC 9260 §6.2).
//!
//! Limits: a TSN more than [`MAX_AHEAD`] beyond the cumulative one is refused, since a gap block could not
//! name it; [`MAX_DUPLICATES`] duplicates are remembered for a SACK.

use crate::bits::Bits;
use crate::packet::{GapBlock, Sack};
use crate::serial::{expand, low};

const MAX_AHEAD: u64 = 65_000;
const MAX_DUPLICATES: usize = 16;

/// What became of a TSN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// New, with its number unwrapped.
    New(u64),
    Duplicate,
    TooFarAhead,
}

#[derive(Debug)]
pub(crate) struct TsnMap {
    /// Everything up to here arrived.
    cumulative: u64,
    beyond: Bits,
    duplicates: Vec<u32>,
    blocks: Vec<GapBlock>,
}

impl TsnMap {
    /// `first` is the TSN that the peer starts with.
    pub(crate) fn new(first: u64) -> Self {
        Self { cumulative: first - 1, beyond: Bits::default(), duplicates: Vec::new(), blocks: Vec::new() }
    }

    pub(crate) fn cumulative(&self) -> u64 {
        self.cumulative
    }

    /// Whether something is missing.
    #[inline]
    pub(crate) fn has_gap(&self) -> bool {
        self.beyond.count() > 0
    }

    /// Whether there is something that a SACK must say at once.
    pub(crate) fn has_duplicates(&self) -> bool {
        !self.duplicates.is_empty()
    }

    pub(crate) fn expand(&self, wire: u32) -> u64 {
        expand(self.cumulative, wire)
    }

    /// What a chunk with this TSN would be. Nothing is noted yet: there may be no room for it.
    #[inline]
    pub(crate) fn look(&self, wire: u32) -> Arrival {
        let tsn = expand(self.cumulative, wire);
        if tsn <= self.cumulative || (self.has_gap() && self.beyond.contains(tsn)) {
            Arrival::Duplicate
        } else if tsn - self.cumulative > MAX_AHEAD {
            Arrival::TooFarAhead
        } else {
            Arrival::New(tsn)
        }
    }

    /// Notes a new TSN.
    #[inline]
    pub(crate) fn insert(&mut self, tsn: u64) {
        if tsn == self.cumulative + 1 && !self.has_gap() {
            self.cumulative = tsn;
            return;
        }
        self.beyond.insert(tsn);
        if tsn == self.cumulative + 1 {
            self.close_gap();
        }
    }

    fn close_gap(&mut self) {
        self.cumulative = self.beyond.first_clear(self.cumulative + 1) - 1;
        self.beyond.advance(self.cumulative + 1);
    }

    /// Notes that a TSN came again.
    pub(crate) fn note_duplicate(&mut self, wire: u32) {
        if self.duplicates.len() < MAX_DUPLICATES {
            self.duplicates.push(wire);
        }
    }

    /// Everything up to `cumulative` counts as arrived (RFC 3758 §3.6). Whether that changes anything.
    pub(crate) fn forward(&mut self, cumulative: u64) -> bool {
        if cumulative <= self.cumulative {
            return false;
        }
        self.cumulative = cumulative;
        if self.has_gap() {
            self.beyond.advance(cumulative + 1);
            self.close_gap();
        }
        true
    }

    /// Appends a SACK of at most `room` bytes.
    pub(crate) fn write_sack(&mut self, out: &mut Vec<u8>, a_rwnd: u32, room: usize) {
        let mut most = room.saturating_sub(Sack::MIN_LEN) / 4;
        let duplicates = self.duplicates.len().min(most);
        most -= duplicates;
        self.blocks.clear();
        let mut from = self.cumulative + 1;
        while self.blocks.len() < most && self.has_gap() {
            let Some(start) = self.beyond.first_set(from) else { break };
            let end = self.beyond.first_clear(start) - 1;
            let offset = |tsn: u64| u16::try_from(tsn - self.cumulative).unwrap_or(u16::MAX);
            self.blocks.push(GapBlock { start: offset(start), end: offset(end) });
            from = end + 1;
        }
        Sack::write(out, (low(self.cumulative), a_rwnd), &self.blocks, &self.duplicates[..duplicates]);
        self.duplicates.clear();
    }

    pub(crate) fn shrink(&mut self) {
        self.beyond.shrink();
        self.blocks = Vec::new();
        self.duplicates.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Chunks, Sack};

    fn sack(map: &mut TsnMap) -> String {
        let mut bytes = Vec::new();
        map.write_sack(&mut bytes, 1000, 500);
        format!("{:?}", Sack::parse(Chunks::new(&bytes).next().unwrap().unwrap()).unwrap())
    }

    fn arrive(map: &mut TsnMap, wire: u32) -> Arrival {
        let arrival = map.look(wire);
        match arrival {
            Arrival::New(tsn) => map.insert(tsn),
            Arrival::Duplicate => map.note_duplicate(wire),
            Arrival::TooFarAhead => {}
        }
        arrival
    }

    #[test]
    fn gaps_open_and_close_across_the_wrap() {
        let mut map = TsnMap::new((1 << 32) + u64::from(u32::MAX) - 1);
        assert_eq!(sack(&mut map), "SACK 4294967293 window 1000");
        arrive(&mut map, u32::MAX - 1);
        arrive(&mut map, 1);
        arrive(&mut map, 2);
        arrive(&mut map, 4);
        assert_eq!(arrive(&mut map, 2), Arrival::Duplicate);
        assert_eq!(sack(&mut map), "SACK 4294967294 window 1000 +3..4 +6..6 again 2");
        arrive(&mut map, u32::MAX);
        arrive(&mut map, 0);
        assert_eq!(sack(&mut map), "SACK 2 window 1000 +2..2");
        arrive(&mut map, 3);
        assert_eq!(sack(&mut map), "SACK 4 window 1000");
        assert_eq!(arrive(&mut map, 70_000), Arrival::TooFarAhead);
        arrive(&mut map, 9);
        let eight = map.expand(8);
        assert!(map.forward(eight));
        assert!(!map.forward(eight));
        assert_eq!(sack(&mut map), "SACK 9 window 1000");
    }
}
