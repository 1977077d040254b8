//! How much may wait to be taken by the application: messages of all channels of a connection, and its events.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Bytes that may wait; beyond, nothing more is taken from the peer, and the association's window closes.
const MOST: usize = 8 << 20;

/// What a message counts beside its bytes, and an event counts.
const EACH: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Budget {
    waiting: AtomicUsize,
    freed: Notify,
}

impl Budget {
    pub(crate) fn put(&self, bytes: usize) {
        self.waiting.fetch_add(bytes + EACH, Ordering::Relaxed);
    }

    pub(crate) fn take(&self, bytes: usize) {
        let before = self.waiting.fetch_sub(bytes + EACH, Ordering::Relaxed);
        if before > MOST && before - bytes - EACH <= MOST {
            self.freed.notify_one();
        }
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > MOST
    }

    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }
}
