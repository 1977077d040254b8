//! Arrows between crates point only downwards (ARCHITECTURE.md), and every crate keeps the workspace's
//! lints.

use std::fs;
use std::io;
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What each of the lower rooms may depend on, of ours. A crate that is not listed here may depend on
/// everything below it; a crate under `protocol/` or `room/` must be listed.
const ALLOWED: &[(&str, &[&str])] = &[
    ("twocan-wire", &[]),
    ("twocan-stun", &["twocan-wire"]),
    ("twocan-turn", &["twocan-wire", "twocan-stun"]),
    ("twocan-sdp", &[]),
    ("twocan-ice", &["twocan-wire", "twocan-stun"]),
    ("twocan-sctp", &["twocan-wire"]),
    ("twocan-dtls", &["twocan-wire"]),
    ("twocan-rtp", &["twocan-wire"]),
    ("twocan-srtp", &["twocan-wire", "twocan-rtp"]),
    ("twocan-sframe", &["twocan-wire"]),
    ("twocan-bwe", &["twocan-wire"]),
    ("twocan-sfu", &["twocan-wire", "twocan-rtp", "twocan-peer"]),
    ("twocan-media", &["twocan-rtp"]),
];

/// Libraries that a protocol crate, or the rooms' forwarder, must not know: it has no clock, no socket, no runtime.
const NO_IO: &[&str] = &["tokio", "mio", "quinn-udp", "socket2", "rustix", "nix", "rand", "getrandom"];

/// Names that say nothing of what a crate is for.
const NAMELESS: &[&str] = &["common", "util", "utils", "shared", "error", "errors", "core", "misc"];

pub(super) fn check(root: &Path) -> io::Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .current_dir(root)
        .no_deps()
        .exec()
        .map_err(|error| io::Error::other(format!("`cargo metadata`: {error}")))?;
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        wrong.extend(check_package(package)?);
    }
    Ok(wrong)
}

fn check_package(package: &Package) -> io::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let name = package.name.as_str();
    if NAMELESS.contains(&name.trim_start_matches("twocan-")) {
        wrong.push(format!("{name}: a crate is named after what it is for"));
    }
    let manifest = fs::read_to_string(&package.manifest_path)?;
    if !manifest.contains("[lints]\nworkspace = true") {
        wrong.push(format!("{name}: its Cargo.toml must say `[lints] workspace = true`"));
    }
    let pure = ["/protocol/", "/room/"];
    let is_pure = pure.iter().any(|folder| package.manifest_path.as_str().contains(folder));
    let allowed = ALLOWED.iter().find(|(listed, _)| *listed == name).map(|(_, allowed)| *allowed);
    if is_pure && allowed.is_none() {
        wrong.push(format!("{name}: say in xtask/src/tidy/arrows.rs what it may depend on"));
    }
    // Tests may use what they like.
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    for dependency in normal {
        let on = dependency.name.as_str();
        let ours = dependency.path.is_some();
        if ours && allowed.is_some_and(|allowed| !allowed.contains(&on)) {
            wrong.push(format!("{name} -> {on}: this arrow does not point downwards"));
        }
        if is_pure && NO_IO.contains(&on) {
            wrong.push(format!("{name} -> {on}: a state machine does no I/O and makes no randomness"));
        }
        let may_be_asynchronous = ["/twocan/", "/server/", "/lab/"];
        let path = package.manifest_path.as_str();
        if on == "tokio" && !may_be_asynchronous.iter().any(|folder| path.contains(folder)) {
            wrong.push(format!("{name} -> tokio: only the drivers know a runtime"));
        }
        if ours && (on == "twocan-server" || on == "xtask") && name != "xtask" {
            wrong.push(format!("{name} -> {on}: nothing depends on the binaries"));
        }
    }
    Ok(wrong)
}
