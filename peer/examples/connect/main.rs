//! What two peer connections cost until they are connected, and while they idle, without sockets:
//! `cargo run --release -p twocan-peer --example connect`.
//!
//! CPU time is that of both ends together, memory that of one. What one end sends reaches the other at once; time is
//! virtual. `connect pairs N` connects N pairs and says nothing, for a profiler.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::process::Command;
use std::time::Duration;

mod pair;

use pair::{Pair, certificates};

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
        let mut pair = Pair::new(number, &certificates, |_| {});
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
        let mut pair = Pair::new(number, &certificates, |_| {});
        pair.describe();
        pair.connect();
    }
}

fn idle() {
    let certificates = certificates(1);
    let connected = |number: usize| {
        let mut pair = Pair::new(number as u64, &certificates, |_| {});
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
