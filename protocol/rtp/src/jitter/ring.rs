//! Packets in the order of their numbers, which wait for those before them (RFC 3550 §5.1).

use std::collections::VecDeque;
use std::time::Instant;

use super::JitterFault;

/// Numbers that it reaches over: with 1,200 bytes each, a second of 10 Mbit/s.
const REACH: u64 = 1024;

/// Bytes of packets, at most.
const BYTES: usize = 4 << 20;

/// A packet that waits.
#[derive(Clone, Debug)]
pub(super) struct Held<P> {
    pub(super) packet: P,
    pub(super) arrived: Instant,
}

/// What is next.
#[derive(Debug)]
pub(super) enum Taken<P> {
    Packet(Held<P>),
    /// It is not there, and others behind it are.
    Missing,
    Nothing,
}

/// By number; the first place is of what is next.
#[derive(Clone, Debug)]
pub(super) struct Ring<P> {
    next: Option<u64>,
    /// The last place is never empty.
    places: VecDeque<Option<Held<P>>>,
    bytes: usize,
}

impl<P> Default for Ring<P> {
    fn default() -> Self {
        Self { next: None, places: VecDeque::new(), bytes: 0 }
    }
}

impl<P: AsRef<[u8]>> Ring<P> {
    /// The number of what is next; none before anything has come.
    pub(super) fn next(&self) -> Option<u64> {
        self.next
    }

    /// Keeps a packet; one that goes before all others only where it `may_lead`, while nothing was taken yet. Where it lies
    /// beyond what can be kept, everything before it is given up: how many numbers.
    pub(super) fn put(&mut self, number: u64, held: Held<P>, may_lead: bool) -> Result<u64, JitterFault> {
        let mut next = *self.next.get_or_insert(number);
        if may_lead && number < next && next - number + (self.places.len() as u64) < REACH {
            (number..next).for_each(|_| self.places.push_front(None));
            (self.next, next) = (Some(number), number);
        }
        let ahead = number.checked_sub(next).ok_or(JitterFault::Late)?;
        let size = held.packet.as_ref().len();
        if ahead >= REACH || self.bytes + size > BYTES {
            self.places.clear();
            self.places.push_back(Some(held));
            (self.next, self.bytes) = (Some(number), size);
            return Ok(ahead);
        }
        let at = ahead as usize;
        if at >= self.places.len() {
            self.places.resize_with(at + 1, || None);
        }
        match self.places.get_mut(at) {
            Some(place @ None) => *place = Some(held),
            _ => return Err(JitterFault::Duplicate),
        }
        self.bytes += size;
        Ok(0)
    }

    /// What is next, if it is there.
    pub(super) fn take(&mut self) -> Taken<P> {
        match self.places.front_mut() {
            None => Taken::Nothing,
            Some(None) => Taken::Missing,
            Some(place) => match place.take() {
                None => Taken::Missing,
                Some(held) => {
                    self.places.pop_front();
                    self.next = self.next.map(|next| next + 1);
                    self.bytes -= held.packet.as_ref().len();
                    Taken::Packet(held)
                }
            },
        }
    }

    /// Gives up what is missing before the first that is there; how many numbers.
    pub(super) fn skip(&mut self) -> u64 {
        let count = self.places.iter().take_while(|place| place.is_none()).count();
        self.places.drain(..count);
        self.next = self.next.map(|next| next + count as u64);
        count as u64
    }

    /// Whether what is next is missing.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.places.front(), Some(None))
    }

    /// Whether anything is missing before something that is there.
    pub(super) fn has_gap(&self) -> bool {
        self.places.iter().any(Option::is_none)
    }

    /// Whether waiting any longer would cost what came.
    pub(super) fn is_full(&self) -> bool {
        self.places.len() as u64 > REACH / 4 * 3 || self.bytes > BYTES / 4 * 3
    }

    /// When the first of those came that are there.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.places.iter().flatten().map(|held| held.arrived).min()
    }
}
