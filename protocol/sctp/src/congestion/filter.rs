//! A maximum over the last few rounds (draft-ietf-ccwg-bbr-06 §5.5.5, §5.5.9; Kathleen Nichols' filter as
//! in Linux' `win_minmax`).

/// The greatest value of a window of rounds, with the second and third best to follow it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MaxFilter {
    best: [(u64, u64); 3],
}

impl MaxFilter {
    /// Adds a value at `round` and returns the greatest of the last `window` rounds.
    pub(super) fn update(&mut self, round: u64, window: u64, value: u64) -> u64 {
        let sample = (round, value);
        if value >= self.best[0].1 || round - self.best[2].0 > window {
            self.best = [sample; 3];
            return value;
        }
        if value >= self.best[1].1 {
            self.best[1] = sample;
            self.best[2] = sample;
        } else if value >= self.best[2].1 {
            self.best[2] = sample;
        }
        if round - self.best[0].0 > window {
            self.best = [self.best[1], self.best[2], sample];
            if round - self.best[0].0 > window {
                self.best = [self.best[1], self.best[2], sample];
            }
        } else if self.best[1].0 == self.best[0].0 && (round - self.best[1].0) * 4 > window {
            self.best[1] = sample;
            self.best[2] = sample;
        } else if self.best[2].0 == self.best[1].0 && (round - self.best[2].0) * 2 > window {
            self.best[2] = sample;
        }
        self.best[0].1
    }
}
