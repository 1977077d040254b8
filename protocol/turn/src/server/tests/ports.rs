//! Relayed ports: even ones, pairs, reservations, ports of others, none left (RFC 8656 §7.2).

use std::net::SocketAddr;

use super::super::{OpenError, Transport};
use super::stage::{Stage, With};

const FULL: &str = "ada: Allocate error 508 Insufficient Capacity, software twocan, sha1";
const PAIR: &str = "ada: Allocate success, relayed 192.0.2.1:R0, lifetime 600, token, \
                    mapped 198.51.100.1:4000, software twocan, sha1";

#[test]
fn ports_are_of_the_configured_range_and_each_used_once() {
    let mut stage = Stage::with(|_, limits| limits.ports = 50_000..=50_002);
    for name in ["ada", "bob", "cyd"] {
        stage.allocated(name);
    }
    let mut ports = [stage.port(0), stage.port(1), stage.port(2)];
    ports.sort_unstable();
    assert_eq!(ports, [50_000, 50_001, 50_002]);
    stage.sit("ada2", Transport::Udp, "192.0.2.1:3478", "198.51.100.1:4001");
    stage.seat("ada2").username = "ada".into();
    stage.seat("ada2").password = "ada".into();
    assert_eq!(stage.allocate("ada2", &[]), [FULL.replace("ada:", "ada2:")]);
    // One that ends makes room.
    stage.refresh("bob", &[With::Lifetime(0)]);
    stage.allocated("ada2");
}

#[test]
fn an_even_port_is_even() {
    let mut stage = Stage::with(|_, limits| limits.ports = 50_001..=50_003);
    stage.allocate("ada", &[With::Even]);
    assert_eq!(stage.port(0), 50_002);
    assert_eq!(stage.allocate("bob", &[With::Even]), [FULL.replace("ada", "bob")]);
    stage.allocated("bob");
}

#[test]
fn an_even_port_comes_with_its_successor_reserved() {
    let mut stage = Stage::with(|_, limits| limits.ports = 50_001..=50_003);
    assert_eq!(stage.allocate("ada", &[With::EvenAndNext]), ["open #0 192.0.2.1:R0", PAIR]);
    assert_eq!(stage.port(0), 50_002);
    let token = stage.token;
    // The reserved one is nobody else's.
    stage.allocated("bob");
    assert_eq!(stage.port(1), 50_001);
    assert_eq!(stage.allocate("cyd", &[]), [FULL.replace("ada", "cyd")]);
    // Whoever brings the token gets it, over any transport, to any of our addresses, as any user.
    stage.sit("cyd2", Transport::Tls, "[2001:db8::1]:5349", "[2001:db8:9::3]:1234");
    stage.seat("cyd2").username = "cyd".into();
    stage.seat("cyd2").password = "dyc".into();
    stage.oversleep(30);
    assert_eq!(
        stage.allocate("cyd2", &[With::Token(token)]),
        [
            "open #2 192.0.2.1:R2",
            "cyd2: Allocate success, relayed 192.0.2.1:R2, lifetime 600, mapped [2001:db8:9::3]:1234, \
             software twocan, sha1"
        ]
    );
    assert_eq!(stage.port(2), 50_003);
    // A retransmission is the same; a second use is not.
    assert_eq!(stage.again("cyd2").len(), 1);
    assert_eq!(stage.allocate("cyd", &[With::Token(token)]), [FULL.replace("ada", "cyd")]);
}

#[test]
fn a_reservation_ends() {
    let mut stage = Stage::with(|_, limits| limits.ports = 50_000..=50_001);
    stage.allocate("ada", &[With::EvenAndNext]);
    let token = stage.token;
    assert_eq!(stage.allocate("bob", &[]), [FULL.replace("ada", "bob")]);
    stage.oversleep(60);
    assert_eq!(stage.allocate("bob", &[With::Token(token)]), [FULL.replace("ada", "bob")]);
    stage.allocated("bob");
    assert_eq!(stage.port(1), 50_001);
}

