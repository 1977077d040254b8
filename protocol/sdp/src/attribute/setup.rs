//! `a=setup` (RFC 4145 §4, RFC 8842 §5): who starts the DTLS handshake.

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;

/// Who opens the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setup {
    /// This end: it is the DTLS client.
    Active,
    /// The other end: this one is the DTLS server.
    Passive,
    /// Either; the answerer chooses.
    ActPass,
    /// Nobody for now.
    HoldConn,
}

impl Setup {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
            Self::HoldConn => "holdconn",
        }
    }

    /// What to answer: active where there is a choice, so that the handshake begins while the answer is on its way (RFC 5763 §5).
    #[must_use]
    pub fn answer(self) -> Self {
        match self {
            Self::Active => Self::Passive,
            Self::Passive | Self::ActPass => Self::Active,
            Self::HoldConn => Self::HoldConn,
        }
    }
}

impl FromStr for Setup {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let all = [Self::Active, Self::Passive, Self::ActPass, Self::HoldConn];
        let found = all.into_iter().find(|setup| setup.as_str() == text);
        found.ok_or(Malformed("active, passive, actpass or holdconn"))
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_and_answers_fit() {
        for (offer, answer) in
            [("actpass", "active"), ("active", "passive"), ("passive", "active"), ("holdconn", "holdconn")]
        {
            assert_eq!(offer.parse::<Setup>().unwrap().answer().to_string(), answer);
        }
        assert!("both".parse::<Setup>().is_err());
    }
}
