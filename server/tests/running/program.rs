//! A running `twocan serve`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The server, stopped when dropped.
pub(crate) struct Program {
    child: Child,
    /// Kept open: a server that cannot print would say so in its log.
    _stdout: BufReader<ChildStdout>,
    pub(crate) banner: String,
    /// What it has logged so far.
    log: Arc<Mutex<String>>,
}

/// `twocan` with these arguments and without this process's own settings of it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twocan"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TWOCAN_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// Runs `twocan` to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

impl Program {
    /// HTTP on a port of the system's choice and nothing else, unless `more` says so.
    pub(crate) fn start(data: &TempDir, more: &[&str]) -> Self {
        Self::start_at(data, "127.0.0.1:0", more)
    }

    pub(crate) fn start_at(data: &TempDir, http: &str, more: &[&str]) -> Self {
        let folder = data.path().to_str().unwrap();
        let mut arguments = vec!["serve", "--data-dir", folder, "--http", http, "--log", "warn"];
        for (flag, usual) in [("--https", "off"), ("--turns", "off"), ("--stun-turn", "off")] {
            if !more.contains(&flag) {
                arguments.extend([flag, usual]);
            }
        }
        arguments.extend(more);
        let mut child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = gather(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        // Two empty lines: one after the greeting, one at the end.
        while banner.matches("\n\n").count() < 2 {
            if stdout.read_line(&mut banner).unwrap() == 0 {
                panic!("the server did not start: {:?}", child.wait());
            }
        }
        Self { child, _stdout: stdout, banner, log }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Where HTTP is served.
    pub(crate) fn http(&self) -> SocketAddr {
        self.port_after("http://localhost:")
    }

    /// The port that the banner names after `text`, on the loopback.
    pub(crate) fn port_after(&self, text: &str) -> SocketAddr {
        let (_, rest) = self.banner.split_once(text).unwrap_or_else(|| panic!("{text} in {}", self.banner));
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        SocketAddr::from(([127, 0, 0, 1], digits.parse().unwrap()))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn exit_code(mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < DEADLINE, "the server did not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// As if the power had failed.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// `GET`s a path, with further lines of the request's head.
    pub(crate) fn get(&self, path: &str, head: &[&str]) -> Answer {
        self.ask("GET", path, head, "")
    }

    /// Any request, with a body.
    pub(crate) fn ask(&self, method: &str, path: &str, head: &[&str], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.http()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.http());
        if !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        for line in head {
            request += line;
            request += "\r\n";
        }
        request += "\r\n";
        stream.write_all((request + body).as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        Answer::parse(&text)
    }
}

/// Keeps every line, and shows it where the test's own output goes.
fn gather(stderr: ChildStderr) -> Arc<Mutex<String>> {
    let log = Arc::<Mutex<String>>::default();
    let gathered = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            eprintln!("{line}");
            let mut log = gathered.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    log
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let line = self
            .head
            .lines()
            .find(|line| line.split_once(": ").is_some_and(|(key, _)| key.eq_ignore_ascii_case(name)));
        line.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value)
    }
}
