//! Pion, in Go.

use std::path::Path;
use std::process::Command;

use crate::End;
use crate::child::{alone, prepare, start, workshop};

/// An end; or why there is none here.
///
/// # Errors
/// If Go or what it needs is not to be had: the words say what.
pub fn end() -> Result<End, String> {
    let _alone = alone();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("pion");
    let program = workshop().join("pion-end");
    // Go knows itself what is up to date. No other toolchain than the one that is here.
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&program).arg(".").current_dir(&source).env("GOTOOLCHAIN", "local");
    prepare(&mut build)?;
    Ok(start("Pion", Command::new(program)))
}
