//! How much may wait to be taken by the application: messages of all channels of a connection, and its events.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use crate::bell::Bell;

/// Bytes that may wait; beyond, nothing more is taken from the peer, and the association's window closes.
const MOST: usize = 8 << 20;

/// What a message counts beside its bytes, and an event counts.
const EACH: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Budget {
    waiting: AtomicUsize,
    freed: Bell,
}

impl Budget {
    pub(crate) fn put(&self, bytes: usize) {
        self.waiting.fetch_add(bytes + EACH, Ordering::SeqCst);
    }

    pub(crate) fn take(&self, bytes: usize) {
        let before = self.waiting.fetch_sub(bytes + EACH, Ordering::SeqCst);
        if before > MOST && before - bytes - EACH <= MOST {
            self.freed.ring();
        }
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > MOST
    }

    /// Ready once there is room.
    pub(crate) fn poll_freed(&self, context: &Context<'_>) -> Poll<()> {
        self.freed.poll(context, || (!self.is_spent()).then_some(()))
    }
}
