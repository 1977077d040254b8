//! How much an end may be sent (RFC 8866 §5.8, RFC 3890 §6.2).

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::{is_token, number, open_enum};

open_enum! {
    /// What a bandwidth counts.
    BandwidthKind, "a token", is_token, {
        /// One application's or section's, with IP and UDP headers, in kilobits per second.
        ApplicationSpecific = "AS",
        /// A conference's in all, in kilobits per second.
        ConferenceTotal = "CT",
        /// Without the headers of lower layers, in bits per second.
        TransportIndependent = "TIAS",
    }
}

/// The `b=` line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bandwidth {
    /// What is counted, and in which unit.
    pub kind: BandwidthKind,
    /// How much, in the kind's unit.
    pub value: u64,
}

impl Bandwidth {
    /// In bits per second, where the unit is known; saturates.
    pub fn bits_per_second(&self) -> Option<u64> {
        match self.kind {
            BandwidthKind::ApplicationSpecific | BandwidthKind::ConferenceTotal => {
                Some(self.value.saturating_mul(1000))
            }
            BandwidthKind::TransportIndependent => Some(self.value),
            BandwidthKind::Other(_) => None,
        }
    }
}

impl FromStr for Bandwidth {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let parse = || {
            let (kind, value) = text.trim_ascii().split_once(':')?;
            Some(Self { kind: kind.parse().ok()?, value: number(value.trim_ascii_start())? })
        };
        parse().ok_or(Malformed("AS, CT, TIAS or another token, a colon and a number"))
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_kinds_survive() {
        for (text, bits) in [
            ("AS:30", Some(30_000)),
            ("TIAS:30", Some(30)),
            ("CT:5000", Some(5_000_000)),
            ("FOOBAR:10", None),
        ] {
            let bandwidth: Bandwidth = text.parse().unwrap();
            assert_eq!(bandwidth.to_string(), text);
            assert_eq!(bandwidth.bits_per_second(), bits);
        }
    }

    #[test]
    fn what_is_no_bandwidth_is_refused() {
        for text in ["AS", "AS:", "AS:-1", ":5", "AS:99999999999999999999"] {
            assert!(text.parse::<Bandwidth>().is_err(), "{text}");
        }
    }
}
