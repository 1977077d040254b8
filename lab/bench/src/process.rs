//! A server process on a core of its own, and what it costs.

use std::fs;
use std::io;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The core that servers run on.
pub(crate) const SERVER_CORE: usize = 0;

/// The core that load comes from.
pub(crate) const LOAD_CORE: usize = 1;

/// A child process, ended when dropped.
pub(crate) struct Process(Child);

/// Puts the calling thread, and what it starts, on one core.
pub(crate) fn pin(core: usize) -> io::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &cores)?)
}

impl Process {
    /// Starts a program on the servers' core.
    pub(crate) fn start(program: &str, arguments: &[String]) -> io::Result<Self> {
        Self::command(program, arguments).spawn().map(Self)
    }

    /// The same, and what it prints.
    pub(crate) fn start_read(program: &str, arguments: &[String]) -> io::Result<(Self, ChildStdout)> {
        let mut command = Self::command(program, arguments);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or_else(|| io::Error::other("its output is not ours to read"))?;
        Ok((Self(child), output))
    }

    fn command(program: &str, arguments: &[String]) -> Command {
        let mut command = Command::new("taskset");
        command.arg("--cpu-list").arg(SERVER_CORE.to_string()).arg(program).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            // A thread may have ended in between.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            nanoseconds += text.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// CPU time so far of each of its threads whose name begins so.
    pub(crate) fn cpu_of(&self, name: &str) -> io::Result<Vec<Duration>> {
        let mut times = Vec::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let path = task?.path();
            if fs::read_to_string(path.join("comm"))?.starts_with(name) {
                let text = fs::read_to_string(path.join("schedstat"))?;
                let time = text.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0);
                times.push(Duration::from_nanos(time));
            }
        }
        Ok(times)
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
        let kib = line.trim().trim_end_matches(" kB").parse::<u64>().map_err(io::Error::other)?;
        Ok(kib * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        if let Ok(pid) = i32::try_from(self.0.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let _ = self.0.wait();
    }
}
