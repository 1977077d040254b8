//! How much may wait between the application and the driver, on its way out: messages of one channel, so that one that
//! fills its room does not hold up the others.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use crate::bell::Bell;

/// While so many bytes or more wait, nothing more is taken; one message may exceed it.
const MOST: usize = 1 << 20;

/// When this is reached, senders go on: waking them for each message would cost more than the message.
const RESUME: usize = MOST / 2;

/// What a message counts beside its bytes.
const EACH: usize = 128;

#[derive(Debug, Default)]
pub(crate) struct Room {
    taken: AtomicUsize,
    is_closed: AtomicBool,
    freed: Bell,
}

/// Nobody takes anything any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl Room {
    /// Takes room for a message.
    pub(crate) fn poll_take(&self, context: &Context<'_>, bytes: usize) -> Poll<Result<(), Closed>> {
        self.freed.poll(context, || {
            if self.is_closed.load(Ordering::SeqCst) {
                return Some(Err(Closed));
            }
            let take = |taken| (taken < MOST).then_some(taken + bytes + EACH);
            self.taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).ok().map(|_| Ok(()))
        })
    }

    /// Gives back what a message took.
    pub(crate) fn give_back(&self, bytes: usize) {
        let given = EACH + bytes;
        let before = self.taken.fetch_sub(given, Ordering::SeqCst);
        if before > RESUME && before.saturating_sub(given) <= RESUME {
            self.freed.ring();
        }
    }

    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.freed.ring();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_sender_waits_while_there_is_too_much_and_goes_on_at_half() {
        let (room, context) = (Room::default(), Context::from_waker(Waker::noop()));
        assert!(room.poll_take(&context, 3 * MOST).is_ready(), "one message may exceed it");
        assert!(room.poll_take(&context, 0).is_pending());
        assert!(room.poll_take(&context, 0).is_pending());
        room.give_back(3 * MOST);
        assert_eq!(room.poll_take(&context, MOST), Poll::Ready(Ok(())));
        assert!(room.poll_take(&context, 0).is_pending());
        room.give_back(MOST);
        assert_eq!(room.poll_take(&context, 0), Poll::Ready(Ok(())));
        room.close();
        assert_eq!(room.poll_take(&context, 0), Poll::Ready(Err(Closed)));
    }
}
