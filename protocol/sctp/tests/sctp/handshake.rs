use std::collections::BTreeSet;
use std::time::Duration;

use twocan_sctp::packet::{CookieEcho, Init, PacketWriter};
use twocan_sctp::{CloseReason, Config, Event, Fault, Options};

use crate::link::Conditions;
use crate::pair::{Pair, config, stubborn};

fn without_numbers(trace: &[String]) -> Vec<&str> {
    trace.iter().map(|packet| packet.split_once(" 0x").map_or(&**packet, |(name, _)| name)).collect()
}

fn pair() -> Pair {
    let mut pair = Pair::with((config(), config()), (Conditions::default(), Conditions::default()), 1);
    pair.a.trace = Some(Vec::new());
    pair.b.trace = Some(Vec::new());
    pair
}

fn are_established(pair: &mut Pair) -> bool {
    pair.a.has(&Event::Established) && pair.b.has(&Event::Established)
}

#[test]
fn four_packets_and_data_rides_along() {
    let mut pair = pair();
    pair.send(0, &b"hello"[..], Options::default());
    pair.a.association.connect(pair.now);
    assert!(pair.run_until(Duration::from_secs(1), |pair| !pair.b.messages.is_empty()));
    assert_eq!(pair.elapsed(), Duration::from_millis(30), "three ways");
    pair.run_for(Duration::from_millis(200));
    let a = pair.a.trace.take().unwrap();
    assert!(a[1].starts_with("COOKIE-ECHO | I-DATA "), "{a:?}");
    assert!(a[1].ends_with(" stream 0 mid 0 BEI ppid 51 5 bytes"), "{a:?}");
    assert_eq!((&a[0][..4], a.len()), ("INIT", 2), "{a:?}");
    let b = pair.b.trace.take().unwrap();
    assert_eq!((&b[0][..8], b.len()), ("INIT-ACK", 2), "{b:?}");
    assert!(b[1].starts_with("COOKIE-ACK | SACK "), "{b:?}");
}

#[test]
fn both_may_begin_at_once() {
    let mut pair = pair();
    pair.a.association.connect(pair.now);
    pair.b.association.connect(pair.now);
    assert!(pair.run_until(Duration::from_secs(1), are_established));
    pair.run_for(Duration::from_secs(1));
    let trace = pair.a.trace.take().unwrap();
    assert_eq!(without_numbers(&trace), ["INIT", "INIT-ACK", "COOKIE-ECHO", "COOKIE-ACK"]);
    pair.send(3, &b"there"[..], Options::default());
    pair.b.association.send_copy(pair.now, 4, 51, b"back", Options::default()).unwrap();
    assert!(pair.run_until(Duration::from_secs(1), |pair| {
        !pair.a.messages.is_empty() && !pair.b.messages.is_empty()
    }));
}

#[test]
fn a_handshake_survives_any_loss() {
    for seed in 0..200 {
        let conditions = Conditions { loss: 400_000, ..Conditions::default() };
        let mut pair = Pair::with((stubborn(), stubborn()), (conditions, conditions), seed);
        pair.a.association.connect(pair.now);
        if seed % 2 == 0 {
            pair.b.association.connect(pair.now);
        }
        pair.send(0, &b"hello"[..], Options::default());
        let arrived = pair.run_until(Duration::from_secs(7200), |pair| !pair.b.messages.is_empty());
        assert!(arrived, "seed {seed}");
    }
}

#[test]
fn with_both_inits_in_sdp_data_flows_at_once() {
    let mut pair = pair();
    let (a, b) = (pair.a.association.local_init(), pair.b.association.local_init());
    pair.a.association.connect_with(pair.now, &b).unwrap();
    pair.b.association.connect_with(pair.now, &a).unwrap();
    assert!(pair.a.association.connect_with(pair.now, &b).is_err());
    pair.send(0, &b"hello"[..], Options::default());
    assert!(pair.run_until(Duration::from_secs(1), |pair| !pair.b.messages.is_empty()));
    assert_eq!(pair.elapsed(), Duration::from_millis(10), "one way");
    assert!(pair.b.association.connect_with(pair.now, b"junk").is_err());
}

