//! Our own end: the program of `lab/rivals`, in a place of the lab. It speaks the lines that are described there.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use natlab::Running;
use serde_json::Value;

/// The program, until it is dropped.
pub(crate) struct Peer {
    child: Child,
    input: ChildStdin,
    output: Receiver<Value>,
    /// Descriptions and candidates that nobody has taken yet.
    signals: VecDeque<Value>,
    /// Everything else that nobody has taken yet.
    said: VecDeque<Value>,
    log: Vec<Value>,
}

impl Peer {
    pub(crate) fn start(lab: &Running, place: &str) -> Self {
        Self::run(lab.command(place, program()))
    }

    /// One that trusts an authority (PEM) in place of the system's.
    pub(crate) fn trusting(lab: &Running, place: &str, authority: &Path) -> Self {
        let mut command = lab.command(place, program());
        command.env("SSL_CERT_FILE", authority);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("our peer starts");
        let input = child.stdin.take().expect("an input");
        let lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).expect("a line of JSON")).is_err() {
                    return;
                }
            }
        });
        let (signals, said) = (VecDeque::new(), VecDeque::new());
        Self { child, input, output, signals, said, log: Vec::new() }
    }

    pub(crate) fn tell(&mut self, line: &Value) {
        writeln!(self.input, "{line}").expect("it listens");
    }

    /// What it said so far, for who looks into a failure.
    pub(crate) fn log(&self) -> &[Value] {
        &self.log
    }

    fn take(&mut self, patience: Duration) {
        let Ok(line) = self.output.recv_timeout(patience) else { return };
        assert!(line.get("error").is_none(), "{line}");
        self.log.push(line.clone());
        let is_signal = line.get("description").is_some() || line.get("candidate").is_some();
        if is_signal { &mut self.signals } else { &mut self.said }.push_back(line);
    }

    /// The next thing for the other end, if there is one.
    pub(crate) fn signal(&mut self) -> Option<Value> {
        self.take(Duration::from_millis(10));
        self.signals.pop_front()
    }

    /// Loses its next description and the candidates that follow, up to their end.
    #[track_caller]
    pub(crate) fn drop_description(&mut self) {
        let end = Instant::now() + twocan_interop::DEADLINE;
        let mut is_described = false;
        loop {
            assert!(Instant::now() < end, "no description, or no end of candidates: {:#?}", self.log);
            match self.signal() {
                Some(line) if line.get("description").is_some() => is_described = true,
                Some(line) if is_described && line["candidate"].is_null() => return,
                _ => {}
            }
        }
    }

    /// Whether it has said this.
    pub(crate) fn has(&mut self, key: &str) -> bool {
        self.take(Duration::from_millis(10));
        self.said.iter().any(|line| line.get(key).is_some())
    }

    /// What it said last with this key.
    pub(crate) fn last(&mut self, key: &str) -> Option<Value> {
        self.last_line(key).map(|mut line| line[key].take())
    }

    /// All that it said along with that.
    pub(crate) fn last_line(&mut self, key: &str) -> Option<Value> {
        self.take(Duration::from_millis(10));
        self.log.iter().rev().find(|line| line.get(key).is_some()).cloned()
    }

    /// Waits until it says something with this key, and drops what it said before.
    #[track_caller]
    pub(crate) fn expect_line(&mut self, key: &str) -> Value {
        let end = Instant::now() + twocan_interop::DEADLINE;
        loop {
            while let Some(line) = self.said.pop_front() {
                if line.get(key).is_some() {
                    return line;
                }
            }
            assert!(Instant::now() < end, "it never says {key:?}: {:#?}", self.log);
            self.take(Duration::from_millis(100));
        }
    }

    /// The value of that.
    #[track_caller]
    pub(crate) fn expect(&mut self, key: &str) -> Value {
        self.expect_line(key)[key].take()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Beside this test's own folder.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("this test has a path");
    let target = own.ancestors().nth(2).expect("TARGET/debug/deps/interop-HASH");
    let program = target.join("twocan-rivals");
    assert!(program.exists(), "{} is missing: cargo build --package twocan-rivals", program.display());
    program
}
