use std::time::Duration;

use twocan_sctp::{Config, Event, Options, Reliability};

use crate::data::pattern;
use crate::link::Conditions;
use crate::pair::{Pair, config};

fn no_retransmits(unordered: bool) -> Options {
    Options { unordered, reliability: Reliability::MaxRetransmits(0) }
}

#[test]
fn what_is_given_up_does_not_hold_up_what_follows() {
    for interleaving in [true, false] {
        for unordered in [true, false] {
            let mut pair = Pair::connected(Config { interleaving, ..config() }, Conditions::default(), 1);
            pair.a.link.conditions.loss = 1_000_000;
            pair.send(1, pattern(100, 1), no_retransmits(unordered));
            pair.settle();
            pair.a.link.conditions.loss = 0;
            pair.a.trace = Some(Vec::new());
            pair.send(1, pattern(200, 2), no_retransmits(unordered));
            pair.send(1, pattern(300, 3), Options { unordered, ..Options::default() });
            pair.run_for(Duration::from_secs(5));
            let lengths: Vec<usize> = pair.b.messages.iter().map(|message| message.data.len()).collect();
            assert_eq!(lengths, [200, 300]);
            let trace = pair.a.trace.take().unwrap();
            let name = if interleaving { "I-FORWARD-TSN" } else { "FORWARD-TSN" };
            assert!(trace.iter().any(|packet| packet.starts_with(name)), "{trace:?}");
        }
    }
}

#[test]
fn a_message_cut_short_leaves_no_trace_but_an_event() {
    for interleaving in [true, false] {
        let both = Config { interleaving, piece_size: 16 << 10, ..config() };
        let conditions = Conditions::bottleneck(1, Duration::from_millis(20));
        let mut pair = Pair::connected(both, conditions, 1);
        let short = Options {
            reliability: Reliability::MaxLifetime(Duration::from_millis(400)),
            ..Options::default()
        };
        pair.send(1, pattern(200_000, 1), short);
        pair.send(1, &b"after"[..], Options::default());
        assert!(pair.run_until(Duration::from_secs(30), |pair| pair.b.received_messages == 1));
        let (last, pieces) = pair.b.messages.split_last().unwrap();
        assert_eq!(last.data, b"after");
        assert!(!pieces.is_empty() && pieces.iter().all(|piece| !piece.last));
        let aborted = Event::MessageAborted { stream: 1, id: pieces[0].id };
        assert!(pair.b.has(&aborted));
        assert!(pair.elapsed() < Duration::from_secs(2));
    }
}

#[test]
fn an_old_message_is_not_sent_at_all() {
    let conditions = Conditions::bottleneck(1, Duration::from_millis(20));
    let mut pair = Pair::connected(config(), conditions, 1);
    pair.send(1, pattern(100_000, 1), Options::default());
    let short =
        Options { reliability: Reliability::MaxLifetime(Duration::from_millis(50)), ..Options::default() };
    pair.send(1, &b"old by then"[..], short);
    pair.send(1, &b"patient"[..], Options::default());
    assert!(pair.run_until(Duration::from_secs(30), |pair| pair.b.received_messages == 2));
    assert_eq!(pair.b.messages[1].data, b"patient");
}
