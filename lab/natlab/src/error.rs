//! Why a lab could not be built.

use std::{fmt, io};

use crate::Missing;

/// Why a lab could not be built or changed.
#[derive(Debug)]
pub enum Error {
    /// This machine cannot have one.
    Missing(Missing),
    /// The description contradicts itself.
    Plan(String),
    /// A system tool failed: what was run, and what it said.
    Tool {
        /// The command line.
        command: String,
        /// Its standard error, or why it could not be started.
        said: String,
    },
    /// A file or a process could not be handled.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => missing.fmt(f),
            Self::Plan(what) => f.write_str(what),
            Self::Tool { command, said } => write!(f, "`{command}` failed: {}", said.trim()),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
