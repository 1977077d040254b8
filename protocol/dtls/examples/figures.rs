//! How fast and how small: CPU time per record and per handshake, memory per connection, beside dimpl in the same
//! run. `cargo run --release -p twocan-dtls --example figures`
#![expect(clippy::disallowed_methods, reason = "connections live in real time here")]

use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use dimpl::Output;
use dimpl::certificate::generate_self_signed_certificate;
use twocan_dtls as dtls;

use dtls::{Aead, Certificate, Config, Dtls, Event, FingerprintHash, NamedGroup, Role, Version};

/// What a data channel puts into one datagram, in bytes.
const PAYLOAD: usize = 1200;
const RECORDS: u32 = 100_000;
const HANDSHAKES: u32 = 300;
const IDLE: usize = 1000;
/// Medians of so many runs.
const RUNS: usize = 5;

fn main() {
    let idle = match std::env::args().nth(1).as_deref() {
        Some("twocan 1.3") => ours_idle(Version::Dtls13),
        Some("twocan 1.2") => ours_idle(Version::Dtls12),
        Some("dimpl 1.3") => dimpl_idle(Version::Dtls13),
        Some("dimpl 1.2") => dimpl_idle(Version::Dtls12),
        _ => return figures(),
    };
    println!("{idle:.2}");
}

fn figures() {
    println!("records of {PAYLOAD} bytes, ns of CPU time: seal, open");
    for version in [Version::Dtls13, Version::Dtls12] {
        for aead in [Aead::Aes128Gcm, Aead::Aes256Gcm, Aead::ChaCha20Poly1305] {
            let (seal, open) = median2(|| ours_records(version, aead));
            println!("  twocan {version:?} {aead:?}: {seal:.0}, {open:.0}");
        }
        let (seal, open) = median2(|| dimpl_records(version));
        println!("  dimpl  {version:?} Aes128Gcm: {seal:.0}, {open:.0}");
    }
    let (seal, open) = median2(bare_records);
    println!("  AES-128-GCM alone: {seal:.0}, {open:.0}");
    println!("handshakes, ms of CPU time, both ends");
    for version in [Version::Dtls13, Version::Dtls12] {
        let ours = median(|| ours_handshake(&only(version)));
        println!("  twocan {version:?}: {:.3}", ours / 1e6);
        let theirs = median(|| dimpl_handshake(version));
        println!("  dimpl  {version:?}: {:.3}", theirs / 1e6);
    }
    let both = vec![NamedGroup::X25519MlKem768, NamedGroup::X25519];
    let browser = Config { groups: both.clone(), key_shares: both, ..Config::default() };
    println!("  twocan with X25519MLKEM768: {:.3}", median(|| ours_handshake(&browser)) / 1e6);
    println!(
        "resident memory of an idle connection, KiB ({} bytes of ours in Dtls itself)",
        size_of::<Dtls>()
    );
    for argument in ["twocan 1.3", "twocan 1.2", "dimpl 1.3", "dimpl 1.2"] {
        // In a process of its own: memory that was freed would be used again.
        let child = std::env::current_exe().and_then(|program| Command::new(program).arg(argument).output());
        println!(
            "  {argument}: {}",
            child.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
        );
    }
}

/// CPU time of this thread, in ns.
fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "hours at most")]
    let ns = (time.tv_sec * 1_000_000_000 + time.tv_nsec) as f64;
    ns
}

/// Resident memory of this process, in bytes.
fn resident() -> f64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    4096.0 * text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0)
}

fn median(mut run: impl FnMut() -> f64) -> f64 {
    let mut results: Vec<_> = (0..RUNS).map(|_| run()).collect();
    results.sort_by(f64::total_cmp);
    results[RUNS / 2]
}

fn median2(mut run: impl FnMut() -> (f64, f64)) -> (f64, f64) {
    let results: Vec<_> = (0..RUNS).map(|_| run()).collect();
    let mut first = results.iter().map(|result| result.0);
    let mut second = results.iter().map(|result| result.1);
    (median(|| first.next().unwrap_or(0.0)), median(|| second.next().unwrap_or(0.0)))
}

