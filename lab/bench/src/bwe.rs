//! Bandwidth estimation in a simulated network, in virtual time: ours and str0m's through the same plans.

mod cost;
mod encoder;
mod end;
mod figures;
mod ours;
mod plan;
mod reno;
mod str0m;
mod table;
#[cfg(test)]
mod tests;
mod world;

use std::io;

use clap::Args;
#[cfg(test)]
use plan::Beside;
use plan::plans;

#[derive(Args)]
pub(crate) struct Options {
    /// Only plans whose name contains this.
    #[arg(long, default_value = "")]
    plan: String,
    /// Only stacks whose name contains this.
    #[arg(long, default_value = "")]
    stack: String,
    /// Prints what a run of one plan and one stack does, twice a second, instead.
    #[arg(long)]
    trace: bool,
    /// Runs at once.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Measures what a packet costs instead.
    #[arg(long)]
    cost: bool,
    /// Writes the table that is checked in: of everything.
    #[arg(long)]
    write: bool,
}

/// Whose estimator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    Twocan,
    Str0m,
}

impl Stack {
    const ALL: [Self; 2] = [Self::Twocan, Self::Str0m];

    fn name(self) -> &'static str {
        match self {
            Self::Twocan => "twocan",
            Self::Str0m => "str0m",
        }
    }
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    if options.cost {
        return cost::run();
    }
    let plans: Vec<_> = plans()
        .into_iter()
        .filter(|plan| options.write || plan.name.contains(options.plan.as_str()))
        .collect();
    let stacks = Stack::ALL.into_iter();
    let stacks: Vec<_> =
        stacks.filter(|stack| options.write || stack.name().contains(options.stack.as_str())).collect();
    if options.trace {
        if let (Some(plan), Some(stack)) = (plans.first(), stacks.first()) {
            world::run(plan, *stack, 1, true);
        }
        return Ok(());
    }
    let text = table::text(&table::measure(&plans, &stacks, options.threads));
    print!("{text}");
    if options.write {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bwe/table.txt"), text)?;
    }
    Ok(())
}
