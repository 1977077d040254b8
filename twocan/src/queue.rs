//! A queue from many tasks to one, without a limit of its own, that takes memory for what waits in it and no more.
//!
//! tokio's channels make room for 32 entries each, and keep their two ends apart in the cache: the five of an idle
//! connection with one data channel took 6.5 KiB. Here is a lock, held while an entry is put in or all are taken: once for
//! each message, never for a datagram, as the driver takes those from its sockets by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::task::coop;

/// The two ends of a queue that keeps room for so many entries while it is empty.
pub(crate) fn queue<T>(kept: usize) -> (Sender<T>, Receiver<T>) {
    let state = State { entries: VecDeque::new(), waiting: None, senders: 1, is_closed: false };
    let shared = Arc::new(Shared(Mutex::new(state)));
    (Sender(Arc::clone(&shared)), Receiver { shared, taken: VecDeque::new(), kept })
}

/// Puts entries in, in order.
#[derive(Debug)]
pub(crate) struct Sender<T>(Arc<Shared<T>>);

/// A sender that does not keep the receiver waiting: see [`upgrade`](Self::upgrade).
#[derive(Debug)]
pub(crate) struct WeakSender<T>(Arc<Shared<T>>);

/// Takes entries out.
#[derive(Debug)]
pub(crate) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// All that were there at the last look, so that the lock is taken once for many.
    taken: VecDeque<T>,
    kept: usize,
}

#[derive(Debug)]
struct Shared<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    entries: VecDeque<T>,
    waiting: Option<Waker>,
    senders: usize,
    is_closed: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Sender<T> {
    /// Adds an entry, or gives it back where nobody takes any.
    pub(crate) fn send(&self, entry: T) -> Result<(), T> {
        let waiting = {
            let mut state = self.0.lock();
            if state.is_closed {
                return Err(entry);
            }
            state.entries.push_back(entry);
            state.waiting.take()
        };
        if let Some(waiting) = waiting {
            waiting.wake();
        }
        Ok(())
    }

    pub(crate) fn downgrade(&self) -> WeakSender<T> {
        WeakSender(Arc::clone(&self.0))
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.0.lock();
            state.senders -= 1;
            if state.senders == 0 { state.waiting.take() } else { None }
        };
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

impl<T> WeakSender<T> {
    /// A sender, as long as there is another.
    pub(crate) fn upgrade(&self) -> Option<Sender<T>> {
        let mut state = self.0.lock();
        if state.senders == 0 {
            return None;
        }
        state.senders += 1;
        Some(Sender(Arc::clone(&self.0)))
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Receiver<T> {
    /// The next entry; none once all senders are gone, or the queue was closed, and everything was taken. One task waits.
    pub(crate) fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        // As tokio's own: a task that always finds something lets others have their turns.
        let turn = ready!(coop::poll_proceed(context));
        if self.taken.is_empty() {
            let mut state = self.shared.lock();
            std::mem::swap(&mut self.taken, &mut state.entries);
            let is_over = state.senders == 0 || state.is_closed;
            if self.taken.is_empty() && !is_over {
                if !state.waiting.as_ref().is_some_and(|waiting| waiting.will_wake(context.waker())) {
                    state.waiting = Some(context.waker().clone());
                }
                return Poll::Pending;
            }
        }
        turn.made_progress();
        Poll::Ready(self.pop())
    }

    pub(crate) async fn recv(&mut self) -> Option<T> {
        std::future::poll_fn(|context| self.poll_recv(context)).await
    }

    /// The next entry, if there is one.
    pub(crate) fn try_recv(&mut self) -> Option<T> {
        if self.taken.is_empty() {
            std::mem::swap(&mut self.taken, &mut self.shared.lock().entries);
        }
        self.pop()
    }

    fn pop(&mut self) -> Option<T> {
        let entry = self.taken.pop_front();
        if self.taken.is_empty() && self.taken.capacity() > self.kept {
            self.taken = VecDeque::new();
        }
        entry
    }

    /// Takes no further ones.
    pub(crate) fn close(&mut self) {
        self.shared.lock().is_closed = true;
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let left = {
            let mut state = self.shared.lock();
            state.is_closed = true;
            std::mem::take(&mut state.entries)
        };
        // They may hold senders of this queue.
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn entries_come_in_order_and_end_with_the_last_sender() {
        let (sender, mut receiver) = queue(0);
        let other = sender.clone();
        let receiving = tokio::spawn(async move {
            let mut all = Vec::new();
            while let Some(entry) = receiver.recv().await {
                all.push(entry);
            }
            all
        });
        for entry in 0..1000 {
            let sender = if entry % 2 == 0 { &sender } else { &other };
            sender.send(entry).expect("somebody takes it");
            if entry % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let weak = sender.downgrade();
        drop(sender);
        assert!(weak.upgrade().is_some(), "there is another");
        drop(other);
        assert!(weak.upgrade().is_none());
        assert!(receiving.await.expect("it ends").into_iter().eq(0..1000));
    }

    #[test]
    fn a_closed_queue_gives_back_what_comes_and_still_has_what_came() {
        let (sender, mut receiver) = queue(0);
        sender.send(1).expect("it is open");
        receiver.close();
        assert_eq!(sender.send(2), Err(2));
        assert_eq!(receiver.try_recv(), Some(1));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(receiver.poll_recv(&mut context), Poll::Ready(None));
    }

    #[test]
    fn an_empty_one_keeps_no_more_room_than_it_may() {
        for (kept, expected) in [(0, 0), (8, 8)] {
            let (sender, mut receiver) = queue(kept);
            (0..8).for_each(|entry| sender.send(entry).expect("it is open"));
            (0..8).for_each(|entry| assert_eq!(receiver.try_recv(), Some(entry)));
            assert_eq!(receiver.taken.capacity(), expected);
            assert_eq!(sender.0.lock().entries.capacity(), 0);
        }
    }
}
