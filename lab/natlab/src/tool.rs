//! Running the system's own tools: `ip`, `nft`, `tc`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::Error;

/// Runs `line`, split at blanks, to its end.
pub(crate) fn run(line: &str) -> Result<String, Error> {
    feed(line, "")
}

/// Runs `line`, split at blanks, with `input` on its standard input.
pub(crate) fn feed(line: &str, input: &str) -> Result<String, Error> {
    let failed = |said: String| Error::Tool { command: line.to_owned(), said };
    let mut words = line.split_whitespace();
    let mut child = Command::new(words.next().unwrap_or_default())
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A tool that exits early says why on its standard error; a broken pipe here would hide that.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("{}\n{input}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
