//! Builds what is measured and runs the measurements.

use std::io;
use std::path::Path;
use std::process::Command;

pub(crate) fn run(root: &Path, arguments: &[String]) -> io::Result<()> {
    let build = ["build", "--release", "--package", "twocan-server", "--package", "twocan-bench"];
    call(Command::new(crate::cargo()).args(build).current_dir(root))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let release = target.join("release");
    let mut bench = Command::new(release.join("bench"));
    bench.args(arguments);
    if arguments.first().is_some_and(|first| !first.starts_with('-'))
        && !arguments.iter().any(|argument| argument == "--twocan" || argument == "--help")
    {
        bench.arg("--twocan").arg(release.join("twocan"));
    }
    call(&mut bench)
}

fn call(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?} ended with {status}"))) }
}
