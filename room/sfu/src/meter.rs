//! How much comes of a layer: bits over the last second.

use std::time::Duration;

/// Parts of the second.
const SLOTS: usize = 10;
/// One of them, in milliseconds.
const SLOT: u64 = 100;
/// As long as less has passed since the beginning, it is taken to be so much, in milliseconds.
const LEAST: u64 = 200;

/// Bytes of the last second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    slots: [u32; SLOTS],
    /// The slot that is filled, counted from the room's beginning.
    at: u64,
    total: u64,
    /// Where it began, after it had been empty.
    began: u64,
}

impl Meter {
    pub(crate) fn add(&mut self, since: Duration, bytes: usize) {
        self.advance(since);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let slot = &mut self.slots[(self.at % SLOTS as u64) as usize];
        *slot = slot.saturating_add(bytes);
        self.total = self.total.saturating_add(u64::from(bytes));
    }

    /// Bits per second.
    pub(crate) fn rate(&mut self, since: Duration) -> u64 {
        self.advance(since);
        let full = (self.at - self.began).min(SLOTS as u64 - 1);
        let time = full * SLOT + since.as_millis() as u64 % SLOT;
        self.total.saturating_mul(8 * 1000) / time.max(LEAST)
    }

    fn advance(&mut self, since: Duration) {
        let now = since.as_millis() as u64 / SLOT;
        let passed = now.saturating_sub(self.at);
        for _ in 0..passed.min(SLOTS as u64) {
            self.at += 1;
            let slot = &mut self.slots[(self.at % SLOTS as u64) as usize];
            self.total -= u64::from(std::mem::take(slot)).min(self.total);
        }
        self.at = self.at.max(now);
        if passed > 0 && self.total == 0 {
            // The slots are empty, wherever they lie.
            self.slots = [0; SLOTS];
            self.began = self.at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_measured() {
        let mut meter = Meter::default();
        for ms in (0..3_000).step_by(10) {
            meter.add(Duration::from_millis(5_000 + ms), 125);
            if ms == 100 {
                let rate = meter.rate(Duration::from_millis(5_000 + ms));
                assert!((50_000..=100_000).contains(&rate), "{rate}: as much as is known");
            }
        }
        assert_eq!(meter.rate(Duration::from_millis(7_999)), 100_100);
        assert_eq!(meter.rate(Duration::from_millis(8_599)), 40_040);
        assert_eq!(meter.rate(Duration::from_millis(20_000)), 0);
        meter.add(Duration::from_millis(20_000), 125);
        assert_eq!(meter.rate(Duration::from_millis(20_000)), 5_000);
    }
}
