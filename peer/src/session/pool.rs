//! Packets' bytes, cut from chunks that are used again once nobody holds a part of them.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Bytes of a chunk: a dozen packets.
const CHUNK: usize = 16 << 10;

/// Chunks that are kept for when they are free again; further ones are left to those who hold parts of them.
const KEPT: usize = 64;

/// Gives out bytes that several may hold, in the long run without an allocation.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    open: Option<BytesMut>,
    /// Those that are full, oldest first.
    full: VecDeque<BytesMut>,
}

impl Pool {
    /// A copy of these parts, one behind another, as `edit` would have it.
    pub(crate) fn keep(&mut self, parts: &[&[u8]], edit: impl FnOnce(&mut [u8])) -> Bytes {
        let length = parts.iter().map(|part| part.len()).sum();
        let mut open = match self.open.take() {
            Some(open) if open.capacity() >= length => open,
            full => self.turn(full, length),
        };
        for part in parts {
            open.extend_from_slice(part);
        }
        edit(&mut open);
        let kept = open.split().freeze();
        self.open = Some(open);
        kept
    }

    /// A chunk that has room, in the place of one that has none.
    #[cold]
    fn turn(&mut self, full: Option<BytesMut>, length: usize) -> BytesMut {
        let size = length.max(CHUNK);
        let is_free = self.full.front_mut().is_some_and(|oldest| oldest.try_reclaim(size));
        let next = if is_free { self.full.pop_front() } else { None };
        if self.full.len() >= KEPT {
            self.full.pop_front();
        }
        self.full.extend(full);
        next.unwrap_or_else(|| BytesMut::with_capacity(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_used_again_once_they_are_free() {
        let mut pool = Pool::default();
        let mut held: VecDeque<Bytes> = VecDeque::new();
        let mut places = std::collections::BTreeSet::new();
        for number in 0..10_000_u32 {
            let kept = pool.keep(&[&number.to_be_bytes(), &[7; 1200]], |_| ());
            places.insert(kept.as_ptr().addr() / CHUNK);
            held.push_back(kept);
            if held.len() > 50 {
                let oldest = held.pop_front().unwrap();
                assert_eq!(oldest[..4], (number - 50).to_be_bytes());
                assert!(oldest[4..].iter().all(|byte| *byte == 7));
            }
        }
        // Some 13 packets are in a chunk, so that five to seven are in use, whose ends may lie on two sides of a line.
        assert!(places.len() <= 20, "{} places", places.len());
        assert!(pool.full.len() < 10);
    }

    #[test]
    fn what_is_held_for_ever_holds_up_nobody() {
        let mut pool = Pool::default();
        let first = pool.keep(&[&[1; 100]], |_| ());
        for _ in 0..5_000 {
            pool.keep(&[&[2; 1200]], |_| ());
        }
        assert!(pool.full.len() <= KEPT);
        assert_eq!(first, [1; 100].as_slice());
        assert_eq!(pool.keep(&[&[3; 40_000]], |bytes| bytes[0] = 4).len(), 40_000);
    }
}
