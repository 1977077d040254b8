//! `a=ptime` and `a=maxptime` (RFC 8866 §6.4, §6.5): how much audio a packet holds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::Malformed;
use crate::text::number;

macro_rules! packet_time {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Duration);

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                parse(text).map(Self).ok_or(Malformed("milliseconds, such as 20 or 0.125"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(f, self.0)
            }
        }
    };
}

packet_time! {
    /// The length that is wished for.
    PacketTime
}
packet_time! {
    /// The greatest length that is allowed.
    MaxPacketTime
}

/// Digits behind the point: down to nanoseconds.
const DECIMALS: usize = 6;

fn parse(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > DECIMALS {
        return None;
    }
    let nanoseconds = number::<u64>(fraction)? * 10_u64.pow((DECIMALS - fraction.len()) as u32);
    Duration::from_millis(number(whole)?).checked_add(Duration::from_nanos(nanoseconds))
}

fn write(f: &mut fmt::Formatter<'_>, time: Duration) -> fmt::Result {
    let (milliseconds, nanoseconds) = (time.as_millis(), time.subsec_nanos() % 1_000_000);
    if nanoseconds == 0 {
        return write!(f, "{milliseconds}");
    }
    let fraction = format!("{nanoseconds:06}");
    write!(f, "{milliseconds}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_and_broken_milliseconds_are_read_and_written() {
        for (text, nanoseconds) in [("20", 20_000_000), ("0.125", 125_000), ("1.000001", 1_000_001)] {
            let time: PacketTime = text.parse().unwrap();
            assert_eq!(time.0, Duration::from_nanos(nanoseconds));
            assert_eq!(time.to_string(), text);
        }
        assert_eq!("20.0".parse::<MaxPacketTime>().unwrap().to_string(), "20");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "-1", "1.", ".5", "1.0000001", "1e3", "99999999999999999999"] {
            assert!(text.parse::<PacketTime>().is_err(), "{text}");
        }
    }
}
