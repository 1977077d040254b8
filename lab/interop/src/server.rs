//! The real `twocan` binary, in the lab's internet.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;
use std::{env, thread, time};

use natlab::{INTERNET, Running, SERVER};
use tempfile::TempDir;

use crate::DEADLINE;
use crate::certificate::Authority;

#[derive(Debug)]
pub(crate) struct Server {
    child: Option<Child>,
    folder: TempDir,
    options: &'static [&'static str],
}

impl Server {
    /// Starts it and waits until it listens.
    pub(crate) fn start(
        lab: &Running,
        authority: &Authority,
        options: &'static [&'static str],
    ) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("twocan-interop-server-")
            .tempdir()
            .map_err(|why| format!("no folder for the server: {why}"))?;
        let mut server = Self { child: None, folder, options };
        server.restart(lab, authority)?;
        Ok(server)
    }

    /// Starts it again, with the data that it had.
    pub(crate) fn restart(&mut self, lab: &Running, authority: &Authority) -> Result<(), String> {
        let log = File::options().create(true).append(true).open(self.log_file());
        let log = log.map_err(|why| format!("no server log: {why}"))?;
        let errors = log.try_clone().map_err(|why| format!("no server log: {why}"))?;
        let child = lab
            .command(INTERNET, binary()?)
            .arg("serve")
            .args(["--http", "127.0.0.1:8080", "--public-ip", &SERVER.to_string()])
            // Where only port 443 is open, TURN must share it with the pages.
            .args(["--https", &format!("{SERVER}:443"), "--turns", &format!("{SERVER}:443")])
            .args(["--stun-turn", &format!("{SERVER}:3478"), "--stun-alternate", &format!("{SERVER}:3479")])
            // For ends that are no page of its.
            .args(["--turn-user", "lab:lab"])
            .arg("--tls-cert")
            .arg(authority.certificate())
            .arg("--tls-key")
            .arg(authority.key())
            .arg("--data-dir")
            .arg(self.folder.path().join("data"))
            .args(self.options)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|why| format!("the server did not start: {why}"))?;
        self.child = Some(child);
        self.wait_until_it_listens(lab)
    }

    /// Kills it as the kernel would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn wait_until_it_listens(&mut self, lab: &Running) -> Result<(), String> {
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            if let Some(Ok(Some(status))) = self.child.as_mut().map(Child::try_wait) {
                return Err(format!("the server ended ({status}): {}", self.log()));
            }
            let sockets = lab.command(INTERNET, "ss").args(["-H", "-l", "-t", "-n"]).output();
            let sockets = sockets.map_err(|why| format!("`ss` did not run: {why}"))?;
            if String::from_utf8_lossy(&sockets.stdout).contains(":443 ") {
                return Ok(());
            }
            thread::sleep(time::Duration::from_millis(20));
        }
        Err(format!("the server does not listen: {}", self.log()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program `twocan`: `TWOCAN_BIN`, or the release build, which is made first if need be.
///
/// # Errors
/// If it cannot be built, with what to do.
pub fn binary() -> Result<&'static Path, String> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BINARY.get_or_init(build).as_deref().map_err(Clone::clone)
}

fn build() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("TWOCAN_BIN") {
        return Ok(named.into());
    }
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "twocan-server"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .map_err(|why| format!("cargo did not start: {why}; or name a twocan binary in TWOCAN_BIN"))?;
    if !status.success() {
        return Err("the server does not build; or name a twocan binary in TWOCAN_BIN".to_owned());
    }
    // This test is TARGET/debug/deps/interop-HASH.
    let own = env::current_exe().map_err(|why| format!("where am I? {why}"))?;
    let target =
        own.ancestors().nth(3).ok_or("the test is not in a target folder: name the binary in TWOCAN_BIN")?;
    Ok(target.join("release/twocan"))
}
