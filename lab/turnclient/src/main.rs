//! `turnclient`: runs the conformance table against a server (RFC 8656).
//!
//! `turnclient --against coturn` starts coturn (Debian package) on free ports;
//! `turnclient --against HOST:PORT NAME:PASSWORD NAME:PASSWORD` takes a running one.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use turnclient::{Session, Target, Transport, conformance};
use twocan_turnclient as turnclient;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--against", "coturn"] => Coturn::start().map(|coturn| run(&coturn.target())),
        ["--against", server, first, second] => target(server, first, second).map(|target| run(&target)),
        _ => Err("turnclient --against coturn | --against HOST:PORT NAME:PASSWORD NAME:PASSWORD".into()),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Prints the table and returns how many rows failed.
fn run(target: &Target) -> usize {
    let outcomes = conformance::run(target, |outcome| println!("{outcome}"));
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    println!("{} checks, {failed} failed", outcomes.len());
    failed
}

fn target(server: &str, first: &str, second: &str) -> Result<Target, String> {
    let server = server
        .to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .ok_or_else(|| format!("{server} is no address: give HOST:PORT"))?;
    let user = |text: &str| {
        let (name, password) = text.split_once(':').ok_or_else(|| format!("{text}: give NAME:PASSWORD"))?;
        Ok::<_, String>((name.to_owned(), password.to_owned()))
    };
    Ok(Target { server, server_v6: None, tls: None, users: [user(first)?, user(second)?], secret: None })
}

struct Coturn {
    process: Child,
    server: SocketAddr,
}

impl Coturn {
    fn start() -> Result<Self, String> {
        let port = free_port().ok_or("no free port below 49152")?;
        let process = Command::new("turnserver")
            .args(["-n", "--listening-ip", "127.0.0.1", "--listening-ip", "::1", "--relay-ip", "127.0.0.1"])
            .args(["--relay-ip", "::1", "--listening-port", &port.to_string(), "--lt-cred-mech"])
            .args(["--realm", "twocan", "--user", "ada:lovelace", "--user", "bob:builder"])
            .args(["--allow-loopback-peers", "--no-tls", "--no-dtls", "--no-cli", "--simple-log"])
            .args(["--log-file", "/dev/null", "--no-stdout-log", "--pidfile", "/dev/null"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start coturn ({error}): install the package coturn"))?;
        let coturn = Self { process, server: SocketAddr::from(([127, 0, 0, 1], port)) };
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            // TCP refuses until it is there.
            if Session::connect(&coturn.target(), Transport::Tcp, 0).is_ok() {
                return Ok(coturn);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("coturn does not answer".into())
    }

    fn target(&self) -> Target {
        let user = |name: &str, password: &str| (name.to_owned(), password.to_owned());
        Target {
            server: self.server,
            server_v6: None,
            tls: None,
            users: [user("ada", "lovelace"), user("bob", "builder")],
            secret: None,
        }
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _status = self.process.wait();
    }
}

/// A port that is free for UDP and TCP, below those of relayed addresses.
fn free_port() -> Option<u16> {
    (0..100).find_map(|_| {
        let port = UdpSocket::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        (port < 49152 && TcpListener::bind(("127.0.0.1", port)).is_ok()).then_some(port)
    })
}
