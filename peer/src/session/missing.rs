//! Packets that are missed, and when to ask for each (RFC 4585 §6.2.1, RFC 4588 §6.3).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Numbers that are missed at the same time. More are a stream that has broken off.
const MISSED: usize = 512;

/// How often one is asked for.
const TRIES: u8 = 10;

/// How long a number is waited for that may merely have been overtaken.
const OVERTAKEN: Duration = Duration::from_millis(10);

/// How soon one is asked for again, at least.
const AGAIN: Duration = Duration::from_millis(20);

/// How late one may be and be of use.
const USEFUL: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Lost {
    number: u64,
    since: Instant,
    due: Instant,
    tries: u8,
}

/// What a source's packets lack.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// In the order of their numbers.
    lost: VecDeque<Lost>,
    /// Since when something is given up: what depends on it cannot be decoded.
    given_up: Option<Instant>,
}

impl Missing {
    /// A number came that is the highest; `gap` are the ones before it that did not.
    pub(crate) fn skipped(&mut self, now: Instant, gap: std::ops::Range<u64>) {
        let length = gap.end - gap.start;
        if length as usize + self.lost.len() > MISSED {
            self.lost.clear();
            self.given_up = Some(now);
            return;
        }
        let due = now + OVERTAKEN;
        self.lost.extend(gap.map(|number| Lost { number, since: now, due, tries: 0 }));
    }

    /// A number came after all. True if it was missed.
    pub(crate) fn came(&mut self, number: u64) -> bool {
        match self.lost.binary_search_by_key(&number, |lost| lost.number) {
            Ok(at) => self.lost.remove(at).is_some(),
            Err(_) => false,
        }
    }

    /// When something is to be asked for: packets, or a key frame.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.lost.iter().map(|lost| lost.due).chain(self.given_up).min()
    }

    /// Appends what is to be asked for now, in order; asks again after a round trip.
    pub(crate) fn ask(&mut self, now: Instant, round_trip: Duration, numbers: &mut Vec<u64>) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        let before = self.lost.len();
        self.lost.retain(|lost| lost.due > now || (lost.tries < TRIES && now - lost.since < USEFUL));
        if self.lost.len() < before {
            self.given_up = Some(now);
        }
        for lost in self.lost.iter_mut().filter(|lost| lost.due <= now) {
            numbers.push(lost.number);
            lost.tries += 1;
            lost.due = now + AGAIN.max(round_trip + round_trip / 4);
        }
    }

    /// Whether something was given up since this was asked last.
    pub(crate) fn take_given_up(&mut self) -> bool {
        self.given_up.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(missing: &mut Missing, now: Instant) -> Vec<u64> {
        let mut numbers = Vec::new();
        missing.ask(now, Duration::from_millis(100), &mut numbers);
        numbers
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
    fn what_is_missed_is_asked_for_until_it_comes_or_is_of_no_use() {
        let (mut missing, start) = (Missing::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        missing.skipped(start, 5..8);
        assert!(asked(&mut missing, at(9)).is_empty(), "they may have been overtaken");
        assert!(missing.came(6) && !missing.came(6) && !missing.came(9));
        assert_eq!(asked(&mut missing, at(10)), [5, 7]);
        assert!(asked(&mut missing, at(100)).is_empty());
        assert!(missing.came(7));
        assert_eq!(missing.due(), Some(at(135)));
        assert_eq!(asked(&mut missing, at(135)), [5]);
        assert!(!missing.take_given_up());
        assert!(asked(&mut missing, at(1_000)).is_empty());
        assert!(missing.take_given_up() && !missing.take_given_up());
        assert_eq!(missing.due(), None);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
    fn a_stream_that_has_broken_off_is_not_asked_for() {
        let (mut missing, start) = (Missing::default(), Instant::now());
        missing.skipped(start, 0..MISSED as u64);
        assert!(!missing.take_given_up());
        missing.skipped(start, 1_000..1_001);
        assert!(missing.take_given_up());
        assert_eq!(missing.due(), None);
    }
}
