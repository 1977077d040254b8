//! One of our ends with OpenSSL's `s_client` and `s_server`, on loopback. Skipped, with words, where there is no
//! `openssl`. Its releases before 4 speak DTLS 1.2 only.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "another program is met over real sockets"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime};

use twocan_dtls::{
    Aead, Certificate, Config, Connected, Dtls, Event, Fingerprint, FingerprintHash, Role, SrtpProfile,
    Version,
};

const PATIENCE: Duration = Duration::from_secs(60);
const SRTP: &str = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";

/// An `openssl` that runs, and the lines that it writes.
struct OpenSsl {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl OpenSsl {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new("openssl")
            .args(arguments)
            .args(["-cert", "certificate.pem", "-key", "key.pem", "-use_srtp", SRTP])
            .args(["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "56"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (send, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take().unwrap();
        Self { child, input, lines }
    }

    /// The rest of the first line that contains `wanted`.
    fn line(&self, wanted: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if let Some((_, rest)) = line.split_once(wanted) {
                return rest.trim().to_owned();
            }
            seen.push(line);
        }
        panic!("openssl never wrote {wanted:?}, but {seen:#?}");
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _: Result<_, _> = self.child.kill();
        let _: Result<_, _> = self.child.wait();
    }
}

/// Our end, and its socket.
struct Ours {
    dtls: Dtls,
    socket: UdpSocket,
    peer: Option<SocketAddr>,
    connected: Option<Box<Connected>>,
    data: Vec<Vec<u8>>,
    is_closed: bool,
}

impl Ours {
    fn new(config: Config, role: Role, folder: &Path, peer: Option<SocketAddr>) -> Self {
        let now = Instant::now();
        let certificate = Certificate::generate([9; 32], SystemTime::now()).unwrap();
        let seed = u64::from(std::process::id()).to_be_bytes();
        let seed = std::array::from_fn(|index| seed[index % 8]);
        let mut dtls = Dtls::new(Arc::new(config), role, Arc::new(certificate), seed, now);
        let der = std::fs::read(folder.join("certificate.der")).unwrap();
        dtls.set_peer_fingerprints(now, &[Fingerprint::of(FingerprintHash::Sha256, &der)]).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self { dtls, socket, peer, connected: None, data: Vec::new(), is_closed: false }
    }

    fn run_until(&mut self, is_done: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_done(self) {
            assert!(Instant::now() < end, "nothing came of it: {:?}", self.dtls);
            let now = Instant::now();
            let mut buffer = Vec::new();
            while self.dtls.poll_transmit(now, &mut buffer).is_some() {
                self.send(&buffer);
                buffer.clear();
            }
            while let Some(event) = self.dtls.poll_event() {
                match event {
                    Event::Connected(connected) => self.connected = Some(connected),
                    Event::Data(data) => self.data.push(data),
                    Event::Closed => self.is_closed = true,
                    Event::Failed(failure) => panic!("{failure}"),
                }
            }
            let wait = self.dtls.poll_timeout().map_or(PATIENCE, |(at, _)| at.saturating_duration_since(now));
            let wait = wait.clamp(Duration::from_millis(1), Duration::from_millis(100));
            self.socket.set_read_timeout(Some(wait)).unwrap();
            let mut datagram = [0; 2048];
            if let Ok((length, from)) = self.socket.recv_from(&mut datagram) {
                self.peer = Some(from);
                if let Ok(plaintexts) = self.dtls.handle_datagram(Instant::now(), &mut datagram[..length]) {
                    self.data.extend(plaintexts.map(|range| datagram[range].to_vec()));
                }
            }
            self.dtls.handle_timeout(Instant::now());
        }
    }

    fn send(&self, bytes: &[u8]) {
        if let Some(peer) = self.peer {
            // Before the peer listens this is refused; we try again.
            let _: Result<_, _> = self.socket.send_to(bytes, peer);
        }
    }

    fn say(&mut self, text: &[u8]) {
        let mut record = vec![0; self.dtls.overhead().unwrap().header];
        record.extend(text);
        self.dtls.seal(&mut record, 0).unwrap();
        self.send(&record);
    }

