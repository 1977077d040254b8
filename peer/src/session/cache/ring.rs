//! What is kept of packets, in the order of their numbers: in pieces that go round.
//!
//! One block would have to grow while packets come, for all who begin to watch at once, and leave as much memory behind as it
//! takes in the end. Pieces stay where they are. The oldest one becomes the newest as it is: what is in it is dropped where
//! something takes its place, so that each line of memory is fetched once.

use std::collections::VecDeque;

use super::Kept;

/// Packets of a piece: few, as so many are kept longer than they have to be, but not fewer, as there is a hole of some 100 bytes
/// between two pieces, which begin with a line of the processor's caches each.
pub(super) const PIECE: usize = 16;

type Piece = [Option<Kept>; PIECE];

/// Packets, some of which are missing.
#[derive(Debug, Default)]
pub(super) struct Ring {
    pieces: VecDeque<Box<Piece>>,
    /// Where the first is in the first piece. What is outside of those that there are is of no meaning.
    offset: usize,
    len: usize,
}

impl Ring {
    /// How many there are, with those that are missing.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// For how many there is memory.
    pub(super) fn capacity(&self) -> usize {
        self.pieces.len() * PIECE
    }

    /// Whether one more finds a place.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.offset + self.len < self.capacity()
    }

    /// Makes room for more.
    pub(super) fn widen(&mut self) {
        self.pieces.push_back(Box::new([const { None }; PIECE]));
    }

    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<&Option<Kept>> {
        if place < self.len { self.slot(self.offset + place) } else { None }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Option<Kept>> {
        if place < self.len { self.slot_mut(self.offset + place) } else { None }
    }

    #[inline]
    fn slot(&self, at: usize) -> Option<&Option<Kept>> {
        self.pieces.get(at / PIECE)?.get(at % PIECE)
    }

    #[inline]
    fn slot_mut(&mut self, at: usize) -> Option<&mut Option<Kept>> {
        self.pieces.get_mut(at / PIECE)?.get_mut(at % PIECE)
    }

    /// Puts one behind the others, if there [is room](Self::has_room).
    #[inline]
    pub(super) fn push(&mut self, kept: Option<Kept>) {
        let end = self.offset + self.len;
        if let Some(slot) = self.slot_mut(end) {
            *slot = kept;
            self.len += 1;
        }
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<Kept> {
        let gone = self.get_mut(0)?.take();
        self.len -= 1;
        self.offset = if self.is_empty() { 0 } else { self.offset + 1 };
        if self.offset == PIECE {
            self.pieces.rotate_left(1);
            self.offset = 0;
        }
        gone
    }

    /// What is in a piece, counted from the oldest, if it is full.
    pub(super) fn full(&self, piece: usize) -> Option<&[Option<Kept>]> {
        if self.offset + self.len < (piece + 1) * PIECE {
            return None;
        }
        self.pieces.get(piece)?.get(if piece == 0 { self.offset } else { 0 }..)
    }

    /// Gives the oldest piece to what comes; how many were in it.
    pub(super) fn turn(&mut self) -> usize {
        let gone = self.leave_oldest();
        if gone > 0 {
            self.pieces.rotate_left(1);
        }
        gone
    }

    /// The same, but gives its memory back.
    pub(super) fn narrow(&mut self) -> usize {
        let gone = self.leave_oldest();
        if gone > 0 {
            self.pieces.pop_front();
        }
        gone
    }

    fn leave_oldest(&mut self) -> usize {
        let gone = self.full(0).map_or(0, <[_]>::len);
        if gone > 0 {
            self.len -= gone;
            self.offset = 0;
        }
        gone
    }

    pub(super) fn clear(&mut self) {
        self.pieces.iter_mut().for_each(|piece| piece.fill(None));
        (self.offset, self.len) = (0, 0);
    }

    /// From the last one to the first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Option<Kept>> {
        (0..self.len).rev().filter_map(|place| self.get(place))
    }
}
