//! aiortc, in Python: a virtual environment beside what cargo builds, of wheels alone.

use std::path::Path;
use std::process::Command;

use crate::End;
use crate::child::{alone, prepare, start, workshop};

/// What is installed. Everything it needs comes as wheels.
const VERSION: &str = "aiortc==1.16.0";

/// An end; or why there is none here.
///
/// # Errors
/// If Python or what it needs is not to be had: the words say what.
pub fn end() -> Result<End, String> {
    let _alone = alone();
    let folder = workshop().join("aiortc-1.16.0");
    let python = folder.join("bin/python");
    // Made whole or not at all.
    let mark = folder.join("complete");
    if !mark.exists() {
        prepare(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:", VERSION]);
        prepare(&mut install)?;
        std::fs::write(&mark, "").map_err(|why| why.to_string())?;
    }
    let mut command = Command::new(&python);
    command.arg("-u").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("aiortc/end.py"));
    Ok(start("aiortc", command))
}
