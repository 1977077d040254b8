//! What can be wrong with a description (RFC 8866 §5), told so that it can be put right.

use std::error::Error;
use std::fmt;

/// How much of a line is repeated in an error, in bytes.
const SHOWN: usize = 80;

/// A value that does not have its form; it says what is expected instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(
    /// What is expected.
    pub &'static str,
);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.0)
    }
}

impl Error for Malformed {}

/// Why a text is not a session description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, counted from 1 as an editor does; for something missing, the line after which it is missed.
    pub line: usize,
    /// The line itself, cut off after 80 bytes.
    pub text: Box<str>,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A limit of [`limits`](crate::limits) is exceeded.
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much is read at most.
        limit: usize,
    },
    /// It does not begin with a letter and an equals sign.
    NotALine,
    /// No such letter stands here (RFC 8866 §5: such a description is refused as a whole).
    UnknownType(
        /// Which ones may stand here.
        &'static str,
    ),
    /// The value does not have its form.
    Malformed {
        /// What the value is.
        what: &'static str,
        /// The form it should have.
        expected: &'static str,
    },
    /// What may be said once is said again; which of the two holds would be a guess.
    Repeated(
        /// What is.
        &'static str,
    ),
    /// A line that must be there is not.
    Missing(
        /// Which.
        &'static str,
    ),
    /// A line stands where it means nothing.
    Misplaced {
        /// Which line.
        what: &'static str,
        /// Where it belongs.
        expected: &'static str,
    },
}

impl ParseError {
    pub(crate) fn new(line: usize, text: &str, reason: Reason) -> Self {
        let mut end = text.len().min(SHOWN);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self { line, text: text[..end].into(), reason }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {:?}: {}", self.line, self.text, self.reason)
    }
}

impl Error for ParseError {}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMuch { what, limit } => write!(f, "too many {what}: at most {limit} are read"),
            Self::NotALine => f.write_str("not a line of a session description: expected a letter and ="),
            Self::UnknownType(expected) => write!(f, "no such line here: expected one of {expected}"),
            Self::Malformed { what, expected } => write!(f, "bad {what}: expected {expected}"),
            Self::Repeated(what) => write!(f, "{what} is given twice: expected once"),
            Self::Missing(what) => write!(f, "{what} is missing after this"),
            Self::Misplaced { what, expected } => write!(f, "{what} is misplaced: expected {expected}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_line_text_and_what_is_expected() {
        let reason = Reason::Malformed { what: "a=mid", expected: "a word" };
        let error = ParseError::new(7, "a=mid:a b", reason);
        assert_eq!(error.to_string(), "line 7, \"a=mid:a b\": bad a=mid: expected a word");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let error = ParseError::new(1, &"ë".repeat(100), Reason::NotALine);
        assert_eq!(error.text.len(), 80);
        let error = ParseError::new(1, &format!("a{}", "ë".repeat(100)), Reason::NotALine);
        assert_eq!(error.text.len(), 79);
    }
}
