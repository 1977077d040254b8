//! One stream's numbers as another's (RFC 3550 §5.1): what was left out on purpose leaves no gap, what is missing does.

/// Times that something was left out which are remembered: what comes later than that is dropped.
const RUNS: usize = 32;

/// Turns the numbers of a source into those of a stream made from it. Both wrap around nowhere.
///
/// A room has two for each subscription, which are looked at for each packet: what that takes is together, and the runs
/// before the last one are elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    /// The highest of the source that was seen.
    newest: u64,
    /// The highest of it that was forwarded.
    last: u64,
    /// What comes after the highest that was given out.
    next: u64,
    /// The last of the runs.
    run: Run,
    /// Those before it, of which the last is in front of `at`. None are before the first time that something is left out, which
    /// of sound never comes.
    former: Option<Box<[Run; RUNS]>>,
    at: u8,
    /// How many there are, with the last one.
    count: u8,
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
        Self { newest: u64::MAX, last: 0, next: first, run: Run::default(), former: None, at: 0, count: 0 }
    }

    /// From now on the numbers are of another source, whose first one follows the highest that was given out.
    pub(crate) fn begin(&mut self, first: u64) {
        let shift = self.next.wrapping_sub(first);
        (self.at, self.count) = (0, 1);
        self.run = Run { from: first, shift };
        // As if it had just been left out: it comes.
        self.newest = first.wrapping_sub(1);
        self.last = self.newest;
    }

    /// So many runs before the last one.
    fn run(&self, back: usize) -> Run {
        let former = self.former.as_ref().filter(|_| back > 0);
        former.map_or(self.run, |former| former[(usize::from(self.at) + RUNS - back) % RUNS])
    }

    /// What a number of the source is in the stream: none if it was left out, is from before the beginning, or too old.
    pub(crate) fn forward(&mut self, number: u64) -> Option<u64> {
        let given = self.place(number)?;
        if given >= self.next {
            (self.last, self.next) = (number, given.wrapping_add(1));
        }
        Some(given)
    }

    fn place(&mut self, number: u64) -> Option<u64> {
        if self.is_new(number) {
            self.newest = number;
            return Some(number.wrapping_add(self.run.shift));
        }
        let mut later: Option<Run> = None;
        for back in 0..usize::from(self.count) {
            let run = self.run(back);
            if number >= run.from {
                let left_out = later.map_or(0, |later| run.shift.wrapping_sub(later.shift));
                let is_left_out = later.is_some_and(|later| number >= later.from.saturating_sub(left_out));
                return (!is_left_out).then(|| number.wrapping_add(run.shift));
            }
            later = Some(run);
        }
        None
    }

    /// A number is not forwarded, and those after it close up. One that comes late has its place already, unless nothing
    /// but what was left out has come since.
    pub(crate) fn leave_out(&mut self, number: u64) {
        if self.count == 0 {
            return;
        }
        let last = self.run;
        let shift = last.shift.wrapping_sub(1);
        if !self.is_new(number) {
            let before = self.run(1);
            let left_out = before.shift.wrapping_sub(last.shift);
            let is_next = self.count > 1 && number.wrapping_add(1) == last.from.wrapping_sub(left_out);
            if is_next && self.last < number && number >= before.from {
                self.run.shift = shift;
            }
            return;
        }
        self.newest = number;
        if last.from != number {
            let former = self.former.get_or_insert_with(|| Box::new([Run::default(); RUNS]));
            former[usize::from(self.at)] = last;
            self.at = (self.at + 1) % RUNS as u8;
            self.count = (self.count + 1).min(RUNS as u8);
        }
        self.run = Run { from: number.wrapping_add(1), shift };
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
        // 16 is missing, too, but nobody will miss it.
        numbers.leave_out(17);
        numbers.begin(5);
        assert_eq!(numbers.forward(5), Some(103));
        assert_eq!(numbers.forward(15), Some(113), "another source's");
    }

    #[test]
    fn what_is_left_out_in_another_order_leaves_no_gap_either() {
        let mut numbers = Numbers::new(0);
        numbers.begin(0);
        assert_eq!(numbers.forward(0), Some(0));
        for number in [2, 1] {
            numbers.leave_out(number);
        }
        assert_eq!([3, 2, 1].map(|number| numbers.forward(number)), [Some(1), None, None]);
        // 4 and 5 are missing when 6 is left out, and 5 is late and left out, too.
        for number in [6, 5] {
            numbers.leave_out(number);
        }
        assert_eq!([7, 4, 5].map(|number| numbers.forward(number)), [Some(3), Some(2), None]);
        // 8 has its place when it is left out.
        assert_eq!(numbers.forward(9), Some(5));
        numbers.leave_out(8);
        assert_eq!(numbers.forward(10), Some(6));
        // 11 was forwarded, as far as it was there: a number may be that of several packets.
        assert_eq!(numbers.forward(11), Some(7));
        numbers.leave_out(12);
        numbers.leave_out(11);
        assert_eq!(numbers.forward(13), Some(8));
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
        numbers.begin(4);
        assert_eq!((numbers.forward(4), numbers.forward(3)), (Some(7), None));
    }
}
