//! When a packet was sent, in 24 bits: an extension that no RFC describes (RFC 8285 carries it), libwebrtc does.

use std::time::Duration;

use super::{Extension, Kind};
use crate::time::NtpTime;

/// Seconds as 6.18 bits of fixed point: it wraps around after 64 s and counts steps of 3.8 µs.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  ID   | len=2 |              absolute send time               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsSendTime(pub u32);

const MASK: u32 = 0xFF_FFFF;

impl AbsSendTime {
    /// What of an NTP timestamp is sent.
    pub const fn from_ntp(time: NtpTime) -> Self {
        Self((time.0 >> 14) as u32 & MASK)
    }

    /// The time since any moment that stays the same for as long as the packets flow.
    pub const fn from_duration(since: Duration) -> Self {
        Self::from_ntp(NtpTime::from_duration(since))
    }

    /// How much later this is than `earlier`, in units of 2^-18 s; negative where it is earlier. Right for times less
    /// than 32 s apart.
    pub const fn ahead_of(self, earlier: Self) -> i32 {
        (self.0.wrapping_sub(earlier.0) << 8).cast_signed() >> 8
    }
}

impl<'a> Extension<'a> for AbsSendTime {
    const KIND: Kind = Kind::AbsSendTime;

    #[inline]
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let [a, b, c] = *bytes else { return None };
        Some(Self(u32::from_be_bytes([0, a, b, c])))
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_be_bytes()[1..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fixed_point_and_wraps_around() {
        assert_eq!(AbsSendTime::from_duration(Duration::from_millis(1500)), AbsSendTime(0x06_0000));
        assert_eq!(AbsSendTime::from_duration(Duration::from_secs(64)), AbsSendTime(0));
        let (before, after) = (Duration::from_millis(63_750), Duration::from_millis(64_250));
        let (before, after) = (AbsSendTime::from_duration(before), AbsSendTime::from_duration(after));
        assert_eq!(after.ahead_of(before), 1 << 17);
        assert_eq!(before.ahead_of(after), -(1 << 17));
    }
}
