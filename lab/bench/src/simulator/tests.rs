//! What the tables say holds; and a small part of it anew, each time.

use std::time::Duration;

use netsim::Loss;

use super::path::Path;
use super::rows::{Figure, groups};
use super::stack::Stack;
use super::table::Cell;
use super::workload::{Measured, Run};
use super::written::Written;

/// As it is checked in.
const TABLE: &str = include_str!("table.txt");

/// A figure of each stack in a row of the checked-in tables, by its place in the cell; none where a stack could not be
/// run; nothing where the row was not written yet.
fn figures(row: &str, title: &'static str, place: usize) -> Option<[Option<f64>; Stack::ALL.len()]> {
    let figure = |cell: Option<&str>| cell?.split(['/', ' ']).nth(place)?.parse().ok();
    Some(Written::parse(TABLE).row(title, row)?.map(figure))
}

#[test]
fn a_run_takes_its_place_among_what_is_written() {
    let mut written = Written::parse(TABLE);
    assert_eq!(written.to_string(), TABLE);
    let docs = include_str!("../../../../docs/data-channels.md");
    assert!(docs.contains(TABLE.trim_end()), "docs/data-channels.md shows other tables than the program's");
    let mut group = groups().remove(0);
    group.rows.truncate(1);
    written.put(&group, &[Stack::Str0m], &[vec![Cell::Known(vec![12.3])]]);
    let (now, before) = (written.to_string(), TABLE.lines());
    let changed: Vec<&str> =
        now.lines().zip(before).filter(|(now, before)| now != before).map(|(now, _)| now).collect();
    let name = &group.rows[0].name;
    assert_eq!(
        changed,
        [format!("{name:<36}{:>20}{:>20}{:>20}{:>20}{:>20}", "92.4", "12.3", "40.8", "92.2", "5.7")]
    );
}

#[test]
fn the_tables_keep_to_the_targets_and_above_other_stacks() {
    let mut checked = 0;
    for group in groups() {
        for row in &group.rows {
            let Some(figures) = figures(&row.name, group.title, 0) else { continue };
            checked += 1;
            let is_latency = group.figure == Figure::Latency;
            for (stack, figure) in Stack::ALL.iter().zip(&figures).filter(|(stack, _)| stack.is_ours()) {
                let figure = figure.unwrap();
                let target = f64::from(row.target);
                let keeps = if is_latency { figure <= target } else { figure >= target };
                assert!(keeps, "{}: {}: {figure}", row.name, stack.name());
                // Alone beside alone, whole beside whole; a tenth may come of rounding, since theirs move a little. How two
                // share is compared with the target only.
                let is_better = |theirs: f64| match group.figure {
                    Figure::Goodput => figure + 0.1 >= theirs,
                    Figure::Latency => figure <= theirs + 1.0,
                    Figure::SlowerShare => true,
                };
                let same = |other: &Stack| !other.is_ours() && other.is_alone() == stack.is_alone();
                for (other, theirs) in Stack::ALL.iter().zip(&figures).filter(|(other, _)| same(other)) {
                    let is_above = theirs.is_none_or(is_better);
                    assert!(is_above, "{}: {} {figure}, {} {theirs:?}", row.name, stack.name(), other.name());
                }
            }
        }
    }
    assert!(checked >= 25, "{checked} rows: write the tables anew");
}

#[test]
fn nineteen_of_twenty_small_messages_are_answered_in_one_and_a_half_round_trips() {
    let group = groups().into_iter().find(|group| group.figure == Figure::Latency).unwrap();
    for row in &group.rows {
        let slow = figures(&row.name, group.title, 1).unwrap();
        let limit = row.run.path.round_trip.as_secs_f64() * 1500.0;
        for (stack, slow) in Stack::ALL.iter().zip(slow).filter(|(stack, _)| stack.is_ours()) {
            assert!(slow.unwrap() <= limit, "{}: {}: {slow:?}", row.name, stack.name());
        }
    }
}

fn run(stack: Stack, path: Path, has_small: bool) -> Measured {
    let run = Run { has_small, lasting: Duration::from_secs(6), ..Run::new(path) };
    run.of(stack, 1).unwrap().remove(0)
}

#[test]
fn loss_costs_ours_little_and_others_much() {
    let path = Path::new(20, 50).loss(Loss::Random(0.01));
    let share = |stack: Stack| run(stack, path, false).goodput / path.rate() as f64;
    let (ours, others): (Vec<Stack>, Vec<Stack>) = Stack::built().partition(|stack| stack.is_ours());
    let ours: Vec<f64> = ours.into_iter().map(share).collect();
    let others: Vec<f64> = others.into_iter().map(share).collect();
    assert!(ours.iter().all(|share| *share > 0.8), "{ours:?}");
    assert!(others.iter().all(|other| *other < ours[0]), "{ours:?} {others:?}");
}

#[test]
fn small_messages_do_not_wait_for_large_ones() {
    for stack in [Stack::Twocan, Stack::TwocanSctp] {
        let measured = run(stack, Path::new(20, 50), true);
        assert!(measured.one_way.len() >= 39 && measured.round_trip.len() >= 38);
        let median = crate::stats::median(&measured.round_trip);
        assert!(median <= 0.06, "{} {median}", stack.name());
    }
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let path = Path::new(10, 20).loss(Loss::Random(0.02));
    let once = || run(Stack::Twocan, path, true);
    let (first, second) = (once(), once());
    assert_eq!(first.goodput.to_bits(), second.goodput.to_bits());
    assert_eq!(first.one_way, second.one_way);
}