fn only(version: Version) -> Config {
    Config { versions: vec![version], ..Config::default() }
}

fn certificate(seed: u8) -> Arc<Certificate> {
    Arc::new(Certificate::generate([seed; 32], SystemTime::now()).expect("a certificate"))
}

struct Ours {
    config: Arc<Config>,
    certificates: [Arc<Certificate>; 2],
}

impl Ours {
    fn new(config: &Config) -> Self {
        Self { config: Arc::new(config.clone()), certificates: [certificate(1), certificate(2)] }
    }

    fn connected(&self) -> (Dtls, Dtls) {
        let now = Instant::now();
        let [one, two] = &self.certificates;
        let end = |role, certificate: &Arc<Certificate>, peer: &Certificate, seed| {
            let mut end = Dtls::new(Arc::clone(&self.config), role, Arc::clone(certificate), [seed; 32], now);
            let expected = [peer.fingerprint(FingerprintHash::Sha256)];
            end.set_peer_fingerprints(now, &expected).expect("a fingerprint");
            end
        };
        let mut client = end(Role::Client, one, two, 1);
        let mut server = end(Role::Server, two, one, 2);
        let mut buffer = Vec::with_capacity(2048);
        let mut is_idle = false;
        while !is_idle {
            is_idle = true;
            for is_client in [true, false] {
                let (from, to) =
                    if is_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
                while from.poll_transmit(now, &mut buffer).is_some() {
                    to.handle_datagram(now, &mut buffer).expect("a datagram of ours");
                    buffer.clear();
                    is_idle = false;
                }
            }
        }
        for end in [&mut client, &mut server] {
            assert!(matches!(end.poll_event(), Some(Event::Connected(_))));
        }
        (client, server)
    }
}

fn ours_records(version: Version, aead: Aead) -> (f64, f64) {
    let ours = Ours::new(&Config { aeads: vec![aead], ..only(version) });
    let (mut client, mut server) = ours.connected();
    let now = Instant::now();
    let header = client.overhead().expect("connected").header;
    let (mut seal, mut open) = (0.0, 0.0);
    let mut buffers: Vec<Vec<u8>> = (0..1000).map(|_| Vec::with_capacity(2048)).collect();
    for _ in 0..RECORDS / 1000 {
        for buffer in &mut buffers {
            buffer.clear();
            buffer.resize(header + PAYLOAD, 7);
        }
        let start = cpu();
        for buffer in &mut buffers {
            client.seal(buffer, 0).expect("connected");
        }
        let middle = cpu();
        for buffer in &mut buffers {
            let plaintexts = server.handle_datagram(now, buffer).expect("a record of ours");
            assert_eq!(black_box(plaintexts).len(), 1);
        }
        open += cpu() - middle;
        seal += middle - start;
    }
    (seal / f64::from(RECORDS), open / f64::from(RECORDS))
}

fn bare_records() -> (f64, f64) {
    use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[1; 16]).expect("a key"));
    let mut data = vec![7; PAYLOAD];
    let start = cpu();
    let mut tags = Vec::with_capacity(1000);
    for _ in 0..RECORDS {
        let tag =
            key.seal_in_place_separate_tag(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut data);
        if tags.len() < 1000 {
            tags.push(tag.expect("sealed"));
        }
    }
    let seal = cpu() - start;
    let sealed = {
        let mut sealed = vec![7; PAYLOAD];
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut sealed)
            .expect("sealed");
        sealed
    };
    let mut open = 0.0;
    for _ in 0..RECORDS / 1000 {
        let mut copies = vec![sealed.clone(); 1000];
        let start = cpu();
        for copy in &mut copies {
            key.open_in_place(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), copy).expect("opened");
        }
        open += cpu() - start;
    }
    (seal / f64::from(RECORDS), open / f64::from(RECORDS))
}

fn ours_handshake(config: &Config) -> f64 {
    let ours = Ours::new(config);
    let start = cpu();
    for _ in 0..HANDSHAKES {
        black_box(ours.connected());
    }
    (cpu() - start) / f64::from(HANDSHAKES)
}

