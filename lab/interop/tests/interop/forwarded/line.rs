//! A bad line between a client and the server: the program `line`, in the client's router.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};

use natlab::{Running, SERVER};

/// Where the server takes media, over UDP.
const MEDIA: u16 = 443;
/// Where the line does.
const PORT: u16 = 7_000;
const SEED: u64 = 1;

/// The line, until it is dropped.
pub(super) struct Line {
    child: Child,
    input: ChildStdin,
}

impl Line {
    /// Puts it before `client`: a good line at first.
    #[track_caller]
    pub(super) fn before(lab: &Running, client: &str) -> Self {
        let mut child = lab
            .command(&format!("{client}-router"), env!("CARGO_BIN_EXE_line"))
            .args([format!("0.0.0.0:{PORT}"), format!("{SERVER}:{MEDIA}"), SEED.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the line starts");
        let input = child.stdin.take().expect("an input");
        let mut said = String::new();
        let _ = BufReader::new(child.stdout.take().expect("an output")).read_line(&mut said);
        assert_eq!(said, "ready\n");
        lab.divert(client, MEDIA, PORT).unwrap_or_else(|why| panic!("{why}"));
        Self { child, input }
    }

    /// Changes it: see the program.
    #[track_caller]
    pub(super) fn change(&mut self, lines: &str) {
        writeln!(self.input, "{lines}").expect("the line listens");
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
