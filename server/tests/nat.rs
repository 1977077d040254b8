//! `twocan nat` as a person runs it: against a plain STUN server, against coturn with two addresses (RFC 5780), and
//! against nothing.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use stun::attribute::XorMappedAddress;
use stun::{Class, Message, Writer};

const DEADLINE: Duration = Duration::from_secs(60);

fn nat(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_twocan")).arg("nat").args(arguments).output().expect("twocan runs")
}

fn json(output: &Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server of RFC 8489 without anything else, until the test's process ends.
fn plain_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, source)) = socket.recv_from(&mut buffer) {
            let Ok(message) = Message::parse(&buffer[..length]) else { continue };
            let mut answer = Vec::new();
            Writer::new(&mut answer, Class::Success, message.method(), message.transaction())
                .add(&XorMappedAddress(source));
            let _ = socket.send_to(&answer, source);
        }
    });
    address
}

#[test]
fn a_plain_server_tells_our_address_and_the_rest_stays_open() {
    let server = plain_server().to_string();
    let output = nat(&["--server", &server, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = json(&output);
    assert_eq!(report["server"], server.as_str());
    assert_eq!(report["nat"], false);
    assert_eq!(report["mapped"], report["local"]);
    assert_eq!(report["filtering"], serde_json::Value::Null);
    assert_eq!(report["unknown"]["filtering"], "the server has no second address to compare with");
    assert_eq!(report["calls"]["open"], "direct");

    let output = nat(&["--server", &server]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("The server is this very machine"), "{text}");
    assert!(text.contains("  Mapping             endpoint-independent"), "{text}");
}

#[test]
fn what_goes_wrong_is_said_in_one_line() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    for (server, code, words) in [
        (address.as_str(), 1, "does not answer over UDP"),
        ("no-such-host.invalid:3478", 1, "has no address"),
        ("host:0", 2, "the port must be 1 to 65535"),
        ("stun://host", 2, "write HOST:PORT"),
    ] {
        let output = nat(&["--server", server]);
        assert_eq!(output.status.code(), Some(code), "{server}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{server}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{server}");
    }
    let output = nat(&["--server", &address, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(json(&output)["error"].as_str().unwrap().contains("does not answer"));
}

/// Two ports that were free a moment ago on every address.
fn free_ports() -> (u16, u16) {
    let sockets = [(); 2].map(|()| UdpSocket::bind("0.0.0.0:0").unwrap());
    let [one, two] = sockets.map(|socket| socket.local_addr().unwrap().port());
    (one, two)
}

/// coturn on two loopback addresses; ends with the test.
struct Coturn {
    process: Child,
    server: SocketAddr,
}

impl Coturn {
    /// None, saying so, where coturn is not installed.
    fn start() -> Option<Self> {
        if !Path::new("/usr/bin/turnserver").exists() {
            println!("skipped: coturn is not installed (Debian package coturn)");
            return None;
        }
        let (one, two) = free_ports();
        let process = Command::new("/usr/bin/turnserver")
            .args(["-n", "--stun-only", "--no-cli", "--no-tls", "--no-dtls", "--log-file=stdout"])
            .args(["-L", "127.0.0.1", "-L", "127.0.0.2", "--pidfile=/dev/null"])
            .arg(format!("--listening-port={one}"))
            .arg(format!("--alt-listening-port={two}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver starts");
        let coturn = Self { process, server: SocketAddr::from(([127, 0, 0, 1], one)) };
        coturn.wait();
        Some(coturn)
    }

    /// Until it answers.
    fn wait(&self) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut request = Vec::new();
        Writer::new(&mut request, Class::Request, stun::Method::BINDING, stun::TransactionId([1; 12]));
        let begin = Instant::now();
        loop {
            let _ = socket.send_to(&request, self.server);
            if socket.recv(&mut [0; 2048]).is_ok() {
                return;
            }
            assert!(begin.elapsed() < DEADLINE, "coturn does not answer");
        }
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn coturn_with_two_addresses_tells_everything() {
    let Some(coturn) = Coturn::start() else { return };
    let output = nat(&["--server", &coturn.server.to_string(), "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = json(&output);
    assert!(report["other"].as_str().unwrap().starts_with("127.0.0.2:"), "{report:#}");
    assert_eq!(report["nat"], false, "{report:#}");
    assert_eq!(report["kind"], "no NAT", "{report:#}");
    assert_eq!(report["mapping"], "endpoint-independent", "{report:#}");
    assert_eq!(report["filtering"], "endpoint-independent", "{report:#}");
    assert_eq!(report["unknown"]["hairpinning"], "there is no NAT", "{report:#}");
    for other in ["open", "address_restricted", "port_restricted", "symmetric"] {
        assert_eq!(report["calls"][other], "direct", "{report:#}");
    }
}
