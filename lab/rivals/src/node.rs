//! Stacks for Node: `node-datachannel` (libdatachannel, with usrsctp and OpenSSL, as a prebuilt library) and `werift`
//! (TypeScript from the DTLS up).

use std::path::Path;
use std::process::Command;

use crate::End;
use crate::child::{alone, prepare, start, workshop};

/// An end of libdatachannel; or why there is none here.
///
/// # Errors
/// If Node or what it needs is not to be had: the words say what.
pub fn libdatachannel() -> Result<End, String> {
    end("libdatachannel", "libdatachannel.mjs")
}

/// An end of werift; or why there is none here.
///
/// # Errors
/// As [`libdatachannel`].
pub fn werift() -> Result<End, String> {
    end("werift", "werift.mjs")
}

fn end(name: &'static str, script: &str) -> Result<End, String> {
    let _alone = alone();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    let folder = workshop().join("node");
    let (lock, installed) = (source.join("package-lock.json"), folder.join("complete"));
    let wanted = std::fs::read(&lock).map_err(|why| why.to_string())?;
    if std::fs::read(&installed).ok().as_ref() != Some(&wanted) {
        std::fs::create_dir_all(&folder).map_err(|why| why.to_string())?;
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(source.join(file), folder.join(file)).map_err(|why| why.to_string())?;
        }
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder);
        prepare(&mut install)?;
        std::fs::write(&installed, wanted).map_err(|why| why.to_string())?;
    }
    for file in ["end.mjs", script] {
        std::fs::copy(source.join(file), folder.join(file)).map_err(|why| why.to_string())?;
    }
    let mut command = Command::new("node");
    command.arg(folder.join(script));
    Ok(start(name, command))
}
