//! What is wrong is one line on standard error that says what to do, and exit code 2.

use std::{
    fs,
    net::{SocketAddr, TcpListener, UdpSocket},
};

use tempfile::tempdir;

use crate::program::{Program, command, run};

/// Runs it, and returns its one line.
fn complaint(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert!(output.stdout.is_empty());
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("twocan: "), "{text}");
    text
}

#[test]
fn options() {
    assert!(complaint(&["serve", "--htp", "80"]).contains("'--http'"));
    assert!(complaint(&["serve", "--stun-turn", "nowhere"]).contains("give host:port"));
    assert!(complaint(&["serve", "--turn-realm", "a.very.long.realm"]).contains("1 to 12 bytes"));
    assert!(complaint(&["serve", "--log", "!!", "--http", "off"]).contains("--log"));
    let folder = tempdir().unwrap();
    let file = folder.path().join("twocan.toml");
    fs::write(&file, "turn-realms = \"x\"\n").unwrap();
    let line = complaint(&["serve", "--config", file.to_str().unwrap()]);
    assert!(line.contains("there is no key turn-realms; the nearest one is turn-realm"), "{line}");
    let output = command(&["serve"]).env("TWOCAN_WORKERS", "none").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_port_in_use() {
    let data = tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--http", "--https", "--turns", "--stun-turn"] {
        let mut arguments = vec!["serve", "--data-dir", folder, flag, &address];
        for other in ["--http", "--https", "--turns", "--stun-turn"] {
            if other != flag {
                arguments.extend([other, "off"]);
            }
        }
        let line = complaint(&arguments);
        assert!(line.contains(&format!("{address} is in use by another program")), "{line}");
        assert!(line.contains(flag), "{line}");
    }
}

/// The relay's own sockets share their ports with each other, which must not hide that somebody else has one.
#[test]
fn a_udp_port_in_use() {
    let data = tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let others = ["serve", "--data-dir", folder, "--http", "off", "--https", "off", "--turns", "off"];
    let complaint_about = |flag: &str, taken: SocketAddr, more: &[&str]| {
        let line = complaint(&[&others[..], more].concat());
        let start =
            format!("twocan: UDP {taken} is in use by another program: stop it, or choose another port");
        assert!(line.starts_with(&start) && line.contains(flag), "{line}");
    };
    for shares in [false, true] {
        let taken = udp_socket(shares);
        let address = taken.local_addr().unwrap();
        let text = address.to_string();
        complaint_about("--stun-turn", address, &["--stun-turn", &text, "--stun-alternate", "off"]);
        complaint_about(
            "--stun-alternate",
            address,
            &["--stun-turn", "127.0.0.1:0", "--stun-alternate", &text],
        );
    }
    let twice = ["--stun-turn", "127.0.0.1:39478", "--stun-alternate", "127.0.0.1:39478"];
    assert!(complaint(&[&others[..], &twice].concat()).contains("are both at 127.0.0.1:39478"));
}

#[test]
fn two_servers_with_the_same_second_stun_port() {
    let data = tempdir().unwrap();
    let first = Program::start(&data, &["--stun-turn", "127.0.0.1:0", "--stun-alternate", "127.0.0.1:0"]);
    let info: serde_json::Value = serde_json::from_str(&first.get("/api/info", &[]).body).unwrap();
    let alternate = info["stun"][1].as_str().unwrap();
    let other = tempdir().unwrap();
    let line = complaint(&[
        "serve",
        "--data-dir",
        other.path().to_str().unwrap(),
        "--http",
        "off",
        "--https",
        "off",
        "--turns",
        "off",
        "--stun-turn",
        "127.0.0.1:0",
        "--stun-alternate",
        alternate,
    ]);
    assert!(line.contains(&format!("UDP {alternate} is in use by another program")), "{line}");
    assert!(line.contains("with --stun-alternate"), "{line}");
}

/// On a port that TCP has free too, below those that the system gives to clients, of which other tests have many.
fn udp_socket(shares: bool) -> UdpSocket {
    let first = 20_000 + std::process::id() as u16 % 10_000;
    let bound = (first..32_768).find_map(|port| {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
        socket.set_reuse_port(shares).unwrap();
        socket.bind(&address.into()).ok()?;
        TcpListener::bind(address).ok()?;
        Some(socket.into())
    });
    bound.expect("a free port")
}

#[test]
fn invitations_that_nobody_can_sign() {
    let line = complaint(&["serve", "--invitation-required", "--http", "off"]);
    assert!(
        line.contains("--invitation-required lets nobody in") && line.contains("--invitation-key"),
        "{line}"
    );
}

#[test]
fn a_certificate_and_a_key_that_do_not_belong_together() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["one", "two"] {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(path(&format!("{name}.pem")), made.cert.pem()).unwrap();
        fs::write(path(&format!("{name}.key")), made.key_pair.serialize_pem()).unwrap();
    }
    let data = path("data");
    let serve = ["serve", "--data-dir", &data, "--http", "off", "--https", "127.0.0.1:0", "--turns", "off"];
    let with = |certificate: &str, key: &str| {
        let (certificate, key) = (path(certificate), path(key));
        let more = ["--stun-turn", "off", "--tls-cert", certificate.as_str(), "--tls-key", key.as_str()];
        complaint(&[&serve[..], &more].concat())
    };
    assert!(with("one.pem", "two.key").contains("does not belong to the certificate"));
    assert!(with("one.pem", "none.key").contains("name a readable PEM file"));
    assert!(with("one.key", "one.key").contains("there is no certificate in it"));
}

#[test]
fn help_and_version_are_no_complaints() {
    for arguments in [&["--help"][..], &["--version"], &["serve", "--help"], &["help", "serve"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
    let help = String::from_utf8(run(&["serve", "--help"]).stdout).unwrap();
    for flag in [
        "--http",
        "--https",
        "--stun-turn",
        "--turns",
        "--public-ip",
        "--turn-user",
        "--turn-secret",
        "--turn-realm",
        "--allow-peer",
        "--workers",
        "--data-dir",
        "--config",
    ] {
        assert!(help.contains(&format!("{flag} <")), "{flag}");
    }
    assert!(!help.contains("--web-dir"));
}

#[test]
fn a_file_and_a_variable_configure_a_running_server() {
    let data = tempdir().unwrap();
    let file = data.path().join("twocan.toml");
    fs::write(&file, "call-capacity = 3\nturn-credential-seconds = 60\n").unwrap();
    let server = Program::start(&data, &["--config", file.to_str().unwrap()]);
    let info: serde_json::Value = serde_json::from_str(&server.get("/api/info", &[]).body).unwrap();
    assert_eq!(info["limits"]["call_capacity"], 3);
    let ice: serde_json::Value = serde_json::from_str(&server.get("/api/ice-servers", &[]).body).unwrap();
    assert_eq!(ice, serde_json::json!({"iceServers": [], "ttl": 60}));
}
