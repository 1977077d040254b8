//! Builds what is measured and runs the measurements.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn run(root: &Path, arguments: &[String]) -> io::Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let build = |packages: &[&str], target: &Path| {
        let mut cargo = Command::new(crate::cargo());
        cargo.args(["build", "--release", "--target-dir"]).arg(target).args(packages).current_dir(root);
        call(&mut cargo)
    };
    let release = target.join("release");
    let first = arguments.first().map(String::as_str);
    // Stacks that only these have a row for.
    let others: &[&str] = match first {
        Some("simulator" | "peer") => &["--features", "webrtc"],
        _ => &[],
    };
    build(&[&["--package", "twocan-bench"], others].concat(), &target)?;
    if matches!(first, Some("simulator" | "peer" | "echo" | "bwe" | "room" | "srtp")) {
        // They have no server.
        return call(Command::new(release.join("bench")).args(arguments));
    }
    // The server that counts is another one, and lives elsewhere, so that neither takes the other's place.
    let (server, features) = match first {
        Some("heap") => (target.join("count-heap"), ["--features", "count-heap"].as_slice()),
        _ => (target.clone(), [].as_slice()),
    };
    build(&[&["--package", "twocan-server"], features].concat(), &server)?;
    let mut bench = Command::new(release.join("bench"));
    bench.args(arguments);
    if arguments
        .first()
        .is_some_and(|first| matches!(first.as_str(), "heap" | "relay" | "sfu" | "sfu-others" | "signaling"))
        && !arguments.iter().any(|argument| argument == "--twocan" || argument == "--help")
    {
        bench.arg("--twocan").arg(server.join("release/twocan"));
    }
    call(&mut bench)
}

fn call(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?} ended with {status}"))) }
}
