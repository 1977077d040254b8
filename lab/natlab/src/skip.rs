//! Whether this machine can have a lab, and saying so when it cannot.

use std::io::Write as _;
use std::path::Path;
use std::{env, fmt, io};

/// What this machine lacks for a lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Network namespaces are Linux's.
    Linux,
    /// Making namespaces needs root.
    Root,
    /// A program, and the Debian package that has it.
    Program(&'static str, &'static str),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linux => f.write_str("network namespaces exist only on Linux"),
            Self::Root => f.write_str("network namespaces need root: run it as root or through sudo"),
            Self::Program(name, package) => {
                write!(f, "the program `{name}` is missing: apt-get install {package}")
            }
        }
    }
}

/// Whether a lab can be built here.
///
/// # Errors
/// The first thing that is missing.
pub fn possible() -> Result<(), Missing> {
    if !cfg!(target_os = "linux") {
        return Err(Missing::Linux);
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(Missing::Root);
    }
    for (name, package) in [("ip", "iproute2"), ("tc", "iproute2"), ("nft", "nftables")] {
        if !installed(name) {
            return Err(Missing::Program(name, package));
        }
    }
    Ok(())
}

fn installed(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).exists()))
        || Path::new("/usr/sbin").join(program).exists()
}

/// Prints that `what` was skipped and why, past the test harness's capture, which would swallow it.
/// Returns whether anything is missing, so that a test can begin with
/// `if skipped("NAT flavours") { return; }`.
#[must_use]
pub fn skipped(what: &str) -> bool {
    match possible() {
        Ok(()) => false,
        Err(missing) => {
            let line = format!("skipped: {what}: {missing}\n");
            // Nobody to tell if even standard error is closed.
            let _ = io::stderr().write_all(line.as_bytes());
            true
        }
    }
}
