//! The test's end of a puppet: a process inside a namespace that does what it is told (see `src/puppet.rs`).

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use twocan_natlab::{INTERNET, Running, SECOND_SERVER, SERVER};

/// Far longer than anything takes here: reaching it is a failure, not slowness.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Puppet {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    log: Vec<String>,
    sockets: usize,
}

/// A UDP socket of a puppet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Socket {
    number: usize,
    pub(crate) address: SocketAddr,
}

impl Puppet {
    pub(crate) fn at(lab: &Running, place: &str) -> Self {
        let mut child = lab
            .command(place, env!("CARGO_BIN_EXE_natlab"))
            .arg("puppet")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the puppet starts");
        let stdin = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, stdin, lines, log: Vec::new(), sockets: 0 }
    }

    pub(crate) fn udp(&mut self, address: &str) -> Socket {
        let bound = self.ask(&format!("udp {address}"), &["bound "]);
        let number = self.sockets;
        self.sockets += 1;
        Socket {
            number,
            address: bound.strip_prefix("bound ").and_then(|a| a.parse().ok()).expect("an address"),
        }
    }

    pub(crate) fn send(&mut self, from: Socket, to: SocketAddr, text: &str) {
        self.ask(&format!("send {} {to} {text}", from.number), &["sent"]);
    }

    pub(crate) fn listen(&mut self, address: SocketAddr) {
        self.ask(&format!("listen {address}"), &["listening "]);
    }

    /// Whether a TCP connection came about.
    pub(crate) fn connects(&mut self, address: SocketAddr) -> bool {
        self.ask(&format!("connect {address}"), &["connected", "refused"]) == "connected"
    }

    /// Waits for the datagram `text`; returns whom it came from.
    pub(crate) fn got(&mut self, text: &str) -> SocketAddr {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(from) = self.find(text) {
                return from;
            }
            self.read_line(end, text);
        }
    }

    /// Whether the datagram `text` has come so far.
    pub(crate) fn has(&mut self, text: &str) -> bool {
        self.log.extend(self.lines.try_iter());
        self.find(text).is_some()
    }

    /// How many datagrams that begin with `text` have come so far.
    pub(crate) fn count(&mut self, text: &str) -> usize {
        self.log.extend(self.lines.try_iter());
        self.log.iter().filter_map(|line| datagram(line)).filter(|(_, said)| said.starts_with(text)).count()
    }

    /// Sends `text` from `own` to `to` again and again until `other` has it; returns whom it came from.
    pub(crate) fn send_until(
        &mut self,
        own: Socket,
        to: SocketAddr,
        other: &mut Self,
        text: &str,
    ) -> SocketAddr {
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            self.send(own, to, text);
            if other.wait_briefly(text) {
                return other.got(text);
            }
        }
        panic!("{text:?} never arrived at {to}");
    }

    fn wait_briefly(&mut self, text: &str) -> bool {
        if let Ok(line) = self.lines.recv_timeout(Duration::from_millis(50)) {
            self.log.push(line);
        }
        self.has(text)
    }

    fn find(&self, text: &str) -> Option<SocketAddr> {
        self.log
            .iter()
            .filter_map(|line| datagram(line))
            .find(|(_, said)| *said == text)
            .map(|(from, _)| from)
    }

    /// Writes a command and waits for an answer to it: a line yet to come that begins with one of `answers`.
    fn ask(&mut self, command: &str, answers: &[&str]) -> String {
        self.log.extend(self.lines.try_iter());
        let start = self.log.len();
        writeln!(self.stdin, "{command}").expect("the puppet reads");
        let end = Instant::now() + DEADLINE;
        loop {
            let answer =
                self.log[start..].iter().find(|line| answers.iter().any(|answer| line.starts_with(answer)));
            if let Some(answer) = answer {
                return answer.clone();
            }
            self.read_line(end, command);
        }
    }

    fn read_line(&mut self, end: Instant, what: &str) {
        match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => self.log.push(line),
            Err(why) => panic!("waiting for {what:?}: {why}; so far: {:#?}", self.log),
        }
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn datagram(line: &str) -> Option<(SocketAddr, &str)> {
    let mut words = line.strip_prefix("got ")?.splitn(3, ' ');
    let _socket = words.next()?;
    Some((words.next()?.parse().ok()?, words.next()?))
}

/// A puppet in the internet with two addresses and two ports.
pub(crate) struct Server {
    pub(crate) puppet: Puppet,
    pub(crate) first: Socket,
    pub(crate) other_port: Socket,
    pub(crate) other_address: Socket,
}

impl Server {
    pub(crate) fn of(lab: &Running) -> Self {
        let mut puppet = Puppet::at(lab, INTERNET);
        let first = puppet.udp(&format!("{SERVER}:7001"));
        let other_port = puppet.udp(&format!("{SERVER}:7002"));
        let other_address = puppet.udp(&format!("{SECOND_SERVER}:7001"));
        Self { puppet, first, other_port, other_address }
    }

    /// How the socket of `puppet` looks from the server's first address.
    pub(crate) fn sees(&mut self, puppet: &mut Puppet, socket: Socket, text: &str) -> SocketAddr {
        puppet.send(socket, self.first.address, text);
        self.puppet.got(text)
    }
}
