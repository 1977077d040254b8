//! One browser and the process that drives it (`driver/driver.mjs`), in a client's namespace.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use natlab::Running;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::certificate::Authority;
use crate::{Browser, DEADLINE};

/// Beyond the longest wait that the driver itself is asked for.
const SPARE: Duration = Duration::from_secs(30);

/// Memory that a browser cannot give back to the system when asked: anonymous and shared pages.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Bytes of the largest tab.
    pub tab: u64,
    /// Bytes of all processes together.
    pub all: u64,
}

#[derive(Debug)]
pub(crate) struct Driver {
    conversation: Mutex<Conversation>,
    log: Arc<Mutex<Vec<String>>>,
    // Dropped last: the browser's files.
    _profile: TempDir,
}

#[derive(Debug)]
struct Conversation {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: Receiver<Value>,
    last: u64,
}

impl Driver {
    /// Starts `browser` at `place`.
    pub(crate) fn start(
        lab: &Running,
        place: &str,
        browser: Browser,
        authority: &Authority,
    ) -> Result<Self, String> {
        let program = browser.program().ok_or_else(|| crate::turn::missing(browser))?;
        let profile = tempfile::Builder::new()
            .prefix("twocan-interop-")
            .tempdir()
            .map_err(|why| format!("no folder for a browser profile: {why}"))?;
        authority.install(profile.path())?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("driver/driver.mjs");
        let mut child = lab
            .command(place, "node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|why| format!("the driver did not start: {why}"))?;
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, answers) = mpsc::channel();
        let (notes, output) = (Arc::clone(&log), child.stdout.take());
        thread::spawn(move || {
            for line in
                output.into_iter().flat_map(|output| BufReader::new(output).lines()).map_while(Result::ok)
            {
                match serde_json::from_str::<Value>(&line) {
                    Ok(message) if message.get("event").is_none() => {
                        if answer.send(message).is_err() {
                            return;
                        }
                    }
                    _ => lock(&notes).push(line),
                }
            }
        });
        let (notes, errors) = (Arc::clone(&log), child.stderr.take());
        thread::spawn(move || {
            for line in
                errors.into_iter().flat_map(|errors| BufReader::new(errors).lines()).map_while(Result::ok)
            {
                lock(&notes).push(line);
            }
        });
        let stdin = child.stdin.take();
        let conversation = Mutex::new(Conversation { child, stdin, answers, last: 0 });
        let driver = Self { conversation, log, _profile: profile };
        let options = json!({
            "browser": browser.name(),
            "executable": program,
            "profile": driver._profile.path(),
        });
        driver.ask("launch", options, 2 * DEADLINE)?;
        Ok(driver)
    }

    /// Asks for one operation and waits for its value.
    pub(crate) fn ask(
        &self,
        operation: &str,
        mut options: Value,
        deadline: Duration,
    ) -> Result<Value, String> {
        let mut conversation = lock(&self.conversation);
        conversation.last += 1;
        let id = conversation.last;
        options["id"] = id.into();
        options["op"] = operation.into();
        let stdin = conversation.stdin.as_mut().ok_or("the driver is gone")?;
        writeln!(stdin, "{options}").map_err(|why| format!("the driver is gone: {why}"))?;
        let end = Instant::now() + deadline + SPARE;
        loop {
            let answer = conversation
                .answers
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .map_err(|_| format!("the browser did not answer to {operation:?}: {:#?}", self.log()))?;
            // An answer that came too late for its question is dropped.
            if answer["id"] == id {
                return match answer["error"].as_str() {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(answer["value"].clone()),
                };
            }
        }
    }

    pub(crate) fn memory(&self) -> Result<Memory, String> {
        let memory = self.ask("memory", json!({}), DEADLINE)?;
        let bytes = |key: &str| memory[key].as_u64().unwrap_or_default();
        Ok(Memory { tab: bytes("tab"), all: bytes("all") })
    }

    /// What the pages wrote on their consoles, and their uncaught errors.
    pub(crate) fn log(&self) -> Vec<String> {
        lock(&self.log).clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let conversation = self.conversation.get_mut().unwrap_or_else(PoisonError::into_inner);
        // The end of its input tells it to close the browser; what does not end is ended by the lab.
        conversation.stdin = None;
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if !matches!(conversation.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = conversation.child.kill();
        let _ = conversation.child.wait();
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
