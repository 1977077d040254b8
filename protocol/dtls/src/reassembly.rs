//! Handshake messages out of their fragments, whatever order they come in: RFC 9147 §5.2, §5.5.

use std::ops::Range;

use crate::fault::Fault;
use crate::message::fragment::Fragment;

/// How far ahead of the next message a fragment may be: the longest flight has six messages.
const MAX_AHEAD: u16 = 10;
/// The longest message, in bytes: a chain of certificates with RSA keys has a few thousand.
const MAX_MESSAGE_LEN: usize = 32 * 1024;
/// All messages that are not complete or not yet due, in bytes.
const MAX_BUFFERED: usize = 64 * 1024;
/// Separate pieces of one message.
const MAX_PIECES: usize = 64;

/// A message, or as much of it as came.
struct Slot {
    sequence: u16,
    epoch: u64,
    code: u8,
    body: Vec<u8>,
    /// What came, in order, and not touching.
    pieces: Vec<Range<usize>>,
}

/// What a fragment was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It belongs to a message that is still to come.
    New {
        /// Whether something before it is missing.
        is_out_of_order: bool,
    },
    /// Its message was processed already: the peer repeats itself.
    Repeated,
}

/// The next message was not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongEpoch;

/// Messages on their way in.
#[derive(Default)]
pub(crate) struct Reassembly {
    next: u16,
    /// Messages of earlier epochs are not accepted any more.
    epoch: u64,
    slots: Vec<Slot>,
}

impl Reassembly {
    /// From now on messages must be of this epoch.
    pub(crate) fn expect_epoch(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.slots.retain(|slot| slot.epoch >= epoch);
    }

    /// Whether a part of a message is here that is not yet processed.
    #[cfg(test)]
    fn has_part(&self) -> bool {
        !self.slots.is_empty()
    }

    /// Forgets all fragments, not what was processed.
    pub(crate) fn clear(&mut self) {
        self.slots = Vec::new();
    }

    /// Takes in a fragment that came in a record of `epoch`.
    pub(crate) fn insert(&mut self, epoch: u64, fragment: &Fragment<'_>) -> Result<Arrival, Fault> {
        if fragment.sequence < self.next {
            return Ok(Arrival::Repeated);
        }
        if epoch < self.epoch {
            return Err(Fault::UnexpectedRecord);
        }
        if fragment.sequence - self.next >= MAX_AHEAD || fragment.length > MAX_MESSAGE_LEN {
            return Err(Fault::FragmentsFull);
        }
        let slot = self.slot(epoch, fragment)?;
        let is_next_piece = match slot.pieces.first() {
            None => fragment.offset == 0,
            Some(first) => first.start == 0 && fragment.offset <= first.end,
        };
        let sequence = slot.sequence;
        slot.insert(fragment)?;
        Ok(Arrival::New { is_out_of_order: sequence != self.next || !is_next_piece })
    }

    fn slot(&mut self, epoch: u64, fragment: &Fragment<'_>) -> Result<&mut Slot, Fault> {
        let found = self.slots.iter().position(|slot| slot.sequence == fragment.sequence);
        if let Some(at) = found {
            // What is protected counts more than what anybody can have sent.
            if self.slots[at].epoch > epoch {
                return Err(Fault::UnexpectedRecord);
            }
            if self.slots[at].epoch == epoch {
                let slot = &mut self.slots[at];
                let fits = slot.code == fragment.code && slot.body.len() == fragment.length;
                return if fits { Ok(slot) } else { Err(Fault::BadFragment) };
            }
            self.slots.swap_remove(at);
        }
        let buffered: usize = self.slots.iter().map(|slot| slot.body.len()).sum();
        if buffered + fragment.length > MAX_BUFFERED {
            return Err(Fault::FragmentsFull);
        }
        self.slots.push(Slot {
            sequence: fragment.sequence,
            epoch,
            code: fragment.code,
            body: vec![0; fragment.length],
            pieces: Vec::new(),
        });
        self.slots.last_mut().ok_or(Fault::FragmentsFull)
    }

    /// The next message, if it is here whole: its type, number, and body.
    pub(crate) fn next(&mut self) -> Result<Option<(u8, u16, Vec<u8>)>, WrongEpoch> {
        let Some(at) = self.slots.iter().position(|slot| slot.sequence == self.next && slot.is_whole())
        else {
            return Ok(None);
        };
        let slot = self.slots.swap_remove(at);
        if self.slots.is_empty() {
            // A connection that has its keys keeps no memory for more messages.
            self.slots = Vec::new();
        }
        if slot.epoch != self.epoch {
            return Err(WrongEpoch);
        }
        // The last of 65,536 messages ends it: nobody sends so many.
        self.next = self.next.checked_add(1).ok_or(WrongEpoch)?;
        Ok(Some((slot.code, slot.sequence, slot.body)))
    }
}

impl Slot {
    fn is_whole(&self) -> bool {
        self.pieces.len() == 1 && self.pieces[0] == (0..self.body.len())
    }

    fn insert(&mut self, fragment: &Fragment<'_>) -> Result<(), Fault> {
        let mut range = fragment.offset..fragment.offset + fragment.body.len();
        if self.pieces.len() >= MAX_PIECES {
            return Err(Fault::FragmentsFull);
        }
        self.body[range.clone()].copy_from_slice(fragment.body);
        self.pieces.retain(|piece| {
            let touches = piece.start <= range.end && range.start <= piece.end;
            if touches {
                range = range.start.min(piece.start)..range.end.max(piece.end);
            }
            !touches
        });
        let at = self.pieces.partition_point(|piece| piece.start < range.start);
        self.pieces.insert(at, range);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
