//! The unordered messages of a stream (RFC 9260 §6.6, RFC 8260 §2.2.3).
//!
//! Several may be incomplete at once, each waiting for a fragment that got lost. Limit:
//! [`MAX_ASSEMBLIES`] of them are put together at once, what belongs to further ones waits in the stash.

use super::assembly::{Assembly, Part, TooLong, deliver_whole};
use super::inbox::Shared;
use super::stash::{Stash, Stashed};

const MAX_ASSEMBLIES: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Unordered {
    assemblies: Vec<Assembly>,
    stash: Stash,
    /// First fragments may be in the stash.
    has_overflowed: bool,
    /// The highest message number so far, unwrapped, to unwrap others by.
    pub(super) highest: u64,
}

impl Unordered {
    pub(super) fn new(first: u64) -> Self {
        Self { highest: first, ..Self::default() }
    }

    /// Takes a fragment. Its key is its message and fragment number; without message numbers the message is
    /// zero, and fragments are found by their TSN alone.
    pub(super) fn take(
        &mut self,
        key: (u64, u64),
        part: &Part<'_>,
        shared: &mut Shared<'_>,
    ) -> Result<(), TooLong> {
        if part.begin && part.end {
            return deliver_whole(part, shared);
        }
        let continued = self
            .assemblies
            .iter()
            .rposition(|assembly| !part.begin && (assembly.message, assembly.next_fragment) == key);
        if let Some(index) = continued {
            if self.assemblies[index].append(part, shared)? {
                self.assemblies.remove(index);
            } else {
                self.drain(index, part.stream, shared)?;
            }
        } else if part.begin && self.assemblies.len() < MAX_ASSEMBLIES {
            self.start(key, part, shared)?;
        } else {
            self.has_overflowed |= part.begin;
            shared.stash(&mut self.stash, key, part);
        }
        while self.has_overflowed && self.assemblies.len() < MAX_ASSEMBLIES {
            let Some(entry) = self.stash.take_begin() else {
                self.has_overflowed = false;
                break;
            };
            let Stashed { key, begin, end, ppid, ref payload } = entry;
            let part = Part { stream: part.stream, unordered: true, begin, end, ppid, payload };
            self.start(key, &part, shared)?;
            shared.unstash(entry);
        }
        Ok(())
    }

    fn start(&mut self, key: (u64, u64), part: &Part<'_>, shared: &mut Shared<'_>) -> Result<(), TooLong> {
        self.assemblies.push(Assembly::start(key, part, shared));
        self.drain(self.assemblies.len() - 1, part.stream, shared)
    }

    /// Continues a message with what waited.
    fn drain(&mut self, index: usize, stream: u16, shared: &mut Shared<'_>) -> Result<(), TooLong> {
        while let Some(entry) = self
            .stash
            .first()
            .is_some()
            .then(|| self.stash.take((self.assemblies[index].message, self.assemblies[index].next_fragment)))
            .flatten()
        {
            let Stashed { begin, end, ppid, ref payload, .. } = entry;
            let part = Part { stream, unordered: true, begin, end, ppid, payload };
            let is_done = self.assemblies[index].append(&part, shared)?;
            shared.unstash(entry);
            if is_done {
                self.assemblies.remove(index);
                break;
            }
        }
        Ok(())
    }

    /// Messages for which this holds, of their message and next fragment number, will not be whole.
    pub(super) fn skip(
        &mut self,
        stream: u16,
        shared: &mut Shared<'_>,
        mut holds: impl FnMut((u64, u64)) -> bool,
    ) {
        while let Some(index) =
            self.assemblies.iter().position(|assembly| holds((assembly.message, assembly.next_fragment)))
        {
            self.assemblies.remove(index).drop_it(stream, shared);
        }
        while let Some(entry) = self.stash.take_where(|entry| holds(entry.key)) {
            shared.unstash(entry);
        }
    }

    /// The stream begins anew.
    pub(super) fn clear(&mut self, stream: u16, first: u64, shared: &mut Shared<'_>) {
        self.skip(stream, shared, |_| true);
        self.highest = first;
    }

    pub(super) fn shrink(&mut self) {
        self.stash.shrink();
        self.assemblies.shrink_to_fit();
    }
}
