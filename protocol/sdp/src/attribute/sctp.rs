//! `a=sctp-port` and `a=max-message-size` (RFC 8841 §5, §6).

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::number;

/// The port of an end of the SCTP association. WebRTC's is 5000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SctpPort(pub u16);

impl FromStr for SctpPort {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        number(text).map(Self).ok_or(Malformed("a port from 0 to 65535"))
    }
}

impl fmt::Display for SctpPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The longest message that an end takes, in bytes; 0 for any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxMessageSize(pub u64);

impl MaxMessageSize {
    /// What holds where nothing is said: "64K" (RFC 8841 §6.1), which the W3C's webrtc-pc takes for 65,536.
    pub const DEFAULT: Self = Self(65_536);

    /// In bytes; `None` if there is no limit.
    pub fn limit(self) -> Option<u64> {
        Some(self.0).filter(|size| *size > 0)
    }
}

impl Default for MaxMessageSize {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl FromStr for MaxMessageSize {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        number(text).map(Self).ok_or(Malformed("a number of bytes below 2^64, 0 for any"))
    }
}

impl fmt::Display for MaxMessageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_means_any_length() {
        assert_eq!("0".parse::<MaxMessageSize>().unwrap().limit(), None);
        assert_eq!("262144".parse::<MaxMessageSize>().unwrap().limit(), Some(262_144));
        assert_eq!(MaxMessageSize::default().limit(), Some(65_536));
    }

    #[test]
    fn absurd_numbers_are_refused() {
        for text in ["", "-1", "65536", "5000 webrtc-datachannel"] {
            assert!(text.parse::<SctpPort>().is_err(), "{text}");
        }
        assert!("18446744073709551616".parse::<MaxMessageSize>().is_err());
        assert_eq!("5000".parse::<SctpPort>().unwrap().to_string(), "5000");
    }
}
