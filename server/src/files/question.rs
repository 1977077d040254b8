//! What a person, or a script, is asked while files come, and how the answers are read.

use std::io::{self, BufRead as _};

/// What to do with a file whose name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Existing {
    /// Ask about each; whoever answers may answer for all that follow
    Ask,
    /// Write `name (2).ext` beside it
    KeepBoth,
    /// Replace what is there, once the new one is whole
    Overwrite,
    /// Leave what is there, and do not take the new one
    Skip,
}

impl Existing {
    /// As options and events spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::KeepBoth => "keep-both",
            Self::Overwrite => "overwrite",
            Self::Skip => "skip",
        }
    }
}

/// What is to be done with a file whose name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Never [`Existing::Ask`].
    pub(crate) what: Existing,
    /// And with all that follow.
    pub(crate) for_all: bool,
}

impl Answer {
    /// Where nobody answers, nothing is lost.
    pub(crate) const NOBODY: Self = Self { what: Existing::KeepBoth, for_all: true };

    /// `o`, `overwrite`, `oa`, `overwrite all`; keeping both is what an empty line means. `None` asks again.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let words = line.trim().to_lowercase();
        let (word, for_all) = match words.strip_suffix("all") {
            Some(word) => (word.trim_end(), true),
            None => match words.as_str() {
                "ka" | "oa" | "sa" => (words.get(..1).unwrap_or_default(), true),
                word => (word, false),
            },
        };
        let what = match word {
            "" | "k" | "keep" | "keep both" | "keep-both" => Existing::KeepBoth,
            "o" | "overwrite" => Existing::Overwrite,
            "s" | "skip" => Existing::Skip,
            _ => return None,
        };
        Some(Self { what, for_all })
    }
}

/// The next line of standard input; `None` at its end. Waits on a thread of its own.
pub(crate) async fn read_line() -> Option<String> {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).ok().filter(|count| *count > 0).map(|_| line)
    });
    read.await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_people_and_scripts_write_them() {
        for (line, what, for_all) in [
            ("\n", Existing::KeepBoth, false),
            ("k\n", Existing::KeepBoth, false),
            ("Keep both", Existing::KeepBoth, false),
            ("all", Existing::KeepBoth, true),
            ("ka", Existing::KeepBoth, true),
            (" O \r\n", Existing::Overwrite, false),
            ("oa", Existing::Overwrite, true),
            ("overwrite all\n", Existing::Overwrite, true),
            ("skip", Existing::Skip, false),
            ("SA", Existing::Skip, true),
            ("skip all", Existing::Skip, true),
        ] {
            assert_eq!(Answer::parse(line), Some(Answer { what, for_all }), "{line}");
        }
        for line in ["y", "yes", "no", "ok", "overwriteall?", "aa", "ask"] {
            assert_eq!(Answer::parse(line), None, "{line}");
        }
    }
}
