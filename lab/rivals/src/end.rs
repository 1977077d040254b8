//! One end of a call, wherever it runs.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use serde_json::Value;

use crate::DEADLINE;
use crate::child::Child;

/// One end of a call. It ends when it is dropped.
#[derive(Debug)]
pub struct End {
    name: &'static str,
    input: Option<Sender<Value>>,
    output: Receiver<Value>,
    thread: Option<JoinHandle<()>>,
    /// Ends with its input.
    _child: Option<Child>,
    log: Vec<Value>,
}

impl End {
    /// One that runs in a thread of this process: `run` takes lines until there are no more.
    pub(crate) fn thread(
        name: &'static str,
        run: impl FnOnce(Receiver<Value>, Sender<Value>) + Send + 'static,
    ) -> Self {
        let (input, theirs) = channel();
        let (mine, output) = channel();
        let thread = thread::spawn(move || run(theirs, mine));
        Self { name, input: Some(input), output, thread: Some(thread), _child: None, log: Vec::new() }
    }

    /// One that runs as a child.
    pub(crate) fn child(
        name: &'static str,
        child: Child,
        input: Sender<Value>,
        output: Receiver<Value>,
    ) -> Self {
        Self { name, input: Some(input), output, thread: None, _child: Some(child), log: Vec::new() }
    }

    /// Whose it is.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Tells it something. One that is gone does not hear it: [`hear`](Self::hear) says so.
    pub fn tell(&mut self, line: Value) {
        if let Some(input) = &self.input {
            let _ = input.send(line);
        }
    }

    /// What it says next, if it says something by then.
    pub fn hear(&mut self, deadline: Instant) -> Option<Value> {
        let line = self.output.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        match line {
            Ok(line) => {
                self.log.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("{} is gone after {:#?}", self.name, self.log),
        }
    }

    /// Waits until it says something with this key, and drops what it says before; for its value.
    ///
    /// # Panics
    /// If it says that something failed, or says nothing of the kind in time.
    #[track_caller]
    pub fn expect(&mut self, key: &str) -> Value {
        let deadline = Instant::now() + DEADLINE;
        while let Some(mut line) = self.hear(deadline) {
            assert!(line.get("error").is_none(), "{}: {}", self.name, line["error"]);
            if let Some(value) = line.get_mut(key) {
                return value.take();
            }
        }
        panic!("{} never said {key:?}, but {:#?}", self.name, self.log);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.input = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The bytes of a message of this length.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|byte| ((byte * 31) >> 3) as u8).collect()
}
