//! What the compiler cannot check: the rules of ARCHITECTURE.md and CONTRIBUTING.md.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

mod arrows;
mod sources;

/// Runs every check and lists everything that is wrong.
pub(crate) fn run(root: &Path) -> io::Result<()> {
    let mut wrong = arrows::check(root)?;
    let files = tracked(root)?;
    for file in &files {
        let Ok(text) = fs::read_to_string(root.join(file)) else { continue };
        wrong.extend(sources::check(file, &text));
    }
    for line in &wrong {
        eprintln!("{line}");
    }
    match wrong.len() {
        0 => {
            println!("tidy: {} files, nothing to mend", files.len());
            Ok(())
        }
        count => Err(io::Error::other(format!("{count} things to mend"))),
    }
}

/// The files that are part of the project, by path from its root.
fn tracked(root: &Path) -> io::Result<Vec<PathBuf>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(root).output()?;
    if !output.status.success() {
        return Err(io::Error::other("`git ls-files` failed: tidy wants a checkout"));
    }
    let listed = String::from_utf8_lossy(&output.stdout);
    Ok(listed.lines().map(PathBuf::from).filter(|file| root.join(file).is_file()).collect())
}
