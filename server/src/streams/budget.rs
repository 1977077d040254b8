//! What a path carries, and what of a file therefore goes: frames are left out up to the next key frame while more waits than
//! leaves in time. It is a model of the queue, fed by the estimate that the connection tells.

use std::time::{Duration, Instant};

/// More than that is not to wait.
const MOST: Duration = Duration::from_secs(1);
/// Pictures go on when what waits has become so little.
const LEAST: Duration = Duration::from_millis(300);
/// Of packets' headers, for each byte of a frame: about 60 in 1,100.
const OVERHEAD: (u64, u64) = (106, 100);

/// What has been let go, and has not left yet by the estimate.
#[derive(Debug)]
pub(super) struct Budget {
    /// Bits per second; none before it is known.
    target: Option<u64>,
    waiting: u64,
    last: Instant,
    leaves_out: bool,
    /// Frames that were left out.
    pub(super) left_out: u64,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        Self { target: None, waiting: 0, last: now, leaves_out: false, left_out: 0 }
    }

    /// So much may be sent from now on.
    pub(super) fn set_target(&mut self, now: Instant, target: u64) {
        self.pass(now);
        self.target = Some(target);
    }

    pub(super) fn target(&self) -> Option<u64> {
        self.target
    }

    /// What frames may have of it, bits in a second.
    pub(super) fn for_frames(&self) -> Option<u64> {
        Some(self.target? / OVERHEAD.0 * OVERHEAD.1)
    }

    /// Whether pictures are being left out.
    pub(super) fn leaves_out(&self) -> bool {
        self.leaves_out
    }

    /// Whether a key frame would go.
    pub(super) fn has_room(&mut self, now: Instant) -> bool {
        self.pass(now);
        self.wait() < LEAST
    }

    /// Whether a frame goes. Sound always does: it is little, and missed at once.
    pub(super) fn admits(&mut self, now: Instant, bytes: usize, is_key: bool, is_audio: bool) -> bool {
        self.pass(now);
        let wait = self.wait();
        if !is_audio {
            if wait > MOST {
                self.leaves_out = true;
            } else if is_key && wait < LEAST {
                self.leaves_out = false;
            }
            if self.leaves_out {
                self.left_out += 1;
                return false;
            }
        }
        self.waiting += bytes as u64 * 8 * OVERHEAD.0 / OVERHEAD.1;
        true
    }

    /// A new connection: nothing waits.
    pub(super) fn clear(&mut self, now: Instant) {
        *self = Self { left_out: self.left_out, ..Self::new(now) };
    }

    /// How long what waits takes to leave.
    fn wait(&self) -> Duration {
        let nanos = self.target.map_or(0, |target| {
            (u128::from(self.waiting) * 1_000_000_000).checked_div(target.into()).unwrap_or(u128::MAX)
        });
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn pass(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.last);
        self.last = self.last.max(now);
        // Before an estimate is there, all leaves at once.
        let left = self
            .target
            .map_or(u128::MAX, |target| u128::from(target).saturating_mul(passed.as_nanos()) / 1_000_000_000);
        self.waiting = self.waiting.saturating_sub(u64::try_from(left).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 30 frames a second with so many bytes each go in a while, a key frame in each second.
    fn run(target: u64, bytes: usize, seconds: u64) -> (u64, Vec<u64>) {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        budget.set_target(start, target);
        let mut gone = Vec::new();
        for at in 0..seconds * 30 {
            let now = start + Duration::from_secs(at) / 30;
            assert!(budget.admits(now, 80, true, true), "sound goes");
            if budget.admits(now, bytes, at % 30 == 0, false) {
                gone.push(at);
            }
        }
        (budget.left_out, gone)
    }

    #[test]
    fn what_fits_goes() {
        // 960 kbit/s over 2 Mbit/s.
        assert_eq!(run(2_000_000, 4000, 20).0, 0);
    }

    #[test]
    fn what_does_not_is_left_out_up_to_key_frames() {
        // 2.4 Mbit/s over one.
        let (left_out, gone) = run(1_000_000, 10_000, 60);
        assert!(left_out > 60 * 30 / 3, "{left_out}");
        let bits = gone.len() as u64 * 80_000;
        assert!((40_000_000..64_000_000).contains(&bits), "{bits} of 60,000,000");
        for two in gone.windows(2).filter(|two| two[1] != two[0] + 1) {
            assert_eq!(two[1] % 30, 0, "it goes on with a key frame");
        }
    }

    #[test]
    fn nothing_is_left_out_before_anything_is_known() {
        let mut budget = Budget::new(Instant::now());
        assert!((0..1000).all(|_| budget.admits(Instant::now(), 1 << 20, false, false)));
    }
}
