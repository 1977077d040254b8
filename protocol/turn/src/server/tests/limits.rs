//! Quotas on allocations (486, 508) and on bandwidth (dropped), RFC 8656 §5, §7.2; the bound on answers.

use std::time::Duration;

use stun::Method;

use super::super::Transport::Udp;
use super::stage::{Stage, UDP, With};

/// A further program of a user, at an address.
fn also(stage: &mut Stage, name: &'static str, user: &str, remote: &str) {
    let local = if remote.starts_with('[') { "[2001:db8::1]:3478" } else { "192.0.2.1:3478" };
    stage.sit(name, Udp, local, remote);
    let seat = stage.seat(name);
    seat.username = user.into();
    seat.password = user.chars().rev().collect();
}

fn refused(name: &str, error: &str) -> [String; 1] {
    [format!("{name}: Allocate error {error}, software twocan, sha1")]
}

#[test]
fn a_user_has_a_quota_wherever_it_is() {
    let mut stage = Stage::with(|_, limits| limits.allocations_per_user = 2);
    also(&mut stage, "ada2", "ada", "198.51.100.7:1");
    also(&mut stage, "ada3", "ada", "[2001:db8:7::1]:1");
    stage.allocated("ada").allocated("ada2");
    assert_eq!(stage.allocate("ada3", &[]), refused("ada3", "486 Allocation Quota Reached"));
    // A retransmission is not a third one, and others are not concerned.
    assert_eq!(stage.allocate("ada2", &[])[0], refused("ada2", "437 Allocation Mismatch")[0]);
    stage.allocated("bob");
    stage.refresh("ada", &[With::Lifetime(0)]);
    stage.allocated("ada3");
}

#[test]
fn ephemeral_names_of_one_person_share_a_quota() {
    let mut stage = Stage::with(|config, limits| {
        config.credentials.add_secret(b"secret");
        limits.allocations_per_user = 1;
    });
    for (name, username) in [("ada", "1800000000:eve"), ("bob", "1800000001:eve")] {
        let seat = stage.seat(name);
        seat.password = stun::ephemeral_password(b"secret", username);
        seat.username = username.into();
    }
    stage.allocated("ada");
    assert_eq!(stage.allocate("bob", &[]), refused("bob", "486 Allocation Quota Reached"));
}

#[test]
fn an_address_has_a_quota_whoever_uses_it() {
    let mut stage = Stage::with(|_, limits| limits.allocations_per_address = 1);
    also(&mut stage, "bob2", "bob", "198.51.100.1:4001");
    stage.allocated("ada");
    assert_eq!(stage.allocate("bob2", &[]), refused("bob2", "486 Allocation Quota Reached"));
    stage.allocated("bob");
    // A home with IPv6 has 2^64 addresses.
    also(&mut stage, "bob3", "bob", "[2001:db8:9::ffff]:4000");
    also(&mut stage, "bob4", "bob", "[2001:db8:9:1::3]:4000");
    stage.allocated("cyd");
    assert_eq!(stage.allocate("bob3", &[]), refused("bob3", "486 Allocation Quota Reached"));
    stage.allocated("bob4");
}

#[test]
fn the_server_has_a_capacity() {
    let mut stage = Stage::with(|_, limits| limits.allocations = 2);
    stage.allocated("ada").allocated("bob");
    assert_eq!(stage.allocate("cyd", &[]), refused("cyd", "508 Insufficient Capacity"));
    stage.wait(600);
    stage.allocated("cyd");
}

#[test]
fn a_dual_allocation_counts_once() {
    let mut stage = Stage::with(|_, limits| limits.allocations_per_user = 1);
    stage.allocate("ada", &[With::Additional(2)]);
    assert_eq!(stage.ledger.allocations(), 1);
    stage.refresh("ada", &[With::Family(1), With::Lifetime(0)]);
    assert_eq!(stage.ledger.allocations(), 1);
    stage.refresh("ada", &[With::Lifetime(0)]);
    assert_eq!(stage.ledger.allocations(), 0);
    stage.allocated("ada");
}

