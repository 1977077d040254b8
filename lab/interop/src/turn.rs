//! Whether a test can run here, and its turn to do so.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Condvar, Mutex, PoisonError};
use std::{env, io};

use crate::Browser;
use crate::browser::find;

/// The right to run browsers.
#[derive(Debug)]
pub struct Turn {
    places: usize,
}

/// Tests that run browsers at the same time: they wait for each other's networks more than they compute.
const PLACES: usize = 2;
static FREE: Mutex<usize> = Mutex::new(PLACES);
static FREED: Condvar = Condvar::new();

impl Turn {
    fn take(places: usize) -> Self {
        // A test that failed has left nothing in here that the next could trip over.
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = FREED.wait_while(free, |free| *free < places).unwrap_or_else(PoisonError::into_inner);
        *free -= places;
        Self { places }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *FREE.lock().unwrap_or_else(PoisonError::into_inner) += self.places;
        FREED.notify_all();
    }
}

/// Waits for the test's turn, or prints what is missing for `what` and returns `None`.
#[must_use]
pub fn begin(what: &str, browsers: &[Browser]) -> Option<Turn> {
    is_possible(what, browsers).then(|| Turn::take(1))
}

/// As [`begin`], for a test that needs the machine for itself: many browsers, or much to carry.
#[must_use]
pub fn begin_alone(what: &str, browsers: &[Browser]) -> Option<Turn> {
    is_possible(what, browsers).then(|| Turn::take(PLACES))
}

fn is_possible(what: &str, browsers: &[Browser]) -> bool {
    if natlab::skipped(what) {
        return false;
    }
    if let Err(missing) = driver_ready() {
        note_skipped(what, &missing);
        return false;
    }
    for browser in browsers {
        if browser.program().is_none() {
            note_skipped(what, &missing(*browser));
            return false;
        }
    }
    true
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
