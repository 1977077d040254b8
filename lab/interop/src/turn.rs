//! Whether a test can run here, and its turn to do so.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{env, io};

use crate::Browser;
use crate::browser::find;

/// The right to run browsers; one test has it at a time.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

/// Waits for the test's turn, or prints what is missing for `what` and returns `None`.
#[must_use]
pub fn begin(what: &str, browsers: &[Browser]) -> Option<Turn> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    if natlab::skipped(what) {
        return None;
    }
    if let Err(missing) = driver_ready() {
        note_skipped(what, &missing);
        return None;
    }
    for browser in browsers {
        if browser.program().is_none() {
            note_skipped(what, &missing(*browser));
            return None;
        }
    }
    // A test that failed has left nothing in here that the next could trip over.
    Some(Turn(ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Prints that `what` is skipped and why, past the test harness's capture.
pub fn note_skipped(what: &str, why: &str) {
    note(&format!("skipped: {what}: {why}"));
}

/// Prints a line past the test harness's capture.
pub(crate) fn note(line: &str) {
    // Nobody to tell if even standard error is closed.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

pub(crate) fn missing(browser: Browser) -> String {
    match browser {
        Browser::Chromium | Browser::ChromiumAhead | Browser::ChromiumWithNames => {
            "Chromium is missing: apt-get install chromium, or set TWOCAN_CHROMIUM".to_owned()
        }
        Browser::Firefox => {
            "Firefox is missing: apt-get install firefox-esr, or set TWOCAN_FIREFOX".to_owned()
        }
    }
}

/// Node and the driver's own libraries; these are installed from the lock file when they are not there yet.
fn driver_ready() -> Result<(), String> {
    static INSTALLING: Mutex<()> = Mutex::new(());

    if find("node").is_none() {
        return Err("Node is missing: apt-get install nodejs".to_owned());
    }
    if find("certutil").is_none() {
        return Err("certutil is missing: apt-get install libnss3-tools".to_owned());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("driver");
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if folder.join("node_modules/puppeteer-core").is_dir() {
        return Ok(());
    }
    let help = "run `npm ci` in lab/interop/driver (Debian package npm)";
    match Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{help}; it failed: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(why) => Err(format!("{help}; npm did not start: {why}")),
    }
}