#[test]
fn what_exceeds_the_bandwidth_is_dropped_in_every_direction() {
    let kilobyte = [b'x'; 1000];
    let mut stage = Stage::with(|_, limits| limits.bandwidth_per_user = Some(4000));
    stage.allocated("ada").bind("ada", 0x4000, "203.0.113.9:9");
    stage.allocated("bob").bind("bob", 0x4000, "203.0.113.9:9");
    let dropped = ["dropped: over_bandwidth"];
    let round = |stage: &mut Stage| {
        assert_ne!(stage.channel("ada", 0x4000, &kilobyte), dropped);
        assert_ne!(stage.send("ada", "203.0.113.9:9", &kilobyte), dropped);
        assert_ne!(stage.arrive(0, "203.0.113.9:9", &kilobyte), dropped);
        assert_ne!(stage.arrive(0, "203.0.113.9:10", &kilobyte), dropped);
        assert_eq!(stage.channel("ada", 0x4000, &kilobyte), dropped);
        assert_eq!(stage.send("ada", "203.0.113.9:9", &kilobyte), dropped);
        assert_eq!(stage.arrive(0, "203.0.113.9:9", &kilobyte), dropped);
    };
    round(&mut stage);
    // Another user is not concerned, and a second later there is as much again.
    assert_ne!(stage.channel("bob", 0x4000, &kilobyte), dropped);
    stage.wait(1);
    round(&mut stage);
    // A quarter of a second is a kilobyte.
    stage.now += Duration::from_millis(250);
    assert_ne!(stage.channel("ada", 0x4000, &kilobyte), dropped);
    assert_eq!(stage.channel("ada", 0x4000, &kilobyte), dropped);
    let counters = stage.server.counters();
    assert_eq!((counters.to_peers.datagrams, counters.to_clients.datagrams), (6, 4));
    assert_eq!((counters.to_peers.bytes, counters.to_clients.bytes), (6000, 4000));
}

#[test]
fn a_users_allocations_share_its_bandwidth() {
    let mut stage = Stage::with(|_, limits| limits.bandwidth_per_user = Some(1000));
    also(&mut stage, "ada2", "ada", "198.51.100.77:1");
    stage.allocated("ada").bind("ada", 0x4000, "203.0.113.9:9");
    stage.allocated("ada2").bind("ada2", 0x4000, "203.0.113.9:9");
    assert_eq!(stage.channel("ada", 0x4000, &[b'x'; 1000]).len(), 1);
    assert_eq!(stage.channel("ada2", 0x4000, b"x"), ["dropped: over_bandwidth"]);
}

#[test]
fn answers_that_nobody_fetches_are_bounded() {
    let mut stage = Stage::new();
    let request = stage.message(stun::Class::Request, Method::BINDING, &[], |_| {});
    let client = stage.seat("ada").client;
    let mut answered = 0;
    let full = loop {
        match stage.server.handle_client(stage.now, &client, &request) {
            Ok(_) => answered += 1,
            Err(fault) => break fault,
        }
    };
    assert_eq!((answered, full.label()), (1024, "answers_full"));
    // An allocation is made all the same; its answer is for the retransmission to fetch.
    let allocate = stage.message(stun::Class::Request, Method::ALLOCATE, &[UDP], |_| {});
    assert_eq!(stage.server.handle_client(stage.now, &client, &allocate), Err(full));
    let mut buffer = Vec::new();
    while stage.server.poll_transmit(&mut buffer).is_some() {}
    assert_eq!(buffer.len(), 1024 * 32);
    assert_eq!(stage.server.handle_client(stage.now, &client, &request), Ok(None));
}

#[test]
fn an_answer_that_found_no_room_is_fetched_by_the_retransmission() {
    let mut stage = Stage::new();
    let client = stage.seat("ada").client;
    let binding = stage.message(stun::Class::Request, Method::BINDING, &[], |_| {});
    let allocate = stage.request("ada", Method::ALLOCATE, &[UDP]);
    while stage.server.handle_client(stage.now, &client, &binding).is_ok() {}
    assert_eq!(stage.server.handle_client(stage.now, &client, &allocate), Ok(None));
    let Some(super::super::Event::Open { relay, .. }) = stage.server.poll_event() else { panic!() };
    stage.server.handle_opened(stage.now, relay, Ok(()));
    let mut buffer = Vec::new();
    while stage.server.poll_transmit(&mut buffer).is_some() {}
    assert_eq!(stage.server.allocations(), 1);
    assert!(stage.again("ada")[0].starts_with("ada: Allocate success"));
}
