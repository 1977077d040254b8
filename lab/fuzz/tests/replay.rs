//! Replays what there is for every target: its seeds and regressions, the corpora of other people's
//! fuzzers where they are at hand, what the last `cargo xtask fuzz` found here, and noise.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use twocan_fuzz::{TARGETS, Target};

/// Noise for each target.
const ROUNDS: u64 = 500;

/// Noise for those whose every round is two machines and their handshakes.
const DEAR_ROUNDS: u64 = 100;

fn rounds(target: Target) -> u64 {
    match target.name {
        "ice_agent" | "sctp_association" | "dtls_connection" | "peer_connection" | "bwe_estimator"
        | "bwe_pacer" | "sfu_room" => DEAR_ROUNDS,
        _ => ROUNDS,
    }
}

fn own(folder: &str, target: Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target.name)
}

/// Corpora of others that are in a target's form.
fn foreign(target: Target) -> Option<PathBuf> {
    let vectors =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/libwebrtc-fuzz-corpora");
    let corpus = match target.name {
        "stun_message" => "stun-corpus",
        "sdp_description" => "sdp-corpus",
        "sctp_packet" => "sctp-packet-corpus",
        "rtp_packet" => "rtp-corpus",
        "rtcp_packet" => "rtcp-corpus",
        "dependency_descriptor" => "dependency_descriptor-corpus",
        _ => return None,
    };
    Some(vectors.join(corpus))
}

/// Runs every file of a folder; how many there were.
fn replay(target: Target, folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files
        .inspect(|path| {
            // Printed only when the test fails: the last one is the culprit.
            println!("{}", path.display());
            (target.body)(&fs::read(path).unwrap());
        })
        .count()
}

#[test]
fn seeds_regressions_and_corpora_pass() {
    for target in TARGETS {
        let folders = [own("seeds", *target), own("regressions", *target), own("corpus", *target)];
        let counts: Vec<usize> = folders.iter().map(|folder| replay(*target, folder)).collect();
        println!("{}: seeds, regressions, corpus: {counts:?}", target.name);
        assert!(counts[0] > 0, "{} has no seeds", target.name);
        if let Some(folder) = foreign(*target)
            && replay(*target, &folder) == 0
        {
            println!("skipped: no corpus at {}", folder.display());
        }
    }
}

/// `cargo xtask fuzz` knows a target by its file in the harness, and the harness by its name there.
#[test]
fn every_target_is_in_the_harness() {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness");
    let stems = fs::read_dir(harness.join("targets")).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<_> =
        stems.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(files, TARGETS.iter().map(|target| target.name.to_owned()).collect());
    let manifest = fs::read_to_string(harness.join("Cargo.toml")).unwrap();
    for name in &files {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "no [[bin]] for {name}");
        let file = fs::read_to_string(harness.join(format!("targets/{name}.rs"))).unwrap();
        assert!(file.contains(&format!("run(\"{name}\", bytes)")), "{name}.rs runs another target");
    }
}

#[test]
fn noise_passes() {
    for target in TARGETS {
        for round in 0..rounds(*target) {
            let bytes = noise(round);
            println!("{} round {round}", target.name);
            (target.body)(&bytes);
        }
    }
}

/// The same bytes for the same round: xorshift64*, with more small values than chance would give, since
/// those are counts and tags.
fn noise(round: u64) -> Vec<u8> {
    let mut state = round.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
    };
    let length = next() % 4096;
    (0..length)
        .map(|_| {
            let value = next();
            if value & 0x300 == 0 { (value & 7) as u8 } else { (value >> 16) as u8 }
        })
        .collect()
}
