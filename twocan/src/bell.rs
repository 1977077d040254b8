//! Wakes whoever waits for a condition to become true, at next to no cost while nobody does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Tasks that wait for something. Each is listed once, and all are woken together: they look for themselves.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    is_awaited: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Bell {
    /// Something has changed. The change must have been stored before, with `SeqCst`.
    pub(crate) fn ring(&self) {
        if self.is_awaited.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        let waiting = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            self.is_awaited.store(false, Ordering::SeqCst);
            std::mem::take(&mut *waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Ready with what `look` finds; otherwise the task is woken at the next ring.
    pub(crate) fn poll<T>(&self, context: &Context<'_>, mut look: impl FnMut() -> Option<T>) -> Poll<T> {
        if let Some(found) = look() {
            return Poll::Ready(found);
        }
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
            self.is_awaited.store(true, Ordering::SeqCst);
        }
        // It may have changed between the look and the listing.
        look().map_or(Poll::Pending, Poll::Ready)
    }

    pub(crate) async fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        std::future::poll_fn(|context| self.poll(context, &mut look)).await
    }
}
