//! Runs what is measured, and puts it into the table.

use std::fmt::Write as _;
use std::sync::Mutex;

use super::figures::Figures;
use super::plan::{Beside, Plan};
use super::{Stack, world};

/// Runs that a figure is the mean of.
pub(crate) const SEEDS: u64 = 3;

/// What the table's columns mean.
pub(crate) const HEAD: &str = "\
Bandwidth estimation in a simulated network: 60 s of video that follows the estimate, 25 ms each way unless said, means of 3 runs.
used: percent of what the path can carry, as media. queue: ms in the network beyond that, mean and 95th percentile.
age: ms from a frame's making to its packets' arrival, 95th percentile. lost: percent of packets. converged: s until
four fifths of the path are used for the first time, from the beginning or since the path is as it is at the end.

                                          used       queue     age    lost converged
";

/// A line of the table: a plan, a stack, one of its flows.
pub(crate) fn line(plan: &Plan, stack: Stack, flow: usize, figures: &Figures) -> String {
    let name = if flow == 0 { plan.name } else { "  the one beside it" };
    let Figures { used, queue_mean, queue_slow, age_slow, lost, converged } = figures;
    let head = format!("{name:<32}{:<8}", stack.name());
    format!("{head}{used:>6.1}{queue_mean:>7.0}{queue_slow:>5.0}{age_slow:>8.0}{lost:>8.1}{converged:>10.1}")
}

/// Lines of each plan and stack, in their order, measured on as many threads.
pub(crate) fn measure(plans: &[Plan], stacks: &[Stack], threads: usize) -> Vec<(Stack, Vec<String>)> {
    let jobs: Vec<_> = plans.iter().flat_map(|plan| stacks.iter().map(move |stack| (plan, *stack))).collect();
    let done = Mutex::new(vec![Vec::new(); jobs.len()]);
    let next = Mutex::new(jobs.iter().enumerate());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((place, (plan, stack))) = next.lock().ok().and_then(|mut next| next.next()) {
                    let flows = flows(plan, *stack);
                    let lines =
                        flows.iter().enumerate().map(|(flow, figures)| line(plan, *stack, flow, figures));
                    if let Ok(mut done) = done.lock() {
                        done[place] = lines.collect();
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_default();
    jobs.iter().map(|(_, stack)| *stack).zip(done).collect()
}

/// The table as it is checked in.
pub(crate) fn text(rows: &[(Stack, Vec<String>)]) -> String {
    let mut text = HEAD.to_owned();
    for (_, lines) in rows {
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// What each flow of a plan does, on average.
fn flows(plan: &Plan, stack: Stack) -> Vec<Figures> {
    let share = if plan.beside == Beside::Nobody { 1.0 } else { 0.5 };
    let mut all: Vec<Vec<Figures>> = Vec::new();
    for seed in 1..=SEEDS {
        for (flow, measured) in world::run(plan, stack, seed, false).iter().enumerate() {
            if all.len() <= flow {
                all.push(Vec::new());
            }
            all[flow].push(Figures::of(plan, measured, share));
        }
    }
    all.iter().map(|figures| Figures::mean(figures)).collect()
}
