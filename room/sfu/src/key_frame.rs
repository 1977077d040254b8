//! Key frames that are asked for: what many receivers ask is one request (RFC 4585 §6.3.1, RFC 5104 §3.5.1).

use std::time::Instant;

use crate::limits::{KEY_FRAME_PATIENCE, KEY_FRAME_PAUSE};

/// What is asked of one encoding.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyFrames {
    asked: Option<Instant>,
    /// When to ask next; none where none is waited for.
    due: Option<Instant>,
}

impl KeyFrames {
    /// Somebody needs one.
    pub(crate) fn want(&mut self, now: Instant) {
        if self.due.is_none() {
            let pause = self.asked.map(|asked| asked + KEY_FRAME_PAUSE);
            self.due = Some(pause.map_or(now, |end| end.max(now)));
        }
    }

    /// One has come, or nobody needs one any more.
    pub(crate) fn done(&mut self) {
        self.due = None;
    }

    /// When it is to be asked.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether to ask now; then it is asked again after a while.
    pub(crate) fn poll(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            self.asked = Some(now);
            self.due = Some(now + KEY_FRAME_PATIENCE);
        }
        is_due
    }
}
