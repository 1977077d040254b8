//! The table that is checked in is what the code does, and ours leads in it; and what no table would show.

use std::time::Duration;

use super::plan::{Plan, far, plans, wide_again};
use super::world::{self, Seen};
use super::{Stack, table};

const WRITTEN: &str = include_str!("table.txt");

/// The figures of a plan's first flow: used, mean queue, slow queue, age, lost, converged.
fn figures(plan: &str, stack: Stack) -> Vec<f64> {
    let head = format!("{plan:<32}{:<8}", stack.name());
    let line = WRITTEN.lines().find_map(|line| line.strip_prefix(&head));
    let line = line.unwrap_or_else(|| panic!("no row of {plan}: cargo xtask bench bwe --write"));
    line.split_whitespace().map(|figure| figure.parse().unwrap()).collect()
}

/// A change of the algorithm shows as a change of the table: `cargo xtask bench bwe --write` writes it anew.
#[test]
fn ours_does_what_is_written() {
    let measured = table::measure(&plans(), &[Stack::Twocan], 2);
    let measured: Vec<_> = measured.iter().flat_map(|(_, lines)| lines.iter().map(String::as_str)).collect();
    let mut written = Vec::new();
    let mut is_ours = false;
    for line in WRITTEN.strip_prefix(table::HEAD).expect("another head: write it anew").lines() {
        is_ours = line.get(32..).is_some_and(|rest| rest.starts_with(Stack::Twocan.name()));
        written.extend(is_ours.then_some(line));
    }
    assert!(!is_ours, "the last row is str0m's");
    assert_eq!(written, measured, "cargo xtask bench bwe --write");
}

/// No less is used, but where the other pays with a queue that is more than twice as long; and never is more lost.
#[test]
fn ours_leads() {
    for plan in plans() {
        let (ours, theirs) = (figures(plan.name, Stack::Twocan), figures(plan.name, Stack::Str0m));
        // Beside others, more than a fair share is no merit.
        let is_alone = plan.beside == super::Beside::Nobody;
        let as_much = ours[0] >= theirs[0] - 0.5;
        let shorter = ours[1] * 2.0 <= theirs[1] && ours[0] >= theirs[0] - 5.0;
        assert!(as_much || shorter || !is_alone, "{}: {ours:?} {theirs:?}", plan.name);
        assert!(ours[4] <= theirs[4], "{}: {ours:?} {theirs:?}", plan.name);
        assert!(ours[5] <= theirs[5] + 0.1, "{}: {ours:?} {theirs:?}", plan.name);
    }
}

/// Flows that share a path get about the same: the first was alone for a sixth of the time.
#[test]
fn others_are_not_starved() {
    for name in ["beside TCP, queue 200 ms", "two of the same"] {
        let first = figures(name, Stack::Twocan)[0];
        assert!((40.0..=66.0).contains(&first), "{name}: {first}");
    }
}

/// Kbit/s of media that arrive from one millisecond to another.
fn arrives(seen: &[Seen], from: u64, to: u64) -> f64 {
    let time = Duration::from_millis(from)..Duration::from_millis(to);
    let media = seen.iter().filter(|seen| seen.is_media && time.contains(&seen.at));
    media.map(|seen| seen.bytes as f64 * 8.0).sum::<f64>() / (to - from) as f64
}

fn seen(plan: &Plan, seed: u64) -> Vec<Seen> {
    world::run(plan, Stack::Twocan, seed, false).remove(0).seen
}

/// A way that carries far more than what is sent, becomes longer, jitters and loses, and is silent for two seconds: nothing of that
/// says that less must be sent. Two and a half seconds after each it is known, but for one of fifty calls.
#[test]
fn a_far_and_bad_way_is_not_taken_for_a_full_one() {
    let ways = [(40, 10, 5), (70, 60, 5), (100, 0, 0), (100, 30, 5), (100, 30, 10), (200, 30, 5)];
    let known = [(8_500, 16_000), (20_000, 30_000)];
    let (mut runs, mut low) = (0, Vec::new());
    for (delay, jitter, lost) in ways {
        for (sent, seed) in
            [150, 300, 600].into_iter().flat_map(|sent| (1..=10).map(move |seed| (sent, seed)))
        {
            let seen = seen(&far(delay, jitter, lost, sent * 1_000), seed);
            let is_low = |(from, to): (u64, u64)| {
                let mut seconds = (from..to - 500).step_by(1_000);
                arrives(&seen, from, to) < sent as f64 * 0.6
                    || seconds.any(|from| arrives(&seen, from, from + 1_000) < sent as f64 * 0.35)
            };
            runs += 1;
            if known.into_iter().any(is_low) {
                low.push((delay, jitter, lost, sent, seed));
            }
        }
    }
    assert!(low.len() * 50 <= runs, "{} of {runs}: {low:?}", low.len());
}

/// A way that was so narrow for a while that no picture went over it: once it is wide again, pictures go over it soon.
#[test]
fn a_way_that_is_wide_again_is_used_again() {
    for seed in 1..=10 {
        let seen = seen(&wide_again(), seed);
        let within = |second: u64| arrives(&seen, second * 1_000, second * 1_000 + 1_000);
        assert!(within(19) < 65.0, "seed {seed}");
        let back = (20..60).find(|second| within(*second) > 150.0);
        assert!(back.is_some_and(|second| second < 28), "seed {seed}: {back:?}");
    }
}
