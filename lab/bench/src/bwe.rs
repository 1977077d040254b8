//! Bandwidth estimation in a simulated network, in virtual time: ours and str0m's through the same plans.

mod encoder;
mod end;
mod figures;
mod ours;
mod plan;
mod reno;
mod str0m;
mod world;

use std::io;

use clap::Args;
use figures::Figures;
use plan::{Beside, Plan};

#[derive(Args)]
pub(crate) struct Options {
    /// Only plans whose name contains this.
    #[arg(long, default_value = "")]
    plan: String,
    /// Only stacks whose name contains this.
    #[arg(long, default_value = "")]
    stack: String,
    /// Prints what the first run does, twice a second.
    #[arg(long)]
    trace: bool,
    #[arg(long, default_value_t = 1)]
    seeds: u64,
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
    println!(
        "{:<28}{:<8}{:>7}{:>13}{:>8}{:>7}{:>9}",
        "", "", "used %", "queue ms", "age", "lost %", "converged"
    );
    for plan in plan::plans().iter().filter(|plan| plan.name.contains(options.plan.as_str())) {
        for stack in Stack::ALL.into_iter().filter(|stack| stack.name().contains(options.stack.as_str())) {
            for (index, figures) in measure(plan, stack, options.seeds, options.trace).iter().enumerate() {
                let name = if index == 0 { plan.name } else { "" };
                println!(
                    "{:<28}{:<8}{:>7.1}{:>7.0}/{:>5.0}{:>8.0}{:>7.1}{:>9.1}",
                    name,
                    stack.name(),
                    figures.used,
                    figures.queue_mean,
                    figures.queue_slow,
                    figures.age_slow,
                    figures.lost,
                    figures.converged
                );
            }
        }
    }
    Ok(())
}

/// What each flow of a plan does, on average over so many seeds.
fn measure(plan: &Plan, stack: Stack, seeds: u64, trace: bool) -> Vec<Figures> {
    let share = if plan.beside == Beside::Nobody { 1.0 } else { 0.5 };
    let mut all: Vec<Vec<Figures>> = Vec::new();
    for seed in 1..=seeds {
        for (flow, measured) in world::run(plan, stack, seed, trace && seed == 1).iter().enumerate() {
            if all.len() <= flow {
                all.push(Vec::new());
            }
            all[flow].push(Figures::of(plan, measured, share));
        }
    }
    all.iter().map(|figures| Figures::mean(figures)).collect()
}
