//! What a person, or a script, is told: lines and one that changes on the terminal, or one JSON object per line on standard
//! output.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

/// Exit codes, as `--help` lists them.
pub(super) mod exit {
    pub(in super::super) const FAILED: u8 = 1;
    pub(in super::super) const USAGE: u8 = 2;
    pub(in super::super) const REFUSED: u8 = 3;
    pub(in super::super) const UNFINISHED: u8 = 5;
}

/// Where words go.
pub(super) struct Ui {
    json: bool,
    bar: ProgressBar,
}

impl Ui {
    pub(super) fn new(json: bool) -> Self {
        let bar = ProgressBar::new_spinner();
        let style =
            ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style);
        if json || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { json, bar }
    }

    /// A line for a person, on standard error, and an event for a script.
    pub(super) fn tell(&self, event: &str, fields: Value, text: &str) {
        self.event(event, fields);
        if !self.json {
            self.bar.suspend(|| eprintln!("{text}"));
        }
    }

    /// A result: on standard output, so that a script can take it.
    pub(super) fn result(&self, event: &str, fields: Value, text: &str) {
        self.event(event, fields);
        if !self.json {
            // Whoever closed the pipe has read enough.
            self.bar.suspend(|| drop(writeln!(std::io::stdout(), "{text}")));
        }
    }

    /// The line that changes.
    pub(super) fn progress(&self, fields: Value, text: String) {
        self.event("progress", fields);
        self.bar.set_message(text);
        self.bar.tick();
    }

    /// Takes the line that changes away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Says what went wrong, and what to do.
    pub(super) fn fail(&self, code: u8, name: &str, why: &str) -> ExitCode {
        self.end();
        self.event("error", json!({ "code": name, "message": why, "exit": code }));
        eprintln!("twocan: {why}");
        ExitCode::from(code)
    }

    fn event(&self, event: &str, mut fields: Value) {
        if self.json {
            fields["event"] = event.into();
            let _ = writeln!(std::io::stdout(), "{fields}");
        }
    }
}

/// Hours, minutes and seconds, as far as there are some.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// Bits per second, in words.
pub(super) fn rate(bits: u64) -> String {
    if bits >= 1_000_000 {
        format!("{}.{} Mbit/s", bits / 1_000_000, bits % 1_000_000 / 100_000)
    } else {
        format!("{} kbit/s", bits / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(clock(Duration::from_secs(75)), "01:15");
        assert_eq!(clock(Duration::from_secs(3 * 3600 + 62)), "3:01:02");
        assert_eq!((rate(1_250_000), rate(64_900)), ("1.2 Mbit/s".to_owned(), "64 kbit/s".to_owned()));
    }
}
