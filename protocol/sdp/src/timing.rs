//! When a session takes place (RFC 8866 §5.9 to §5.11). WebRTC's always does: `t=0 0`.

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::{checked_string, number};

/// A `t=` line and the `r=` and `z=` lines that belong to it. Times are in seconds since 1900.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timing {
    /// When it starts; 0 for always.
    pub start: u64,
    /// When it stops; 0 for never.
    pub stop: u64,
    /// When it is repeated.
    pub repeats: Vec<Repeat>,
    /// How the clock is put forward or back meanwhile; without repeats it means nothing.
    pub zones: Option<Zones>,
}

checked_string! {
    /// The value of an `r=` line, such as `7d 1h 0 25h`. It is checked and kept; nothing in WebRTC reads it.
    Repeat, "three or more times, each a number with d, h, m, s or nothing", |text| {
        text.split(' ').count() >= 3 && text.split(' ').all(is_typed_time)
    }
}

checked_string! {
    /// The value of a `z=` line, such as `2882844526 -1h`. It is checked and kept; nothing in WebRTC reads it.
    Zones, "pairs of a time and an offset", |text| {
        let words: Vec<&str> = text.split(' ').collect();
        words.len().is_multiple_of(2)
            && words.chunks(2).all(|pair| {
                number::<u64>(pair[0]).is_some()
                    && is_typed_time(pair[1].strip_prefix('-').unwrap_or(pair[1]))
            })
    }
}

fn is_typed_time(word: &str) -> bool {
    number::<u64>(word.strip_suffix(['d', 'h', 'm', 's']).unwrap_or(word)).is_some()
}

impl FromStr for Timing {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut words = text.split_ascii_whitespace().map(number);
        match (words.next(), words.next(), words.next()) {
            (Some(Some(start)), Some(Some(stop)), None) => Ok(Self { start, stop, ..Self::default() }),
            _ => Err(Malformed("two times in seconds, such as 0 0")),
        }
    }
}

/// With the lines that belong to it.
impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t={} {}\r\n", self.start, self.stop)?;
        for repeat in &self.repeats {
            write!(f, "r={repeat}\r\n")?;
        }
        self.zones.iter().try_for_each(|zones| write!(f, "z={zones}\r\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_repeats_and_zones_are_checked() {
        assert_eq!("0 0".parse::<Timing>().unwrap(), Timing::default());
        for text in ["0", "0 0 0", "a b", "0 -1"] {
            assert!(text.parse::<Timing>().is_err(), "{text}");
        }
        assert!("604800 3600 0 90000".parse::<Repeat>().is_ok());
        assert!("7d 1h 0 25h".parse::<Repeat>().is_ok());
        assert!("7d 1h".parse::<Repeat>().is_err());
        assert!("7d 1h x".parse::<Repeat>().is_err());
        assert!("2882844526 -1h 2898848070 0".parse::<Zones>().is_ok());
        assert!("2882844526".parse::<Zones>().is_err());
        assert!("".parse::<Zones>().is_err());
    }
}
