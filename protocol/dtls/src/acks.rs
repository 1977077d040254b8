//! What we acknowledge, and when: RFC 9147 §7, §7.1.

use std::time::Instant;

use crate::record::RecordNumber;

/// More than a flight has records, its repetitions counted.
const MAX_NUMBERS: usize = 32;

/// The records of the peer's present flight.
#[derive(Default)]
pub(crate) struct Acks {
    numbers: Vec<RecordNumber>,
    deadline: Option<Instant>,
}

impl Acks {
    /// A record came whose messages were taken in.
    pub(crate) fn note(&mut self, number: RecordNumber) {
        if self.numbers.contains(&number) {
            return;
        }
        if self.numbers.len() == MAX_NUMBERS {
            self.numbers.remove(0);
        }
        self.numbers.push(number);
    }

    /// An acknowledgement is to be sent at `at`, or earlier if that was said before.
    pub(crate) fn schedule(&mut self, at: Instant) {
        self.deadline = Some(self.deadline.map_or(at, |deadline| deadline.min(at)));
    }

    /// The peer's next flight begins.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// When to acknowledge.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What to acknowledge now, in order, if it is time.
    pub(crate) fn due(&mut self, now: Instant) -> Option<&[RecordNumber]> {
        self.deadline.take_if(|deadline| *deadline <= now)?;
        self.numbers.sort_unstable();
        Some(&self.numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn records_are_acknowledged_in_order_when_it_is_time() {
        #[expect(clippy::disallowed_methods, reason = "a test has to begin somewhere")]
        let now = Instant::now();
        let number = |sequence| RecordNumber { epoch: 2, sequence };
        let mut acks = Acks::default();
        assert_eq!(acks.due(now), None);
        acks.note(number(5));
        acks.note(number(3));
        acks.note(number(5));
        acks.schedule(now + Duration::from_millis(25));
        acks.schedule(now + Duration::from_millis(50));
        assert_eq!(acks.due(now), None);
        assert_eq!(acks.due(now + Duration::from_millis(25)), Some(&[number(3), number(5)][..]));
        assert_eq!(acks.due(now + Duration::from_millis(25)), None);
        for sequence in 0..100 {
            acks.note(number(sequence));
        }
        assert_eq!(acks.numbers.len(), MAX_NUMBERS);
    }
}
