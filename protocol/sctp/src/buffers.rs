//! Buffers that are used again, so that messages (RFC 9260 §6.9) cost no allocation each.
//!
//! Limits: [`SMALL_KEPT`] buffers of at most 2 KiB, and larger ones of [`LARGE_KEPT`] bytes in all.
//! An association that idles gives them back.

const SMALL: usize = 2048;
const SMALL_KEPT: usize = 512;
const LARGE_KEPT: usize = 4 << 20;

/// A pool of buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    small: Vec<Vec<u8>>,
    large: Vec<Vec<u8>>,
    /// Bytes of the large ones.
    kept: usize,
}

impl Buffers {
    /// An empty buffer for something of about `length` bytes.
    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        if length <= SMALL {
            return self.small.pop().unwrap_or_else(|| Vec::with_capacity(length));
        }
        let Some(buffer) = self.large.pop() else { return Vec::with_capacity(length) };
        self.kept -= buffer.capacity();
        buffer
    }

    /// A buffer that is not needed any more.
    #[inline]
    pub(crate) fn give_back(&mut self, mut buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        buffer.clear();
        if capacity > SMALL {
            if self.kept + capacity <= LARGE_KEPT {
                self.kept += capacity;
                self.large.push(buffer);
            }
        } else if capacity > 0 && self.small.len() < SMALL_KEPT {
            self.small.push(buffer);
        }
    }
}
