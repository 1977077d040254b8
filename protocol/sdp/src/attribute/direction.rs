//! `a=sendrecv`, `a=sendonly`, `a=recvonly`, `a=inactive` (RFC 8866 §6.7, RFC 3264 §6.1).

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;

/// Which way media flows, as seen by the one who says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways: what holds where nothing is said.
    #[default]
    SendRecv,
    /// From here.
    SendOnly,
    /// To here.
    RecvOnly,
    /// Not at all.
    Inactive,
}

impl Direction {
    /// From what is sent and what is received.
    pub fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the one who says so sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the one who says so receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same, seen from the other end.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

impl FromStr for Direction {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text {
            "sendrecv" => Ok(Self::SendRecv),
            "sendonly" => Ok(Self::SendOnly),
            "recvonly" => Ok(Self::RecvOnly),
            "inactive" => Ok(Self::Inactive),
            _ => Err(Malformed("sendrecv, sendonly, recvonly or inactive")),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_both_allow_reversed() {
        let offered: Direction = "sendonly".parse().unwrap();
        let wanted = Direction::SendRecv;
        assert_eq!(offered.reversed().and(wanted), Direction::RecvOnly);
        assert_eq!(offered.and(Direction::RecvOnly), Direction::Inactive);
        assert_eq!(Direction::Inactive.reversed(), Direction::Inactive);
    }

    #[test]
    fn each_is_read_as_it_is_written() {
        for (sends, receives) in [(true, true), (true, false), (false, true), (false, false)] {
            let direction = Direction::new(sends, receives);
            assert_eq!(direction.to_string().parse(), Ok(direction));
        }
        assert!("both".parse::<Direction>().is_err());
    }
}
