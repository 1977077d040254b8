//! What is remembered of packets.

use std::time::{Duration, Instant};

use super::*;
use crate::packet::Kind;
use crate::rate::DataSize;
use crate::time::NEVER;

fn put(history: &mut History, sequence: u64, sent_at: Micros) -> bool {
    #[expect(clippy::disallowed_methods, reason = "some instant; the other time counts")]
    let at = Instant::now() + Duration::ZERO;
    let size = DataSize::from_bytes(100);
    history.put(&Sent { sequence, size, at, kind: Kind::Media, probe: None }, sent_at)
}

fn lost(history: &mut History, sent_before: Micros, unheard_before: Micros) -> Vec<u64> {
    let mut lost = Vec::new();
    history.give_up(sent_before, unheard_before, |record| lost.push(record.sequence));
    lost
}

#[test]
fn numbers_grow_and_may_have_gaps() {
    let mut history = History::default();
    let taken: Vec<bool> = [5, 6, 9, 9, 8, 20].map(|sequence| put(&mut history, sequence, 0)).into();
    assert_eq!(taken, [true, true, true, false, false, true]);
    let known: Vec<u64> = (0..30).filter(|sequence| history.get(*sequence).is_some()).collect();
    assert_eq!(known, [5, 6, 9, 20]);
    assert_eq!(history.in_flight(), 400);
}

#[test]
fn what_was_missing_may_arrive_and_is_lost_otherwise() {
    let mut history = History::default();
    (0..6).for_each(|sequence| assert!(put(&mut history, sequence, sequence as Micros * 1000)));
    history.settle(1, Fate::Missing);
    history.settle(2, Fate::Missing);
    history.settle(3, Fate::Missing);
    history.settle(2, Fate::Arrived);
    assert_eq!(lost(&mut history, 3000, NEVER), [1]);
    assert_eq!(lost(&mut history, 9000, NEVER), [3]);
    assert_eq!(history.in_flight(), 300);
    // Nothing was ever said of 0, 4 and 5: that is no loss.
    assert_eq!(lost(&mut history, 9000, 4500), []);
    assert_eq!(history.in_flight(), 100);
    // One that was given up arrives.
    assert_eq!(history.settle(3, Fate::Arrived).unwrap().fate, Fate::Lost);
    assert_eq!(history.in_flight(), 100);
}

#[test]
fn what_arrived_is_forgotten_and_the_rest_is_bounded() {
    let mut history = History::default();
    for sequence in 0..3 * LIMIT as u64 {
        put(&mut history, sequence, 0);
    }
    assert_eq!(history.records.len(), LIMIT);
    assert_eq!(history.in_flight(), LIMIT as u64 * 100);
    let mut history = History::default();
    for sequence in 0..1000 {
        put(&mut history, sequence, 0);
        history.settle(sequence, Fate::Arrived);
        history.forget(0);
    }
    assert!(history.records.is_empty());
    // Where nobody says so, there is no room for it either.
    for sequence in 1000..2000 {
        put(&mut history, sequence, 0);
        history.settle(sequence, Fate::Arrived);
    }
    assert!(history.records.len() < 10);
    assert_eq!(history.in_flight(), 0);
}
