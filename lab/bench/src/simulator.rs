//! Data channels of several stacks in one simulated network, in virtual time: goodput, and small messages beside it.
//!
//! What congestion control and loss recovery are worth, apart from how fast a machine is: each stack gets the same path,
//! the same application and the same seeds. `docs/data-channels.md` says what the tables rest on.

mod dcsctp;
mod path;
mod rows;
#[cfg(feature = "rtc")]
mod rtc;
mod stack;
mod str0m;
mod table;
#[cfg(test)]
mod tests;
mod twocan;
mod twocan_sctp;
mod workload;
mod world;
mod written;

use std::io;

use clap::Args;
use stack::Stack;
use written::Written;

#[derive(Args)]
pub(crate) struct Options {
    /// Only stacks whose name contains this.
    #[arg(long, default_value = "")]
    stack: String,
    /// Only rows whose name contains this.
    #[arg(long, default_value = "")]
    row: String,
    /// Only tables whose title contains this.
    #[arg(long, default_value = "")]
    table: String,
    /// Runs at once.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Puts what is measured into the tables that are checked in.
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    let stacks: Vec<_> =
        Stack::built().filter(|stack| stack.name().contains(options.stack.as_str())).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/simulator/table.txt");
    let mut written = Written::parse(&std::fs::read_to_string(path)?);
    for mut group in rows::groups() {
        group.rows.retain(|row| row.name.contains(options.row.as_str()));
        if group.rows.is_empty() || !group.title.contains(options.table.as_str()) {
            continue;
        }
        let cells = table::measure(&group, &stacks, options.threads);
        println!("{}", table::text(&group, &stacks, &cells));
        written.put(&group, &stacks, &cells);
    }
    if options.write {
        std::fs::write(path, written.to_string())?;
    }
    Ok(())
}
