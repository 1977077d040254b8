//! Removing labs: one's own, and those that a killed run left behind.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Error;
use crate::tool::run;

/// Every namespace of ours is called `natlab-PID-COUNT-PLACE`, or `natlab-keep-LABEL-PLACE` if it is to outlive
/// the process that made it.
pub(crate) const PREFIX: &str = "natlab-";

/// What the namespaces of the detached lab `label` begin with.
pub(crate) fn label_prefix(label: &str) -> String {
    format!("{PREFIX}keep-{label}-")
}

/// The namespaces whose names begin with `prefix`.
pub(crate) fn namespaces(prefix: &str) -> Result<Vec<String>, Error> {
    let names = run("ip netns list")?;
    let names = names.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect())
}

/// Removes the labs whose process is gone.
pub(crate) fn dead_runs() -> Result<(), Error> {
    for name in namespaces(PREFIX)? {
        let owner = name.trim_start_matches(PREFIX).split('-').next().unwrap_or_default();
        if owner.parse::<u32>().is_ok() && !Path::new("/proc").join(owner).exists() {
            remove(&name)?;
        }
    }
    Ok(())
}

/// Ends the processes in the namespaces that begin with `prefix`, and removes them.
pub(crate) fn remove(prefix: &str) -> Result<(), Error> {
    let mut result = Ok(());
    for name in namespaces(prefix)? {
        result = result.and(remove_one(&name));
    }
    result
}

fn remove_one(name: &str) -> Result<(), Error> {
    // Two runs may collect the same dead lab at once: what is gone already is fine.
    let processes = run(&format!("ip netns pids {name}")).unwrap_or_default();
    for process in processes.lines().filter_map(|line| line.trim().parse().ok()) {
        let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
    }
    let removed = run(&format!("ip netns del {name}"));
    let _ = fs::remove_dir_all(Path::new("/etc/netns").join(name));
    match removed {
        Err(_) if !namespaces(name)?.iter().any(|left| left == name) => Ok(()),
        other => other.map(drop),
    }
}
