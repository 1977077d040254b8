//! What a TURN server must do on the wire, row by row: RFC 8656, RFC 8489, over each transport.

use std::fmt;
use std::net::UdpSocket;
use std::time::Duration;

use crate::{Session, Target, Transport};

mod allocate;
mod authentication;
mod binding;
mod channels;
mod permissions;
mod refresh;
mod relaying;
mod streams;

/// One thing that a server must do.
#[derive(Clone, Copy)]
pub struct Row {
    /// The document and section that says so.
    pub section: &'static str,
    /// What is checked.
    pub name: &'static str,
    /// Over which transports.
    pub over: &'static [Transport],
    check: fn(&Context<'_>) -> Result<(), String>,
}

/// What a row came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The row.
    pub section: &'static str,
    /// The row.
    pub name: &'static str,
    /// Over which of its transports.
    pub transport: Transport,
    /// What was wrong.
    pub result: Result<(), String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { section, name, transport, result } = self;
        let transport = format!("{transport:?}").to_lowercase();
        match result {
            Ok(()) => write!(f, "pass  {transport}  {section:<20} {name}"),
            Err(error) => write!(f, "FAIL  {transport}  {section:<20} {name}: {error}"),
        }
    }
}

/// All rows, in the order of the documents.
pub fn rows() -> Vec<Row> {
    [
        binding::ROWS,
        authentication::ROWS,
        allocate::ROWS,
        refresh::ROWS,
        permissions::ROWS,
        relaying::ROWS,
        channels::ROWS,
        streams::ROWS,
    ]
    .concat()
}

/// Runs every row over each of its transports that the target has.
pub fn run(target: &Target, mut each: impl FnMut(&Outcome)) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for row in rows() {
        for transport in row.over.iter().copied() {
            if transport == Transport::Tls && target.tls.is_none() {
                continue;
            }
            let result = (row.check)(&Context { target, transport });
            let outcome = Outcome { section: row.section, name: row.name, transport, result };
            each(&outcome);
            outcomes.push(outcome);
        }
    }
    outcomes
}

const UDP: &[Transport] = &[Transport::Udp];
const BOTH: &[Transport] = &[Transport::Udp, Transport::Tcp];
const ALL: &[Transport] = &[Transport::Udp, Transport::Tcp, Transport::Tls];
const STREAMS: &[Transport] = &[Transport::Tcp, Transport::Tls];

/// Where a row runs.
struct Context<'t> {
    target: &'t Target,
    transport: Transport,
}

impl Context<'_> {
    /// A new client as the first user.
    fn session(&self) -> Result<Session, String> {
        Session::connect(self.target, self.transport, 0)
    }

    /// A new client as the second user.
    fn other(&self) -> Result<Session, String> {
        Session::connect(self.target, self.transport, 1)
    }
}

/// A program out there.
fn peer() -> Result<UdpSocket, String> {
    let bind = || {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(socket)
    };
    bind().map_err(|error: std::io::Error| format!("no socket for a peer: {error}"))
}

/// What arrives at a peer next, and from where.
fn arrives(peer: &UdpSocket) -> Result<(Vec<u8>, std::net::SocketAddr), String> {
    let mut buffer = vec![0; 70_000];
    let (length, from) =
        peer.recv_from(&mut buffer).map_err(|error| format!("nothing at the peer: {error}"))?;
    buffer.truncate(length);
    Ok((buffer, from))
}

fn local(socket: &UdpSocket) -> Result<std::net::SocketAddr, String> {
    socket.local_addr().map_err(|error| error.to_string())
}

fn sent(outcome: std::io::Result<usize>) -> Result<(), String> {
    outcome.map(|_| ()).map_err(|error| format!("cannot send: {error}"))
}

/// Fails with both sides unless they are equal.
#[expect(clippy::needless_pass_by_value, reason = "both sides are mostly made for the comparison")]
fn same<T: PartialEq + fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?} where {expected:?} was expected")) }
}

/// Fails with words unless it holds.
fn holds(condition: bool, otherwise: &str) -> Result<(), String> {
    if condition { Ok(()) } else { Err(otherwise.to_owned()) }
}

macro_rules! table {
    ($($section:literal, $name:literal, $over:expr, $check:expr;)*) => {
        pub(super) const ROWS: &[super::Row] = &[$(super::Row {
            section: $section,
            name: $name,
            over: $over,
            check: $check,
        },)*];
    };
}
use table;