fn ours_idle(version: Version) -> f64 {
    let ours = Ours::new(&only(version));
    drop(ours.connected());
    let before = resident();
    let mut pairs = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        let (mut client, mut server) = ours.connected();
        // Four minutes later nothing of the handshake can be repeated any more.
        let later = Instant::now() + Duration::from_secs(300);
        client.handle_timeout(later);
        server.handle_timeout(later);
        pairs.push((client, server));
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let connections = (2 * pairs.len()) as f64;
    (resident() - before) / connections / 1024.0
}

struct Dimpl {
    config: Arc<dimpl::Config>,
    version: Version,
    certificates: [dimpl::DtlsCertificate; 2],
}

impl Dimpl {
    fn new(version: Version) -> Self {
        let config = dimpl::Config::builder().use_server_cookie(false).build().expect("a configuration");
        let certificate = || generate_self_signed_certificate().expect("a certificate");
        Self { config: Arc::new(config), version, certificates: [certificate(), certificate()] }
    }

    fn connected(&self) -> (dimpl::Dtls, dimpl::Dtls) {
        let now = Instant::now();
        let end = |certificate: &dimpl::DtlsCertificate, is_client| {
            let (config, certificate) = (Arc::clone(&self.config), certificate.clone());
            let mut end = match self.version {
                Version::Dtls12 => dimpl::Dtls::new_12(config, certificate, now),
                Version::Dtls13 => dimpl::Dtls::new_13(config, certificate, now),
            };
            end.set_active(is_client);
            end.handle_timeout(now).expect("begins");
            end
        };
        let mut client = end(&self.certificates[0], true);
        let mut server = end(&self.certificates[1], false);
        let mut buffer = vec![0; 2048];
        let mut connected = 0;
        for _ in 0..20 {
            for is_client in [true, false] {
                let (from, to) =
                    if is_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
                loop {
                    match from.poll_output(&mut buffer) {
                        Output::Packet(packet) => to.handle_packet(packet).expect("a datagram of its own"),
                        Output::Connected => connected += 1,
                        Output::Timeout(_) => break,
                        _ => {}
                    }
                }
            }
        }
        assert_eq!(connected, 2);
        (client, server)
    }
}

fn dimpl_records(version: Version) -> (f64, f64) {
    let (mut client, mut server) = Dimpl::new(version).connected();
    let data = vec![7; PAYLOAD];
    let mut buffer = vec![0; 4096];
    let (mut seal, mut open) = (0.0, 0.0);
    for _ in 0..RECORDS / 100 {
        let mut packets = Vec::with_capacity(100);
        let start = cpu();
        for _ in 0..100 {
            client.send_application_data(&data).expect("connected");
            while let Output::Packet(packet) = client.poll_output(&mut buffer) {
                packets.push(packet.to_vec());
            }
        }
        let middle = cpu();
        let mut count = 0;
        for packet in &packets {
            server.handle_packet(packet).expect("a record of its own");
            loop {
                match server.poll_output(&mut buffer) {
                    Output::ApplicationData(data) => {
                        black_box(data);
                        count += 1;
                    }
                    Output::Timeout(_) => break,
                    _ => {}
                }
            }
        }
        open += cpu() - middle;
        seal += middle - start;
        assert_eq!(count, 100);
    }
    (seal / f64::from(RECORDS), open / f64::from(RECORDS))
}

fn dimpl_handshake(version: Version) -> f64 {
    let dimpl = Dimpl::new(version);
    let start = cpu();
    for _ in 0..HANDSHAKES {
        black_box(dimpl.connected());
    }
    (cpu() - start) / f64::from(HANDSHAKES)
}

fn dimpl_idle(version: Version) -> f64 {
    let dimpl = Dimpl::new(version);
    drop(dimpl.connected());
    let before = resident();
    let pairs: Vec<_> = (0..IDLE).map(|_| dimpl.connected()).collect();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let connections = (2 * pairs.len()) as f64;
    (resident() - before) / connections / 1024.0
}
