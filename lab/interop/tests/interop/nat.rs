//! `twocan nat` behind real NATs, with our own server to ask.

use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use natlab::{INTERNET, Lab, Nat, Running, SECOND_SERVER, SERVER};
use serde_json::Value;
use tempfile::TempDir;

/// Clients by the NAT that they are behind, with what people call it.
const HOMES: [(&str, Nat, &str); 5] = [
    ("open", Nat::None, "no NAT"),
    ("full", Nat::FullCone, "full-cone NAT"),
    ("address", Nat::AddressRestricted, "address-restricted cone NAT"),
    ("port", Nat::PortRestricted, "port-restricted cone NAT"),
    ("symmetric", Nat::Symmetric, "symmetric NAT"),
];

/// A server with its data, until the test ends.
struct Server(Child, #[expect(dead_code, reason = "held, not read")] TempDir);

impl Server {
    /// Serves STUN on these addresses, and on the second port that is the default.
    fn start(lab: &Running, addresses: &[IpAddr]) -> Self {
        let mut command = twocan(lab, INTERNET);
        command.args(["serve", "--http", "off", "--https", "off", "--turns", "off", "--data-dir"]);
        let folder = tempfile::tempdir().expect("a folder");
        command.arg(folder.path());
        for address in addresses {
            command.args(["--stun-turn", &SocketAddr::new(*address, 3478).to_string()]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("the server starts"), folder)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn twocan(lab: &Running, place: &str) -> Command {
    lab.command(place, twocan_interop::twocan().unwrap_or_else(|why| panic!("{why}")))
}

/// Asks from a client, again while the server is not there yet.
#[track_caller]
fn ask(lab: &Running, client: &str, lifetime: &str) -> Value {
    let end = Instant::now() + twocan_interop::DEADLINE;
    loop {
        let Output { status, stdout, stderr } = twocan(lab, client)
            .args(["nat", "--json", "--lifetime", lifetime, "--server", &format!("{SERVER}:3478")])
            .output()
            .expect("twocan runs");
        if status.success() {
            return serde_json::from_slice(&stdout).expect("a report in JSON");
        }
        assert!(Instant::now() < end, "{client}: {}", String::from_utf8_lossy(&stderr));
    }
}

fn lab() -> Option<Running> {
    if natlab::skipped("what NAT one is behind") {
        return None;
    }
    let lab = HOMES.into_iter().fold(Lab::new(), |lab, (name, nat, _)| lab.client(name, nat));
    Some(lab.up().unwrap_or_else(|why| panic!("{why}")))
}

#[test]
fn a_server_with_two_addresses_tells_every_kind_of_nat() {
    let Some(lab) = lab() else { return };
    let _server = Server::start(&lab, &[SERVER.into(), SECOND_SERVER.into()]);
    for (client, nat, kind) in HOMES {
        let report = ask(&lab, client, "0");
        assert_eq!(report["kind"], kind, "{client}: {report:#}");
        assert_eq!(report["nat"], nat != Nat::None, "{client}: {report:#}");
        assert_eq!(report["rewriting"], false, "{client}: {report:#}");
    }
    let report = ask(&lab, "port", "10");
    assert_eq!(report["lifetime"]["at_least"], 10, "conntrack keeps a binding longer: {report:#}");
}

#[test]
fn a_server_with_one_address_tells_what_its_second_port_shows() {
    let Some(lab) = lab() else { return };
    let _server = Server::start(&lab, &[SERVER.into()]);
    for (client, mapping, filtering) in [
        ("open", "endpoint-independent", "port-independent"),
        ("full", "port-independent", "port-independent"),
        ("address", "port-independent", "port-independent"),
        ("port", "port-independent", "address-and-port-dependent"),
        ("symmetric", "address-and-port-dependent", "address-and-port-dependent"),
    ] {
        let report = ask(&lab, client, "0");
        assert_eq!(report["mapping"], mapping, "{client}: {report:#}");
        assert_eq!(report["filtering"], filtering, "{client}: {report:#}");
        assert_eq!(report["rewriting"], false, "{client}: {report:#}");
    }
}
