//! What two peer connections cost until they are connected, and while they idle, without sockets:
//! `cargo run --release -p twocan-peer --example connect`.
//!
//! CPU time is that of both ends together, memory that of one. What one end sends reaches the other at once; time is
//! virtual. `connect pairs N` connects N pairs and says nothing, for a profiler.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use twocan_peer::{
    ChannelOptions, Configuration, Event, IceCandidateInit, PeerConnection, SessionDescription,
};
use wire::Received;

const PAIRS: usize = 300;
const IDLE: usize = 1000;
/// Medians of so many runs.
const RUNS: usize = 7;
const STAGES: [&str; 5] = ["two certificates", "new", "offer and answer", "connect", "settle"];

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("idle") => idle(),
        Some("pairs") => pairs(arguments.next().and_then(|count| count.parse().ok()).unwrap_or(PAIRS)),
        _ => figures(),
    }
}

fn figures() {
    println!("CPU time until a channel is open at both ends, microseconds a pair (medians of {RUNS})");
    let mut all: Vec<[f64; STAGES.len()]> = (0..RUNS).map(|run| stages(run as u64)).collect();
    let mut total = 0.0;
    for (index, name) in STAGES.iter().enumerate() {
        all.sort_by(|a, b| a[index].total_cmp(&b[index]));
        let median = all[RUNS / 2][index];
        println!("  {name:<18} {median:>6.0}");
        // Certificates are made once per process, and a connection settles after it has connected.
        total += if index == 0 || index == STAGES.len() - 1 { 0.0 } else { median };
    }
    println!("  {:<18} {total:>6.0}", "until connected");
    let mut alone: Vec<f64> = (0..RUNS).map(|_| cryptography()).collect();
    alone.sort_by(f64::total_cmp);
    println!("  of that, {:<9} {:>6.0}", "keys", alone[RUNS / 2]);
    let mut idle: Vec<f64> = (0..RUNS).filter_map(|_| ask("idle")).collect();
    idle.sort_by(f64::total_cmp);
    println!("resident memory of an idle end, KiB: {:.1}", idle.get(RUNS / 2).copied().unwrap_or_default());
}

