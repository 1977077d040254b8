//! An end that is a program of its own: lines in, lines out.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::End;

/// How long it may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// The program.
#[derive(Debug)]
pub(crate) struct Child(std::process::Child);

/// Starts it.
///
/// # Panics
/// If it does not start.
pub(crate) fn start(name: &'static str, mut command: Command) -> End {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|why| panic!("{name} does not start: {why}"));
    let (input, lines) = channel::<Value>();
    let (said, output) = channel();
    let mut stdin = child.stdin.take().expect("it was piped");
    let stdout = BufReader::new(child.stdout.take().expect("it was piped"));
    let stderr = BufReader::new(child.stderr.take().expect("it was piped"));
    thread::spawn(move || {
        // The end of the lines closes its input.
        for line in lines {
            if writeln!(stdin, "{line}").is_err() {
                return;
            }
        }
    });
    let noted = said.clone();
    thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            let line = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "note": line }));
            if said.send(line).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            if noted.send(json!({ "note": line })).is_err() {
                return;
            }
        }
    });
    End::child(name, Child(child), input, output)
}

impl Drop for Child {
    fn drop(&mut self) {
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tests of one program run side by side; what they need is installed by one of them at a time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a command that prepares something; what it said where it failed.
pub(crate) fn prepare(command: &mut Command) -> Result<(), String> {
    let words = format!("{command:?}");
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last: Vec<&str> = said.lines().rev().take(3).collect();
            Err(format!("{words} failed: {}", last.join("; ")))
        }
        Err(why) => Err(format!("{words}: {why}")),
    }
}

/// A folder for what is installed, beside what cargo builds.
pub(crate) fn workshop() -> std::path::PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        std::path::PathBuf::from,
    );
    target.join("rivals")
}