#[test]
fn without_an_answer_it_ends() {
    let mut pair = pair();
    pair.a.link.conditions.loss = 1_000_000;
    pair.a.association.connect(pair.now);
    assert!(
        pair.run_until(Duration::from_secs(1000), |pair| {
            pair.a.has(&Event::Closed(CloseReason::NoAnswer))
        })
    );
    assert_eq!(pair.a.trace.take().unwrap().len(), 9);
    assert_eq!(pair.next_wake_up(), None);
}

#[test]
fn features_are_what_both_offer() {
    let plain = Config { interleaving: false, zero_checksum: false, streams: 10, ..config() };
    let mut pair = Pair::with((config(), plain), (Conditions::default(), Conditions::default()), 1);
    pair.a.association.connect(pair.now);
    assert!(pair.run_until(Duration::from_secs(1), are_established));
    for end in [&pair.a, &pair.b] {
        assert!(!end.association.stats().interleaving);
        assert!(!end.association.stats().zero_checksum);
        assert_eq!(end.association.stream_limit(), 10);
    }
    let pair = Pair::connected(config(), Conditions::default(), 1);
    assert!(pair.a.association.stats().interleaving && pair.b.association.stats().zero_checksum);
}

#[test]
fn messages_for_streams_that_the_peer_does_not_take_are_dropped() {
    let few = Config { streams: 10, ..config() };
    for we_connect in [true, false] {
        let configs = (config(), few.clone());
        let mut pair = Pair::with(configs, (Conditions::default(), Conditions::default()), 1);
        pair.b.keeps = true;
        for stream in [10, 9, 200, 10, 0] {
            pair.send(stream, vec![7; 3000], Options::default());
        }
        let end = if we_connect { &mut pair.a } else { &mut pair.b };
        end.association.connect(pair.now);
        pair.run_for(Duration::from_secs(1));
        // Nothing was sent that the peer had to complain of (§6.5), and nothing waits.
        assert_eq!(pair.b.association.faults().of(Fault::NoSuchStream), 0);
        let streams: BTreeSet<u16> = pair.b.messages.iter().map(|message| message.stream).collect();
        assert_eq!(streams, BTreeSet::from([0, 9]));
        assert_eq!((pair.b.received_bytes, pair.a.association.stats().buffered), (6000, 0));
    }
}

#[test]
fn a_restart_is_refused_and_a_late_init_answered() {
    let mut pair = Pair::connected(config(), Conditions::default(), 1);
    pair.run_for(Duration::from_secs(1));
    let init = |init: Init| {
        let mut bytes = Vec::new();
        let mut writer = PacketWriter::new(&mut bytes, 1200, (5000, 5000), 0);
        init.write(writer.buffer());
        writer.finish(false);
        bytes
    };
    let mut ours = Init::parse_standalone(&pair.a.association.local_init()).unwrap();
    pair.b.trace = Some(Vec::new());
    pair.b.association.handle_packet(pair.now, &init(ours)).unwrap();
    ours.initiate_tag ^= 1;
    assert_eq!(pair.b.association.handle_packet(pair.now, &init(ours)), Err(Fault::Restart));
    pair.settle();
    let trace = pair.b.trace.take().unwrap();
    assert_eq!(without_numbers(&trace), ["INIT-ACK", "ABORT cause 11 \"\""]);
    pair.send(0, &b"still here"[..], Options::default());
    assert!(pair.run_until(Duration::from_secs(1), |pair| !pair.b.messages.is_empty()));
}

#[test]
fn a_cookie_of_anothers_making_opens_nothing() {
    let mut pair = pair();
    let tag = Init::parse_standalone(&pair.b.association.local_init()).unwrap().initiate_tag;
    let mut bytes = Vec::new();
    let mut writer = PacketWriter::new(&mut bytes, 1200, (5000, 5000), tag);
    CookieEcho { cookie: &[0; 16] }.write(writer.buffer());
    writer.finish(false);
    assert_eq!(pair.b.association.handle_packet(pair.now, &bytes), Err(Fault::BadCookie));
    assert!(!pair.b.association.is_established());
    assert_eq!(pair.b.association.faults().of(Fault::BadCookie), 1);
}

#[test]
fn packets_are_as_long_as_is_said_before_it_begins() {
    let mut pair = pair();
    pair.a.association.set_packet_size(1178);
    pair.a.association.connect(pair.now);
    assert!(pair.run_until(Duration::from_secs(1), are_established));
    pair.a.association.set_packet_size(600);
    assert_eq!(pair.a.association.stats().packet_size, 1176, "a multiple of four, and too late for another");
}
