//! Fragments that came before those in front of them (RFC 9260 §6.9), in the order of their messages.
//!
//! In a queue, since nearly always they are added at its end and taken from its beginning.

use std::collections::VecDeque;

/// A fragment that waits.
#[derive(Debug)]
pub(super) struct Stashed {
    /// Message and fragment, unwrapped.
    pub(super) key: (u64, u64),
    pub(super) begin: bool,
    pub(super) end: bool,
    pub(super) ppid: u32,
    pub(super) payload: Vec<u8>,
}

#[derive(Debug, Default)]
pub(super) struct Stash {
    entries: VecDeque<Stashed>,
}

impl Stash {
    /// Adds a fragment; a second one of the same key comes back.
    pub(super) fn insert(&mut self, entry: Stashed) -> Option<Stashed> {
        if self.entries.back().is_none_or(|last| last.key < entry.key) {
            self.entries.push_back(entry);
            return None;
        }
        match self.entries.binary_search_by_key(&entry.key, |entry| entry.key) {
            Ok(_) => Some(entry),
            Err(index) => {
                self.entries.insert(index, entry);
                None
            }
        }
    }

    /// The first in order.
    pub(super) fn first(&self) -> Option<&Stashed> {
        self.entries.front()
    }

    pub(super) fn pop_first(&mut self) -> Option<Stashed> {
        self.entries.pop_front()
    }

    /// Takes the fragment with this key.
    pub(super) fn take(&mut self, key: (u64, u64)) -> Option<Stashed> {
        if self.entries.front()?.key == key {
            return self.entries.pop_front();
        }
        let index = self.entries.binary_search_by_key(&key, |entry| entry.key).ok()?;
        self.entries.remove(index)
    }

    /// Takes any first fragment of a message.
    pub(super) fn take_begin(&mut self) -> Option<Stashed> {
        let index = self.entries.iter().position(|entry| entry.begin)?;
        self.entries.remove(index)
    }

    /// Takes any fragment for which this holds.
    pub(super) fn take_where(&mut self, holds: impl FnMut(&Stashed) -> bool) -> Option<Stashed> {
        let index = self.entries.iter().position(holds)?;
        self.entries.remove(index)
    }

    pub(super) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
    }
}