#[test]
fn a_reservation_outlives_its_allocation() {
    let mut stage = Stage::with(|_, limits| limits.ports = 50_000..=50_001);
    stage.allocate("ada", &[With::EvenAndNext]);
    let token = stage.token;
    stage.refresh("ada", &[With::Lifetime(0)]);
    stage.allocate("bob", &[With::Token(token)]);
    assert_eq!(stage.port(0), 50_001);
}

#[test]
fn a_pair_that_cannot_be_had_is_508() {
    // No even port with a successor in the range.
    let mut stage = Stage::with(|_, limits| limits.ports = 50_001..=50_002);
    assert_eq!(stage.allocate("ada", &[With::EvenAndNext]), [FULL]);
    assert_eq!((stage.ledger.allocations(), stage.ledger.ports_taken()), (0, 0));
}

#[test]
fn the_port_of_a_token_that_another_program_has_is_508() {
    let mut stage = Stage::new();
    stage.allocate("ada", &[With::EvenAndNext]);
    let token = stage.token;
    stage.outcomes.push_back(Err(OpenError::InUse));
    assert_eq!(
        stage.allocate("bob", &[With::Token(token)]),
        [
            "open #1 192.0.2.1:R1, in use",
            "bob: Allocate error 508 Insufficient Capacity, software twocan, sha1"
        ]
    );
    assert_eq!(stage.ledger.ports_taken(), 1);
}

#[test]
fn a_port_that_another_program_has_is_passed_over() {
    let mut stage = Stage::new();
    stage.outcomes.extend([Err(OpenError::InUse); 3]);
    assert_eq!(
        stage.allocate("ada", &[With::Even]),
        [
            "open #0 192.0.2.1:R0, in use",
            "open #0 192.0.2.1:R0, in use",
            "open #0 192.0.2.1:R0, in use",
            "open #0 192.0.2.1:R0",
            "ada: Allocate success, relayed 192.0.2.1:R0, lifetime 600, mapped 198.51.100.1:4000, \
             software twocan, sha1"
        ]
    );
    let ports: Vec<_> = stage.wanted.iter().map(SocketAddr::port).collect();
    assert!(ports.windows(2).all(|pair| pair[0] != pair[1]), "{ports:?}");
    assert!(ports.iter().all(|port| port % 2 == 0), "{ports:?}");
    assert_eq!(stage.ledger.ports_taken(), 1);
}

#[test]
fn a_pair_moves_on_with_its_reservation() {
    let mut stage = Stage::with(|_, limits| limits.ports = 50_000..=50_003);
    stage.outcomes.push_back(Err(OpenError::InUse));
    let lines = stage.allocate("ada", &[With::EvenAndNext]);
    assert_eq!(lines[2], PAIR);
    let token = stage.token;
    // The first pair is free again, and only it.
    assert_eq!(stage.ledger.ports_taken(), 2);
    stage.allocate("bob", &[With::Token(token)]);
    assert_eq!(stage.port(1), stage.port(0) + 1);
}

#[test]
fn after_sixteen_ports_of_others_it_gives_up() {
    let mut stage = Stage::new();
    stage.outcomes.extend([Err(OpenError::InUse); 16]);
    let lines = stage.allocate("ada", &[With::EvenAndNext]);
    assert_eq!(lines.len(), 17);
    assert_eq!(lines[16], FULL);
    assert_eq!((stage.ledger.allocations(), stage.ledger.ports_taken()), (0, 0));
    // The next request tries anew.
    stage.allocated("ada");
}

#[test]
fn a_socket_that_cannot_be_had_at_all_is_508_at_once() {
    let mut stage = Stage::new();
    stage.outcomes.push_back(Err(OpenError::Failed));
    assert_eq!(stage.allocate("ada", &[With::EvenAndNext]), ["open #0 192.0.2.1:R0, failed", FULL]);
    assert_eq!((stage.ledger.allocations(), stage.ledger.ports_taken()), (0, 0));
    assert_eq!(stage.server.poll_timeout(), None);
    assert_eq!(stage.wait(4000), [""; 0]);
}
