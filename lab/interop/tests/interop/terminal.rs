//! `twocan` in a terminal, at a client of the lab.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use natlab::Running;
use serde_json::Value;
use twocan_interop::{NAME, twocan};

/// For what takes its time on a busy machine, or with 10 GB.
pub(crate) const LONG: Duration = Duration::from_secs(1_800);

/// `twocan send` or `receive` in a client's namespace; killed when dropped.
pub(crate) struct Terminal {
    child: Child,
    events: Receiver<Value>,
}

impl Terminal {
    pub(crate) fn start(lab: &Running, client: &str, arguments: &[&str]) -> Self {
        let program = twocan().unwrap_or_else(|why| panic!("{why}"));
        let mut child = lab
            .command(client, program)
            .args(arguments)
            .args(["--json", "--insecure", "--server", &format!("https://{NAME}")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("twocan starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Self { child, events }
    }

    /// The next event that is meant; others are passed over.
    pub(crate) fn wait(&mut self, mut is_it: impl FnMut(&Value) -> bool) -> Value {
        let end = Instant::now() + LONG;
        let mut seen = Vec::new();
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            match self.events.recv_timeout(left) {
                Ok(event) if is_it(&event) => return event,
                Ok(event) => seen.push(event),
                Err(_) => break,
            }
        }
        panic!("it did not come; what came: {seen:#?}");
    }

    pub(crate) fn named(&mut self, name: &str) -> Value {
        self.wait(|event| event["event"] == name)
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn exit_code(mut self) -> Option<i32> {
        let end = Instant::now() + LONG;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end: {:#?}", self.events.try_iter().collect::<Vec<_>>());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