    /// Both talk, and know the same key for media.
    fn talk(&mut self, openssl: &mut OpenSsl) {
        self.run_until(|ours| ours.connected.is_some());
        let connected = self.connected.as_ref().unwrap();
        assert_eq!(connected.version, Version::Dtls12);
        assert_eq!(connected.srtp_profile, Some(SrtpProfile::AeadAes128Gcm));
        let mut key = [0; 56];
        self.dtls.export_keying_material(SrtpProfile::EXPORT_LABEL, None, &mut key).unwrap();
        let hex: String = key.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(openssl.line("Keying material:"), hex);
        openssl.input.write_all(b"from openssl\n").unwrap();
        self.run_until(|ours| ours.data.iter().any(|data| data == b"from openssl\n"));
        self.say(b"from us\n");
        openssl.line("from us");
    }
}

/// A key and a certificate of OpenSSL's own making. `None`, and words, where there is no OpenSSL.
fn folder(key: &[&str]) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder.path()).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !run(&["version"]) {
        println!("skipped: there is no `openssl` here; install it to meet OpenSSL");
        return None;
    }
    let request =
        ["req", "-x509", "-nodes", "-keyout", "key.pem", "-out", "certificate.pem", "-subj", "/CN=test"];
    assert!(run(&[&request[..], key].concat()));
    assert!(run(&["x509", "-in", "certificate.pem", "-outform", "der", "-out", "certificate.der"]));
    Some(folder)
}

const P256: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const P384: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
const RSA: &[&str] = &["-newkey", "rsa:2048"];
const ED25519: &[&str] = &["-newkey", "ed25519"];

/// Our client with its server, which asks for a certificate and first has the client prove its address.
fn with_server(key: &[&str], config: Config) {
    let Some(folder) = folder(key) else { return };
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let accept = port.to_string();
    let arguments = ["s_server", "-dtls1_2", "-4", "-accept", &accept, "-Verify", "1", "-listen"];
    let mut openssl = OpenSsl::start(folder.path(), &arguments);
    openssl.line("ACCEPT");
    let peer = SocketAddr::from(([127, 0, 0, 1], port));
    let mut ours = Ours::new(config, Role::Client, folder.path(), Some(peer));
    ours.talk(&mut openssl);
    ours.dtls.close(Instant::now());
    let mut goodbye = Vec::new();
    assert!(ours.dtls.poll_transmit(Instant::now(), &mut goodbye).is_some());
    ours.send(&goodbye);
    openssl.line("DONE");
}

/// Our server with its client, which ends it.
fn with_client(key: &[&str], config: Config) {
    let Some(folder) = folder(key) else { return };
    let mut ours = Ours::new(config, Role::Server, folder.path(), None);
    let connect = ours.socket.local_addr().unwrap().to_string();
    let mut openssl = OpenSsl::start(folder.path(), &["s_client", "-dtls1_2", "-connect", &connect]);
    ours.talk(&mut openssl);
    openssl.input.write_all(b"Q\n").unwrap();
    ours.run_until(|ours| ours.is_closed);
}

#[test]
fn our_client_meets_its_server_with_every_kind_of_key() {
    // It takes an Ed25519 key for a server of TLS 1.2 only.
    for key in [P256, P384, RSA] {
        with_server(key, Config::default());
    }
}

#[test]
fn our_server_meets_its_client_with_every_kind_of_key() {
    for key in [P256, P384, RSA, ED25519] {
        with_client(key, Config::default());
    }
}

#[test]
fn every_cipher_works_in_both_roles() {
    for aead in [Aead::Aes256Gcm, Aead::ChaCha20Poly1305] {
        let config = Config { aeads: vec![aead], ..Config::default() };
        with_server(P256, config.clone());
        with_client(P256, config);
    }
}

#[test]
fn flights_of_small_datagrams_are_put_together() {
    with_server(RSA, Config { mtu: 256, ..Config::default() });
    with_client(RSA, Config { mtu: 256, ..Config::default() });
}
