use std::time::Duration;

use twocan_sctp::{Config, Event, Options, SendError};

use crate::data::pattern;
use crate::link::Conditions;
use crate::pair::{Pair, config, stubborn};

#[test]
fn a_reset_comes_after_all_that_was_sent_and_numbers_begin_anew() {
    for interleaving in [true, false] {
        let mut pair = Pair::connected(Config { interleaving, ..config() }, Conditions::default(), 1);
        for round in 0..3 {
            pair.send(5, pattern(20_000, 1), Options::default());
            pair.send(5, pattern(20, 2), Options::default());
            pair.a.association.reset_streams(&[5]).unwrap();
            assert_eq!(
                pair.a.association.send_copy(pair.now, 5, 51, b"x", Options::default()),
                Err(SendError::Resetting)
            );
            let done = Event::StreamsReset { streams: vec![5], performed: true };
            let count = |pair: &Pair| pair.a.events.iter().filter(|event| **event == done).count();
            assert!(pair.run_until(Duration::from_secs(5), |pair| count(pair) == round + 1));
            assert_eq!(pair.b.received_messages, 2 * (round as u64 + 1));
            assert!(pair.b.has(&Event::IncomingStreamsReset { streams: vec![5] }));
        }
    }
}

#[test]
fn resets_survive_loss() {
    for seed in 0..100 {
        let conditions = Conditions { loss: 200_000, duplication: 100_000, ..Conditions::default() };
        let mut pair = Pair::connected(stubborn(), conditions, seed);
        for stream in 0..10 {
            pair.send(stream, pattern(3000, 1), Options::default());
            pair.a.association.reset_streams(&[stream]).unwrap();
        }
        let count = |pair: &Pair| -> usize {
            let reset = |event: &Event| match event {
                Event::StreamsReset { streams, performed: true } => streams.len(),
                _ => 0,
            };
            pair.a.events.iter().map(reset).sum()
        };
        assert!(pair.run_until(Duration::from_secs(600), |pair| count(pair) == 10), "seed {seed}");
        assert_eq!(pair.b.received_messages, 10, "seed {seed}");
    }
}

#[test]
fn what_a_reset_says_on_the_wire() {
    let mut pair = Pair::connected(config(), Conditions::default(), 1);
    pair.run_for(Duration::from_secs(1));
    pair.a.trace = Some(Vec::new());
    pair.b.trace = Some(Vec::new());
    pair.a.association.reset_streams(&[1, 2]).unwrap();
    pair.run_for(Duration::from_millis(100));
    let (a, b) = (pair.a.trace.take().unwrap(), pair.b.trace.take().unwrap());
    assert_eq!((a.len(), b.len()), (1, 1), "{a:?} {b:?}");
    assert!(a[0].starts_with("RE-CONFIG OutgoingReset") && a[0].contains("[1, 2]"), "{a:?}");
    assert!(b[0].starts_with("RE-CONFIG Response") && b[0].contains("Performed"), "{b:?}");
}
