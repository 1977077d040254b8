//! NTP's times, as RTCP and header extensions carry them (RFC 3550 §4).
//!
//! No clock is read here: whoever has one says how long it is since NTP's epoch, or since any other moment where only
//! differences count.

use std::time::Duration;

/// NTP's epoch, 1900, before that of Unix.
const UNIX_EPOCH: Duration = Duration::from_secs(2_208_988_800);

/// Seconds as 32.32 bits of fixed point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NtpTime(pub u64);

/// The middle 32 bits of an NTP time: seconds as 16.16 bits, which wrap around after 18 hours. Delays are in the same
/// units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NtpShort(pub u32);

impl NtpTime {
    /// The time so long after NTP's epoch, or after any other; it wraps around after 136 years.
    pub const fn from_duration(since: Duration) -> Self {
        let fraction = ((since.subsec_nanos() as u64) << 32) / 1_000_000_000;
        Self(since.as_secs() << 32 | fraction)
    }

    /// The time so long after 1970.
    pub const fn from_unix(since: Duration) -> Self {
        Self::from_duration(since.saturating_add(UNIX_EPOCH))
    }

    /// How long it is after the epoch it was made with.
    pub const fn to_duration(self) -> Duration {
        // Rounded, so that what went in comes out.
        let nanos = ((self.0 & 0xFFFF_FFFF) * 1_000_000_000 + (1 << 31)) >> 32;
        Duration::from_secs(self.0 >> 32).saturating_add(Duration::from_nanos(nanos))
    }

    /// Its middle 32 bits.
    pub const fn short(self) -> NtpShort {
        NtpShort((self.0 >> 16) as u32)
    }

    /// How much later this is than `earlier`, in units of 2^-32 s; negative where it is earlier.
    pub const fn ahead_of(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }
}

impl NtpShort {
    /// A delay; at most 18 hours.
    pub const fn from_duration(delay: Duration) -> Self {
        if delay.as_secs() > 0xFFFF {
            return Self(u32::MAX);
        }
        NtpTime::from_duration(delay).short()
    }

    /// As a delay.
    pub const fn to_duration(self) -> Duration {
        NtpTime((self.0 as u64) << 16).to_duration()
    }

    /// The time since `earlier`, around the wrap.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.wrapping_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_come_out_as_they_went_in() {
        for nanos in [0, 1, 2, 999_999_999, 1_000_000_000, 1_500_000_001, 77_000_000_123] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(NtpTime::from_duration(duration).to_duration(), duration);
        }
        assert_eq!(NtpTime::from_unix(Duration::ZERO).0 >> 32, 2_208_988_800);
    }

    /// The example of RFC 3550 §6.4.1: a round trip of 6.125 s from its numbers.
    #[test]
    fn the_middle_bits_give_a_round_trip() {
        assert_eq!(NtpTime(0xB44D_B705_2000_0000).short(), NtpShort(0xB705_2000));
        let (now, last, delay) = (NtpShort(0xB710_8000), NtpShort(0xB705_2000), NtpShort(0x0005_4000));
        assert_eq!(now.since(last).since(delay).to_duration(), Duration::from_millis(6_125));
        assert_eq!(NtpShort::from_duration(Duration::from_millis(5_250)), delay);
        assert_eq!(NtpShort::from_duration(Duration::from_secs(70_000)), NtpShort(u32::MAX));
    }
}
