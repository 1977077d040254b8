//! Runs the fuzz targets of `lab/fuzz` under libFuzzer, each for a while.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Only these targets; all of them if none is named
    targets: Vec<String>,
}

/// Longer inputs find the same, later.
const MAX_LEN: u32 = 4096;

/// Corpora of other people's fuzzers, beside the repository if they are at hand, and the target they fit.
const FOREIGN: [(&str, &str); 6] = [
    ("stun_message", "shared/vectors/libwebrtc-fuzz-corpora/stun-corpus"),
    ("sctp_packet", "shared/vectors/libwebrtc-fuzz-corpora/sctp-packet-corpus"),
    ("sdp_description", "shared/vectors/libwebrtc-fuzz-corpora/sdp-corpus"),
    ("rtp_packet", "shared/vectors/libwebrtc-fuzz-corpora/rtp-corpus"),
    ("rtcp_packet", "shared/vectors/libwebrtc-fuzz-corpora/rtcp-corpus"),
    ("dependency_descriptor", "shared/vectors/libwebrtc-fuzz-corpora/dependency_descriptor-corpus"),
];

pub(crate) fn run(root: &Path, options: &Options) -> io::Result<()> {
    let fuzz = root.join("lab/fuzz");
    let known = targets(&fuzz)?;
    let chosen = match options.targets.iter().find(|name| !known.contains(name)) {
        Some(name) => {
            let words = format!("there is no target {name}; there are {}", known.join(", "));
            return Err(io::Error::other(words));
        }
        None if options.targets.is_empty() => &known,
        None => &options.targets,
    };
    install()?;
    cargo_fuzz(root, "build", &fuzz).status().and_then(|status| match status.success() {
        true => Ok(()),
        false => Err(io::Error::other("the targets do not build: see above")),
    })?;
    let mut findings = Vec::new();
    for target in chosen {
        let corpus = fuzz.join("corpus").join(target);
        let artifacts = fuzz.join("artifacts").join(target);
        fs::create_dir_all(&artifacts)?;
        seed(root, &fuzz, target, &corpus)?;
        println!("fuzz: {target} for {} s", options.seconds);
        if !fuzz_one(root, &fuzz, target, options.seconds)? {
            findings.push(format!("{target} (see {})", artifacts.display()));
        }
    }
    if findings.is_empty() {
        println!("fuzz: {} targets, nothing found", chosen.len());
        return Ok(());
    }
    Err(io::Error::other(format!(
        "found something in {}: once it is mended, keep the input in lab/fuzz/regressions/TARGET",
        findings.join(", ")
    )))
}

/// The names of the targets, in order: each has a file in the harness.
fn targets(fuzz: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(fuzz.join("harness/targets"))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// Installs cargo-fuzz if it is missing.
fn install() -> io::Result<()> {
    let mut version = Command::new(crate::cargo());
    version.args(["fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if version.status()?.success() {
        return Ok(());
    }
    println!("fuzz: installing cargo-fuzz, which builds targets for libFuzzer");
    let install = Command::new(crate::cargo()).args(["install", "--locked", "cargo-fuzz"]).status()?;
    if install.success() { Ok(()) } else { Err(io::Error::other("cargo install cargo-fuzz failed")) }
}

/// Copies what there is to start from into the corpus, which is never committed.
fn seed(root: &Path, fuzz: &Path, target: &str, corpus: &Path) -> io::Result<()> {
    fs::create_dir_all(corpus)?;
    let mut folders: Vec<PathBuf> =
        ["seeds", "regressions"].iter().map(|folder| fuzz.join(folder).join(target)).collect();
    for (_, path) in FOREIGN.iter().filter(|(name, _)| *name == target) {
        let folder = root.join("..").join(path);
        if !folder.is_dir() {
            println!("fuzz: no corpus at {}, starting without it", folder.display());
        }
        folders.push(folder);
    }
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if let (true, Some(name)) = (path.is_file(), path.file_name()) {
                fs::copy(&path, corpus.join(name))?;
            }
        }
    }
    Ok(())
}

/// Whether the target bore everything.
fn fuzz_one(root: &Path, fuzz: &Path, target: &str, seconds: u32) -> io::Result<bool> {
    let artifacts = fuzz.join("artifacts").join(target);
    let status = cargo_fuzz(root, "run", fuzz)
        .arg(target)
        .arg(fuzz.join("corpus").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={MAX_LEN}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        // Commands want room from the start.
        .arg("-len_control=0")
        .arg("-print_final_stats=1")
        .status()?;
    Ok(status.success())
}

fn cargo_fuzz(root: &Path, verb: &str, fuzz: &Path) -> Command {
    let mut command = Command::new(crate::cargo());
    command.args(["fuzz", verb, "--fuzz-dir"]).arg(fuzz.join("harness")).current_dir(root);
    // The sanitizers' flags are unstable ones; the compiler is the same.
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}
