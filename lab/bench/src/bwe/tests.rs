//! The table that is checked in is what the code does, and ours leads in it.

use super::plan::plans;
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
