//! The ordered messages of a stream (RFC 9260 §6.5, RFC 8260 §2.2.3).

use super::assembly::{Assembly, Part, TooLong, deliver_whole};
use super::inbox::Shared;
use super::stash::{Stash, Stashed};

/// Messages one after the other, fragments one after the other.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    /// The number of the message that is next or being put together, unwrapped.
    next: u64,
    assembly: Option<Assembly>,
    stash: Stash,
}

impl Ordered {
    pub(super) fn new(first: u64) -> Self {
        Self { next: first, ..Self::default() }
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    fn continues(&self, (message, fragment): (u64, u64), begin: bool) -> bool {
        message == self.next
            && match &self.assembly {
                Some(assembly) => !begin && fragment == assembly.next_fragment,
                None => begin,
            }
    }

    /// Takes a fragment, whose key is its message and fragment number.
    #[inline]
    pub(super) fn take(
        &mut self,
        key: (u64, u64),
        part: &Part<'_>,
        shared: &mut Shared<'_>,
    ) -> Result<(), TooLong> {
        if !self.continues(key, part.begin) {
            if key.0 >= self.next {
                shared.stash(&mut self.stash, key, part);
            }
            return Ok(());
        }
        self.advance(key, part, shared)?;
        if self.stash.first().is_some() { self.drain(part.stream, shared) } else { Ok(()) }
    }

    #[inline]
    fn advance(&mut self, key: (u64, u64), part: &Part<'_>, shared: &mut Shared<'_>) -> Result<(), TooLong> {
        if let Some(assembly) = &mut self.assembly {
            if assembly.append(part, shared)? {
                self.assembly = None;
                self.next += 1;
            }
        } else if part.end {
            deliver_whole(part, shared)?;
            self.next += 1;
        } else {
            self.assembly = Some(Assembly::start(key, part, shared));
        }
        Ok(())
    }

    /// Takes what waited for what just came.
    fn drain(&mut self, stream: u16, shared: &mut Shared<'_>) -> Result<(), TooLong> {
        while let Some(first) = self.stash.first() {
            let key = first.key;
            let continues = self.continues(key, first.begin);
            let is_past = key.0 < self.next
                || (key.0 == self.next
                    && self.assembly.as_ref().is_some_and(|assembly| key.1 < assembly.next_fragment));
            if !continues && !is_past {
                break;
            }
            let Some(entry) = self.stash.pop_first() else { break };
            if continues {
                let Stashed { begin, end, ppid, ref payload, .. } = entry;
                self.advance(key, &Part { stream, unordered: false, begin, end, ppid, payload }, shared)?;
            }
            shared.unstash(entry);
        }
        Ok(())
    }

    /// Messages up to this one will not come (RFC 3758 §3.6).
    pub(super) fn skip(&mut self, message: u64, stream: u16, shared: &mut Shared<'_>) -> Result<(), TooLong> {
        if message < self.next {
            return Ok(());
        }
        if let Some(assembly) = self.assembly.take() {
            assembly.drop_it(stream, shared);
        }
        self.next = message + 1;
        self.drain(stream, shared)
    }

    /// The stream begins anew (RFC 6525 §5.2.2).
    pub(super) fn clear(&mut self, stream: u16, first: u64, shared: &mut Shared<'_>) {
        if let Some(assembly) = self.assembly.take() {
            assembly.drop_it(stream, shared);
        }
        while let Some(entry) = self.stash.pop_first() {
            shared.unstash(entry);
        }
        self.next = first;
    }

    pub(super) fn shrink(&mut self) {
        self.stash.shrink();
    }
}