/// The answer of this program in a process of its own.
fn ask(what: &str) -> Option<f64> {
    let output = Command::new(std::env::current_exe().ok()?).arg(what).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn stages(run: u64) -> [f64; STAGES.len()] {
    let mut sums = [Duration::ZERO; STAGES.len()];
    for number in 0..PAIRS as u64 {
        let mut begun = cpu();
        let mut took = |stage: usize| {
            let now = cpu();
            sums[stage] += now - begun;
            begun = now;
        };
        let certificates = certificates(run << 32 | number);
        took(0);
        let mut pair = Pair::new(number, &certificates);
        took(1);
        pair.describe();
        took(2);
        pair.connect();
        took(3);
        pair.pass(Duration::from_secs(1));
        took(4);
    }
    sums.map(|sum| sum.as_secs_f64() * 1e6 / PAIRS as f64)
}

/// What no two ends can do without: a key pair and an agreement each, a signature each, and its verification.
fn cryptography() -> f64 {
    use aws_lc_rs::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{self, EcdsaKeyPair, KeyPair};

    let random = SystemRandom::new();
    let signer = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
    let verifier = signature::UnparsedPublicKey::new(
        &signature::ECDSA_P256_SHA256_ASN1,
        signer.public_key().as_ref().to_vec(),
    );
    let begun = cpu();
    for _ in 0..PAIRS {
        let [ada, bob] = [0, 1].map(|_| EphemeralPrivateKey::generate(&X25519, &random).expect("a key"));
        let [of_ada, of_bob] = [&ada, &bob].map(|key| key.compute_public_key().expect("a key"));
        for (own, other) in [(ada, of_bob), (bob, of_ada)] {
            agree_ephemeral(own, UnparsedPublicKey::new(&X25519, other), (), |_| Ok(())).expect("agreed");
            let signed = signer.sign(&random, b"hello").expect("signed");
            verifier.verify(b"hello", signed.as_ref()).expect("verified");
        }
    }
    (cpu() - begun).as_secs_f64() * 1e6 / PAIRS as f64
}

fn pairs(count: usize) {
    let certificates = certificates(1);
    for number in 0..count as u64 {
        let mut pair = Pair::new(number, &certificates);
        pair.describe();
        pair.connect();
    }
}

fn idle() {
    let certificates = certificates(1);
    let connected = |number: usize| {
        let mut pair = Pair::new(number as u64, &certificates);
        pair.describe();
        pair.connect();
        pair.pass(Duration::from_secs(10));
        pair
    };
    let _first = connected(0);
    let before = resident();
    let pairs: Vec<Pair> = (1..=IDLE).map(connected).collect();
    println!("{:.2}", (resident() - before) / 1024.0 / 2.0 / pairs.len() as f64);
}

struct Pair {
    now: Instant,
    ends: [End; 2],
    buffer: Vec<u8>,
}

struct End {
    peer: PeerConnection,
    address: SocketAddr,
    is_open: bool,
}

fn certificates(seed: u64) -> [Arc<dtls::Certificate>; 2] {
    [0, 1].map(|end| {
        let certificate = dtls::Certificate::generate(seed_of(seed, end), SystemTime::now());
        Arc::new(certificate.expect("a certificate"))
    })
}

fn seed_of(number: u64, end: u8) -> [u8; 32] {
    let mut seed = [end; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    seed
}

impl Pair {
    fn new(number: u64, certificates: &[Arc<dtls::Certificate>; 2]) -> Self {
        let now = Instant::now();
        let end = |name: u8| {
            let certificate = Arc::clone(&certificates[usize::from(name)]);
            let configuration = Configuration::new(certificate, seed_of(number, name));
            let address = SocketAddr::from(([127, 0, 0, 1], 5000 + u16::from(name)));
            End { peer: PeerConnection::new(now, configuration), address, is_open: false }
        };
        Self { now, ends: [end(0), end(1)], buffer: Vec::with_capacity(65_536) }
    }

    /// Offer, answer, and a candidate each, as signaling carries them.
    fn describe(&mut self) {
        let now = self.now;
        let [ada, bob] = &mut self.ends;
        ada.peer.create_data_channel(now, "chat", "", ChannelOptions::default()).expect("a channel");
        let offer = ada.peer.set_local_description_implicitly(now).expect("an offer");
        let of_ada = candidates(now, ada);
        bob.peer.set_remote_description(now, &SessionDescription::offer(offer.sdp)).expect("taken");
        let answer = bob.peer.set_local_description_implicitly(now).expect("an answer");
        for candidate in &of_ada {
            bob.peer.add_ice_candidate(now, candidate.as_ref()).expect("taken");
        }
        let of_bob = candidates(now, bob);
        ada.peer.set_remote_description(now, &SessionDescription::answer(answer.sdp)).expect("taken");
        for candidate in &of_bob {
            ada.peer.add_ice_candidate(now, candidate.as_ref()).expect("taken");
        }
    }

    fn connect(&mut self) {
        let deadline = self.now + Duration::from_secs(5);
        self.exchange();
        while !self.ends.iter().all(|end| end.is_open) {
            assert!(self.now < deadline, "not connected");
            self.wait(deadline);
            self.exchange();
        }
    }

    fn pass(&mut self, time: Duration) {
        let deadline = self.now + time;
        while self.now < deadline {
            self.wait(deadline);
            self.exchange();
        }
    }

    /// Everything that is to be said now.
    fn exchange(&mut self) {
        let Self { now, ends: [ada, bob], buffer } = self;
        while carry(*now, ada, bob, buffer) | carry(*now, bob, ada, buffer) {}
    }

    /// The next thing that is due.
    fn wait(&mut self, deadline: Instant) {
        let Self { now, ends: [ada, bob], .. } = self;
        let due = [&*ada, &*bob].into_iter().filter_map(|end| end.peer.poll_timeout()).map(|(at, _)| at);
        *now = due.min().map_or(deadline, |due| due.clamp(*now, deadline));
        for end in [ada, bob] {
            if end.peer.poll_timeout().is_some_and(|(at, _)| at <= *now) {
                end.peer.handle_timeout(*now);
            }
            hear(end, |_| {});
        }
    }
}

/// Gathers, and says what was found.
fn candidates(now: Instant, end: &mut End) -> Vec<Option<IceCandidateInit>> {
    end.peer.add_local_candidate(now, ice::LocalCandidate::host(end.address)).expect("a candidate");
    end.peer.end_of_local_candidates(now);
    let mut found = Vec::new();
    hear(end, |candidate| found.push(candidate));
    found
}

/// Carries everything from one end to the other; says whether there was anything.
fn carry(now: Instant, from: &mut End, to: &mut End, buffer: &mut Vec<u8>) -> bool {
    let mut any = false;
    buffer.clear();
    while let Some(sent) = from.peer.poll_transmit(now, buffer) {
        any = true;
        let size = sent.segment_size.unwrap_or(buffer.len().max(1));
        for bytes in buffer.chunks_mut(size) {
            let received = Received { source: sent.source, destination: sent.destination, bytes };
            // A fault is counted.
            let _ = to.peer.handle_datagram(now, received);
        }
        buffer.clear();
        hear(to, |_| {});
    }
    any
}

fn hear(end: &mut End, mut told: impl FnMut(Option<IceCandidateInit>)) {
    while let Some(event) = end.peer.poll_event() {
        match event {
            Event::ChannelOpen(_) | Event::DataChannel(_) => end.is_open = true,
            Event::IceCandidate(candidate) => told(candidate),
            _ => {}
        }
    }
}

/// CPU time of this process.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID);
    time.map_or(Duration::ZERO, Duration::from)
}

/// Resident memory of this process, in bytes.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or_default() * 4096.0
}
