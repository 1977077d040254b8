//! Buffers that are used again, so that messages (RFC 9260 §6.9) cost no allocation each.
//!
//! Limits: [`SMALL_KEPT`] buffers of at most 2 KiB, [`LARGE_KEPT`] larger ones of at most [`LARGEST_KEPT`].
//! An association that idles gives them back.

const SMALL: usize = 2048;
const SMALL_KEPT: usize = 512;
const LARGE_KEPT: usize = 16;
const LARGEST_KEPT: usize = 1 << 20;

/// A pool of buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    small: Vec<Vec<u8>>,
    large: Vec<Vec<u8>>,
}

impl Buffers {
    /// An empty buffer for something of about `length` bytes.
    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        let pool = if length <= SMALL { &mut self.small } else { &mut self.large };
        pool.pop().unwrap_or_else(|| Vec::with_capacity(length))
    }

    /// A buffer that is not needed any more.
    #[inline]
    pub(crate) fn give_back(&mut self, mut buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        let (pool, most) =
            if capacity <= SMALL { (&mut self.small, SMALL_KEPT) } else { (&mut self.large, LARGE_KEPT) };
        if capacity > 0 && capacity <= LARGEST_KEPT && pool.len() < most {
            buffer.clear();
            pool.push(buffer);
        }
    }
}
