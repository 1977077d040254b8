//! `a=label` (RFC 4574 §4) and `a=content` (RFC 4796 §5): what a section is to its application.

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::{Token, checked_string, is_token, parse_all, write_list};

checked_string! {
    /// The application's name for a section.
    Label, "a token", is_token
}

/// What a section shows: `main`, `slides`, `speaker`, `sl`, …
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// Each a token.
    pub kinds: Vec<Token>,
}

impl FromStr for Content {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let kinds = text.split_terminator(',').map(str::trim_ascii);
        Ok(Self { kinds: parse_all(kinds)? })
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, &self.kinds, ",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_tokens() {
        assert_eq!("slides,main".parse::<Content>().unwrap().to_string(), "slides,main");
        assert!("slides,,main".parse::<Content>().is_err());
        assert_eq!("1".parse::<Label>().unwrap(), "1");
        assert!("a b".parse::<Label>().is_err());
    }
}
