//! Pion's row: a child in Go has both ends, and its CPU time and memory are what counts.
//!
//! The program is `lab/rivals/pion`; `bench` as its argument makes it take lines: `connect`, `pump SIZE MILLISECONDS`,
//! `forget`. It answers each with one: what arrived in bytes, zero, or what went wrong.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::Stack;

pub(super) struct Pion {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Builds the program, once for all rounds; why there is none where that fails.
pub(super) fn prepare() -> Result<(), String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rivals/pion");
    let mut build = Command::new("go");
    // No other toolchain than the one that is here.
    build.args(["build", "-o"]).arg(program()).arg(".").current_dir(source).env("GOTOOLCHAIN", "local");
    let output = build.output().map_err(|why| format!("go: {why}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("go build: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// Beside this program.
fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name("pion-bench")
}

impl Pion {
    pub(super) fn new() -> io::Result<Self> {
        let mut command = Command::new(program());
        let mut child = command.arg("bench").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    fn ask(&mut self, line: &str) -> io::Result<u64> {
        writeln!(self.input, "{line}")?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        answer.trim().parse().map_err(|_| io::Error::other(format!("Pion says {answer:?} to {line:?}")))
    }
}

impl Stack for Pion {
    fn connect(&mut self) -> io::Result<()> {
        self.ask("connect").map(drop)
    }

    fn pump(&mut self, size: usize, window: Duration) -> io::Result<u64> {
        self.ask(&format!("pump {size} {}", window.as_millis()))
    }

    fn forget(&mut self) {
        // What is wrong is found by the next one.
        let _ = self.ask("forget");
    }

    fn process(&self) -> Option<u32> {
        Some(self.child.id())
    }
}

impl Drop for Pion {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
