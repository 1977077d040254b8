//! Between which delays a frame should be shown: an extension that no RFC describes (RFC 8285 carries it), libwebrtc
//! does.

use std::time::Duration;

use super::{Extension, Kind};

/// The sender's wish for the time from capture to display.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  ID   | len=2 |       MIN delay       |       MAX delay       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayoutDelay {
    /// Not earlier, in units of 10 ms: up to 4095.
    min: u16,
    /// Not later, likewise; not below `min`.
    max: u16,
}

const UNIT: u128 = 10;
const MAX: u16 = 0xFFF;

impl PlayoutDelay {
    /// Rounds down to 10 ms, to 40,950 ms at most. None where `max` is below `min`.
    pub fn new(min: Duration, max: Duration) -> Option<Self> {
        let units =
            |delay: Duration| u16::try_from(delay.as_millis() / UNIT).map_or(MAX, |units| units.min(MAX));
        let (min, max) = (units(min), units(max));
        (min <= max).then_some(Self { min, max })
    }

    /// Not earlier than this.
    pub fn min(self) -> Duration {
        Duration::from_millis(u64::from(self.min) * 10)
    }

    /// Not later than this.
    pub fn max(self) -> Duration {
        Duration::from_millis(u64::from(self.max) * 10)
    }
}

impl<'a> Extension<'a> for PlayoutDelay {
    const KIND: Kind = Kind::PlayoutDelay;

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let [a, b, c] = *bytes else { return None };
        let both = u32::from_be_bytes([0, a, b, c]);
        let (min, max) = ((both >> 12) as u16, both as u16 & MAX);
        (min <= max).then_some(Self { min, max })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let both = u32::from(self.min) << 12 | u32::from(self.max);
        out.extend_from_slice(&both.to_be_bytes()[1..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_in_steps_of_ten_milliseconds() {
        let delay = PlayoutDelay::new(Duration::from_millis(105), Duration::from_secs(3600)).unwrap();
        assert_eq!((delay.min(), delay.max()), (Duration::from_millis(100), Duration::from_millis(40_950)));
        let mut bytes = Vec::new();
        delay.write(&mut bytes);
        assert_eq!(bytes, [0x00, 0xAF, 0xFF]);
        assert_eq!(PlayoutDelay::parse(&bytes), Some(delay));
        assert_eq!(PlayoutDelay::new(Duration::from_secs(1), Duration::ZERO), None);
        assert_eq!(PlayoutDelay::parse(&[0xFF, 0xF0, 0]), None);
    }
}
