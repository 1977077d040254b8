//! Amounts of data and how fast they go, with arithmetic that neither overflows nor divides by zero (the units of RFC 8888's
//! users: bits a second, bytes).

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

/// Bits a second. At most [`DataRate::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataRate(u64);

impl DataRate {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// A terabit a second: beyond every path, and far from where arithmetic would overflow.
    pub const MAX: Self = Self(1_000_000_000_000);

    /// From bits a second.
    #[must_use]
    pub const fn from_bps(bits: u64) -> Self {
        if bits > Self::MAX.0 { Self::MAX } else { Self(bits) }
    }

    /// From kilobits a second.
    #[must_use]
    pub const fn from_kbps(kilobits: u64) -> Self {
        Self::from_bps(kilobits.saturating_mul(1000))
    }

    /// From megabits a second.
    #[must_use]
    pub const fn from_mbps(megabits: u64) -> Self {
        Self::from_bps(megabits.saturating_mul(1_000_000))
    }

    /// In bits a second.
    #[must_use]
    pub const fn as_bps(self) -> u64 {
        self.0
    }

    /// In kilobits a second, rounded down.
    #[must_use]
    pub const fn as_kbps(self) -> u64 {
        self.0 / 1000
    }

    /// So many times as fast. What is no number or below zero counts as zero.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        // A cast saturates, and takes what is no number for zero.
        Self::from_bps((self.0 as f64 * factor) as u64)
    }

    /// What goes by in this time.
    #[must_use]
    pub fn over(self, time: Duration) -> DataSize {
        let micros = time.as_micros();
        // Division of 64 bits costs a fraction of that of 128.
        if let Some(product) = u64::try_from(micros).ok().and_then(|micros| micros.checked_mul(self.0)) {
            return DataSize(product / 8_000_000);
        }
        DataSize(u64::try_from(u128::from(self.0) * micros / 8_000_000).unwrap_or(u64::MAX))
    }

    /// This part of another rate; 0 where the other is zero.
    #[must_use]
    pub fn part_of(self, whole: Self) -> f64 {
        if whole.0 == 0 { 0.0 } else { self.0 as f64 / whole.0 as f64 }
    }
}

impl Add for DataRate {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::from_bps(self.0.saturating_add(other.0))
    }
}

impl Sub for DataRate {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for DataRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kbit/s", self.as_kbps())
    }
}

/// Bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataSize(u64);

impl DataSize {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From bytes.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// In bytes.
    #[must_use]
    pub const fn as_bytes(self) -> u64 {
        self.0
    }

    /// How fast it went where it took this long; [`DataRate::MAX`] where it took no time.
    #[must_use]
    pub fn per(self, time: Duration) -> DataRate {
        let micros = time.as_micros();
        if micros == 0 {
            return if self.0 == 0 { DataRate::ZERO } else { DataRate::MAX };
        }
        if let (Some(product), Ok(micros)) = (self.0.checked_mul(8_000_000), u64::try_from(micros)) {
            return DataRate::from_bps(product / micros);
        }
        let bits = u128::from(self.0) * 8_000_000 / micros;
        DataRate::from_bps(u64::try_from(bits).unwrap_or(u64::MAX))
    }

    /// How long it takes at this rate, at most an hour.
    #[must_use]
    pub fn at(self, rate: DataRate) -> Duration {
        const HOUR: u64 = 3_600_000_000;
        if rate.0 == 0 {
            return if self.0 == 0 { Duration::ZERO } else { Duration::from_micros(HOUR) };
        }
        let micros = match self.0.checked_mul(8_000_000) {
            Some(product) => product / rate.0,
            None => u64::try_from(u128::from(self.0) * 8_000_000 / u128::from(rate.0)).unwrap_or(HOUR),
        };
        Duration::from_micros(micros.min(HOUR))
    }
}

impl Add for DataSize {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for DataSize {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for DataSize {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl SubAssign for DataSize {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_rates_and_times_fit_together() {
        let rate = DataRate::from_kbps(800);
        assert_eq!(rate.over(Duration::from_millis(10)), DataSize::from_bytes(1000));
        assert_eq!(DataSize::from_bytes(1000).at(rate), Duration::from_millis(10));
        assert_eq!(DataSize::from_bytes(1000).per(Duration::from_millis(10)), rate);
    }

    #[test]
    fn extremes_stay_within_bounds() {
        assert_eq!(DataRate::from_mbps(u64::MAX), DataRate::MAX);
        assert_eq!(DataRate::MAX.scaled(f64::INFINITY), DataRate::MAX);
        assert_eq!(DataRate::MAX.scaled(f64::NAN), DataRate::ZERO);
        assert_eq!(DataRate::MAX.scaled(-1.0), DataRate::ZERO);
        assert_eq!(DataRate::MAX.over(Duration::MAX), DataSize::from_bytes(u64::MAX));
        assert_eq!(DataSize::from_bytes(u64::MAX).at(DataRate::ZERO), Duration::from_secs(3600));
        assert_eq!(DataSize::from_bytes(u64::MAX).at(DataRate::from_bps(1)), Duration::from_secs(3600));
        assert_eq!(DataSize::from_bytes(u64::MAX).per(Duration::ZERO), DataRate::MAX);
        assert_eq!(DataSize::ZERO.per(Duration::ZERO), DataRate::ZERO);
        assert_eq!(DataRate::ZERO - DataRate::MAX, DataRate::ZERO);
        assert_eq!(DataRate::MAX + DataRate::MAX, DataRate::MAX);
    }
}
