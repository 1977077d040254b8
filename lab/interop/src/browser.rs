//! The browsers under test.

use std::path::PathBuf;
use std::{env, fmt};

/// A browser under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Browser {
    /// Debian's `chromium`, or the program that `TWOCAN_CHROMIUM` names.
    Chromium,
    /// Debian's `firefox-esr`, or the program that `TWOCAN_FIREFOX` names.
    Firefox,
    /// Chromium with what it does not do by itself yet: SCTP's INIT in descriptions (SNAP), DTLS in STUN (SPED).
    ChromiumAhead,
    /// Chromium as people have it: it tells names in place of its addresses.
    ChromiumWithNames,
}

impl Browser {
    /// What the driver calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::ChromiumAhead => "chromium-ahead",
            Self::ChromiumWithNames => "chromium-with-names",
        }
    }

    /// Its program, if it is installed.
    #[must_use]
    pub fn program(self) -> Option<PathBuf> {
        let (variable, programs): (_, &[&str]) = match self {
            Self::Chromium | Self::ChromiumAhead | Self::ChromiumWithNames => {
                ("TWOCAN_CHROMIUM", &["chromium", "chromium-browser", "google-chrome"])
            }
            Self::Firefox => ("TWOCAN_FIREFOX", &["firefox-esr", "firefox"]),
        };
        if let Some(named) = env::var_os(variable) {
            return Some(named.into());
        }
        programs.iter().find_map(|program| find(program))
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::ChromiumAhead => "Chromium ahead of its time",
            Self::ChromiumWithNames => "Chromium with names",
        })
    }
}

/// Where a program is, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
