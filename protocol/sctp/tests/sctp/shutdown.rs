use std::time::Duration;

use twocan_sctp::{CloseReason, Event, Fault, Options, SendError};

use crate::data::pattern;
use crate::link::Conditions;
use crate::pair::{Pair, config, stubborn};

fn have_closed(pair: &mut Pair) -> bool {
    let closed = Event::Closed(CloseReason::Shutdown);
    pair.a.has(&closed) && pair.b.has(&closed)
}

#[test]
fn a_shutdown_delivers_everything_first() {
    let mut pair = Pair::connected(config(), Conditions::default(), 1);
    pair.run_for(Duration::from_secs(1));
    pair.a.trace = Some(Vec::new());
    pair.b.trace = Some(Vec::new());
    pair.send(0, pattern(1000, 1), Options::default());
    pair.a.association.shutdown();
    assert_eq!(
        pair.a.association.send_copy(pair.now, 0, 51, b"late", Options::default()),
        Err(SendError::Closed)
    );
    assert!(pair.run_until(Duration::from_secs(5), have_closed));
    assert_eq!(pair.b.received_messages, 1);
    let short = |trace: Vec<String>| -> Vec<String> {
        trace.iter().map(|packet| packet.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(short(pair.a.trace.take().unwrap()), ["I-DATA", "SHUTDOWN", "SHUTDOWN-COMPLETE"]);
    assert_eq!(short(pair.b.trace.take().unwrap()), ["SACK", "SHUTDOWN-ACK"]);
    assert_eq!(pair.next_wake_up(), None, "no deadline is left");
}

#[test]
fn shutdowns_cross_and_get_lost() {
    for seed in 0..100 {
        let conditions = Conditions { loss: 300_000, ..Conditions::default() };
        let mut pair = Pair::connected(stubborn(), conditions, seed);
        pair.send(0, pattern(10_000, 1), Options::default());
        pair.a.association.shutdown();
        if seed % 2 == 0 {
            pair.b.association.shutdown();
        }
        let closed = pair.run_until(Duration::from_secs(3600), |pair| {
            pair.a.association.is_ended() && pair.b.association.is_ended()
        });
        assert!(closed, "seed {seed}: {:?} {:?}", pair.a.association, pair.b.association);
        assert_eq!(pair.b.received_messages, 1, "seed {seed}");
    }
}

#[test]
fn an_abort_says_why() {
    let mut pair = Pair::connected(config(), Conditions::default(), 1);
    pair.a.association.abort("had enough");
    assert!(pair.run_until(Duration::from_secs(1), |pair| pair.b.association.is_ended()));
    let reason = CloseReason::PeerAborted { cause: 12, reason: "had enough".into() };
    assert!(pair.b.has(&Event::Closed(reason)));
    assert!(pair.a.has(&Event::Closed(CloseReason::Aborted)));
    assert!(pair.a.association.handle_packet(pair.now, &[0; 12]).is_err());
}

#[test]
fn a_dead_path_is_noticed_idle_or_not() {
    for is_idle in [true, false] {
        let mut pair = Pair::connected(config(), Conditions::default(), 1);
        pair.a.link.cut();
        pair.a.link.conditions.loss = 1_000_000;
        if !is_idle {
            pair.send(0, &b"anyone?"[..], Options::default());
        }
        let timed_out = Event::Closed(CloseReason::TimedOut);
        assert!(pair.run_until(Duration::from_secs(3600), |pair| pair.a.has(&timed_out)));
    }
}

#[test]
fn an_idle_path_is_asked_and_answers() {
    let mut pair = Pair::connected(config(), Conditions::default(), 1);
    pair.run_for(Duration::from_secs(5));
    pair.a.trace = Some(Vec::new());
    pair.run_for(Duration::from_secs(600));
    let trace = pair.a.trace.take().unwrap();
    assert_eq!(trace.iter().filter(|packet| *packet == "HEARTBEAT").count(), 19, "{trace:?}");
    assert!(pair.a.association.is_established() && pair.b.association.is_established());
    assert_eq!(pair.a.association.faults().total(), 0);
    assert_eq!(pair.a.association.faults().of(Fault::BadHeartbeat), 0);
}
