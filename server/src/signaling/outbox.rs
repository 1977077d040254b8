//! What the server sent in a session and the client has not yet said that it processed: the part that is
//! repeated after a dropped connection.

use std::collections::VecDeque;

use bytes::Bytes;

/// At most so many messages are kept, and at most so many bytes; of more, the oldest go. Whoever missed
/// one of those cannot resume.
const MOST_MESSAGES: usize = 256;

/// The counted messages of one session.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// How many messages came before the first one kept.
    forgotten: u64,
    kept: VecDeque<Bytes>,
    bytes: usize,
}

impl Outbox {
    pub(crate) fn push(&mut self, text: Bytes, most_bytes: usize) {
        self.bytes += text.len();
        self.kept.push_back(text);
        while self.kept.len() > MOST_MESSAGES || self.bytes > most_bytes {
            self.forget_first();
        }
    }

    /// The client has processed the first `received` messages of the session. False if so many were
    /// never sent.
    pub(crate) fn acknowledge(&mut self, received: u64) -> bool {
        if received > self.sent() {
            return false;
        }
        while self.forgotten < received {
            self.forget_first();
        }
        true
    }

    /// Whether everything after the first `received` messages is still here.
    pub(crate) fn can_resume_from(&self, received: u64) -> bool {
        (self.forgotten..=self.sent()).contains(&received)
    }

    /// What is still kept, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        self.kept.iter()
    }

    /// How many messages were sent in the session.
    pub(crate) fn sent(&self) -> u64 {
        self.forgotten + self.kept.len() as u64
    }

    fn forget_first(&mut self) {
        if let Some(text) = self.kept.pop_front() {
            self.bytes -= text.len();
            self.forgotten += 1;
        }
    }

    #[cfg(test)]
    pub(crate) fn is_within(&self, most_bytes: usize) -> bool {
        self.kept.len() <= MOST_MESSAGES
            && self.bytes <= most_bytes
            && self.bytes == self.kept.iter().map(Bytes::len).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(count: usize, size: usize, most_bytes: usize) -> Outbox {
        let mut outbox = Outbox::default();
        for _ in 0..count {
            outbox.push(Bytes::from(vec![b'x'; size]), most_bytes);
        }
        outbox
    }

    #[test]
    fn forgets_what_was_processed() {
        let mut outbox = filled(5, 1, 100);
        assert!(outbox.acknowledge(3));
        assert_eq!(outbox.iter().count(), 2);
        assert!(outbox.acknowledge(2), "an old count is no news");
        assert_eq!(outbox.iter().count(), 2);
        assert!(!outbox.acknowledge(6), "six were never sent");
        assert!(outbox.can_resume_from(3) && outbox.can_resume_from(5));
        assert!(!outbox.can_resume_from(2) && !outbox.can_resume_from(6));
    }

    #[test]
    fn is_bounded_in_messages_and_bytes() {
        let outbox = filled(300, 1, 1_000);
        assert_eq!((outbox.iter().count(), outbox.sent()), (256, 300));
        assert!(!outbox.can_resume_from(43) && outbox.can_resume_from(44));

        let outbox = filled(30, 100, 1_000);
        assert_eq!((outbox.iter().count(), outbox.sent()), (10, 30));
        assert!(outbox.is_within(1_000));
    }

    #[test]
    fn a_message_over_the_whole_bound_is_lost_not_kept() {
        let outbox = filled(1, 2_000, 1_000);
        assert_eq!((outbox.iter().count(), outbox.sent()), (0, 1));
        assert!(!outbox.can_resume_from(0) && outbox.can_resume_from(1));
    }
}
