//! One stream's numbers as another's (RFC 3550 §5.1): what was left out on purpose leaves no gap, what is missing does.

/// Times that something was left out which are remembered: what comes later than that is dropped.
const RUNS: usize = 32;

/// Turns the numbers of a source into those of a stream made from it. Both wrap around nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    /// The highest of the source that was seen.
    newest: u64,
    /// The last of them is at `at`.
    runs: [Run; RUNS],
    at: usize,
    count: usize,
}

/// From here on, so much is added.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    from: u64,
    shift: u64,
}

impl Numbers {
    /// The first number that is given out is this one.
    pub(crate) fn new(first: u64) -> Self {
        let mut runs = [Run::default(); RUNS];
        runs[0] = Run { from: u64::MAX, shift: first };
        Self { newest: u64::MAX, runs, at: 0, count: 0 }
    }

    /// The number that comes next if no packet is lost.
    pub(crate) fn next(&self) -> u64 {
        self.newest.wrapping_add(1).wrapping_add(self.runs[self.at].shift)
    }

    /// From now on the numbers are of another source, whose first one continues the stream.
    pub(crate) fn begin(&mut self, first: u64) {
        let shift = self.next().wrapping_sub(first);
        (self.at, self.count) = (0, 1);
        self.runs[0] = Run { from: first, shift };
        // As if it had just been left out: it comes.
        self.newest = first.wrapping_sub(1);
    }

    /// What a number of the source is in the stream: none if it was left out, is from before the beginning, or too old.
    pub(crate) fn forward(&mut self, number: u64) -> Option<u64> {
        if self.is_new(number) {
            self.newest = number;
            return Some(number.wrapping_add(self.runs[self.at].shift));
        }
        let mut later: Option<Run> = None;
        for back in 0..self.count {
            let run = self.runs[(self.at + RUNS - back) % RUNS];
            if number >= run.from {
                let left_out = later.map_or(0, |later| run.shift.wrapping_sub(later.shift));
                let is_left_out = later.is_some_and(|later| number >= later.from.saturating_sub(left_out));
                return (!is_left_out).then(|| number.wrapping_add(run.shift));
            }
            later = Some(run);
        }
        None
    }

    /// A number is not forwarded, and those after it close up. One that comes late has its place already.
    pub(crate) fn leave_out(&mut self, number: u64) {
        if !self.is_new(number) || self.count == 0 {
            return;
        }
        self.newest = number;
        let last = self.runs[self.at];
        let run = Run { from: number.wrapping_add(1), shift: last.shift.wrapping_sub(1) };
        if last.from != number {
            self.at = (self.at + 1) % RUNS;
            self.count = (self.count + 1).min(RUNS);
        }
        self.runs[self.at] = run;
    }

    fn is_new(&self, number: u64) -> bool {
        number > self.newest || self.newest == u64::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_leaves_no_gap_and_what_is_missing_does() {
        let mut numbers = Numbers::new(100);
        assert_eq!(numbers.next(), 100);
        numbers.begin(10);
        assert_eq!(numbers.forward(10), Some(100));
        numbers.leave_out(11);
        // 12 is missing.
        numbers.leave_out(13);
        numbers.leave_out(14);
        assert_eq!(numbers.forward(15), Some(102));
        assert_eq!(numbers.forward(12), Some(101), "it comes late");
        for number in [9, 11, 13, 14] {
            assert_eq!(numbers.forward(number), None, "{number}");
        }
        assert_eq!(numbers.next(), 103);
        numbers.begin(5);
        assert_eq!(numbers.forward(5), Some(103));
        assert_eq!(numbers.forward(15), Some(113), "another source's");
    }

    #[test]
    fn what_is_too_old_is_dropped() {
        let mut numbers = Numbers::new(0);
        numbers.begin(0);
        assert_eq!(numbers.forward(0), Some(0));
        // 1 is missing, and then every third is left out.
        for number in 2..200 {
            if number % 3 == 0 {
                numbers.leave_out(number);
            } else {
                assert!(numbers.forward(number).is_some());
            }
        }
        assert_eq!(numbers.forward(1), None);
        assert_eq!(numbers.forward(196), Some(196 - 65), "a duplicate gets the same number");
    }

    #[test]
    fn nothing_is_forwarded_before_the_beginning() {
        let mut numbers = Numbers::new(7);
        numbers.leave_out(3);
        assert_eq!(numbers.next(), 7);
        numbers.begin(4);
        assert_eq!((numbers.forward(4), numbers.forward(3)), (Some(7), None));
    }
}
