//! Buffers of received messages: they come back when the application lets go of the message, and the association puts
//! others together in them. Without that, each message costs pages that the kernel has to clear.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use crossbeam_queue::ArrayQueue;

/// Shorter messages keep their buffers: the way back costs more than another.
const LEAST: usize = 4096;

/// Those that may be on their way back; what comes then is freed.
const MOST: usize = 32;

/// Buffers on their way back to the association. Where no message is long there is no queue of them, which takes 600 bytes.
#[derive(Debug, Default)]
pub(crate) struct Returned(OnceLock<Box<ArrayQueue<Vec<u8>>>>);

/// A buffer that comes back when it is dropped.
struct Loan {
    buffer: Vec<u8>,
    home: Arc<Returned>,
}

impl Returned {
    /// Makes a buffer the application's, for as long as it wants.
    pub(crate) fn lend(self: &Arc<Self>, buffer: Vec<u8>) -> Bytes {
        if buffer.len() < LEAST {
            return buffer.into();
        }
        Bytes::from_owner(Loan { buffer, home: Arc::clone(self) })
    }

    pub(crate) fn put(&self, buffer: Vec<u8>) {
        // What finds no room is freed.
        let _ = self.0.get_or_init(|| Box::new(ArrayQueue::new(MOST))).push(buffer);
    }

    pub(crate) fn take(&self) -> Option<Vec<u8>> {
        self.0.get()?.pop()
    }
}

impl AsRef<[u8]> for Loan {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.home.put(std::mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_s_buffer_comes_back_with_its_last_handle() {
        let home = Arc::new(Returned::default());
        let message = home.lend(vec![7; LEAST]);
        let place = message.as_ptr();
        let part = message.slice(10..);
        drop(message);
        assert_eq!(home.take(), None, "a part is still held");
        drop(part);
        assert_eq!(home.take().map(|buffer| buffer.as_ptr()), Some(place));
        drop(home.lend(vec![7; LEAST - 1]));
        assert_eq!(home.take(), None);
    }

    #[test]
    fn few_wait_for_an_association_that_takes_none() {
        let home = Arc::new(Returned::default());
        (0..MOST * 2).for_each(|_| home.put(vec![7; LEAST]));
        assert_eq!(std::iter::from_fn(|| home.take()).count(), MOST);
    }
}
