//! A stream that ends takes its allocation along; one that speaks something else is told from STUN.

use stun::Method;

use super::super::Transport::{Tcp, Tls, Udp};
use super::stage::{Stage, UDP, With};

fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.seat("ada").client.transport = Tcp;
    stage.seat("bob").client.transport = Tls;
    stage
}

#[test]
fn a_stream_that_ends_ends_its_allocation() {
    let mut stage = stage();
    stage.allocate("ada", &[With::Additional(2)]);
    stage.allocated("bob");
    assert_eq!(stage.disconnect("ada"), ["close #0", "close #1"]);
    assert_eq!(
        (stage.server.allocations(), stage.ledger.allocations(), stage.ledger.ports_taken()),
        (1, 1, 1)
    );
    assert_eq!(stage.arrive(0, "203.0.113.9:9", b"x"), ["dropped: no_allocation"]);
    assert_eq!(stage.disconnect("ada"), [""; 0]);
    assert_eq!(stage.disconnect("bob"), ["close #2"]);
    assert_eq!(stage.server.poll_timeout(), None);
    // The same 5-tuple may come again.
    stage.allocated("ada");
}

#[test]
fn a_stream_may_end_while_its_sockets_are_opened() {
    let mut stage = stage();
    let client = stage.seat("ada").client;
    let request = stage.request("ada", Method::ALLOCATE, &[UDP, With::EvenAndNext]);
    stage.server.handle_client(stage.now, &client, &request).unwrap();
    let Some(super::super::Event::Open { relay, .. }) = stage.server.poll_event() else { panic!() };
    // What it asks meanwhile is not answered, and its own request is not begun twice.
    assert_eq!(stage.again("ada"), ["dropped: still_opening"]);
    assert_eq!(stage.refresh("ada", &[]), ["dropped: still_opening"]);
    assert_eq!(stage.bind("ada", 0x4000, "203.0.113.9:9"), ["dropped: still_opening"]);
    assert_eq!(stage.send("ada", "203.0.113.9:9", b"x"), ["dropped: no_allocation"]);
    assert_eq!(stage.ledger.ports_taken(), 2);
    assert_eq!(stage.disconnect("ada"), ["close #0"]);
    stage.server.handle_opened(stage.now, relay, Ok(()));
    assert_eq!(stage.server.poll_event(), None);
    assert_eq!(stage.server.poll_transmit(&mut Vec::new()), None);
    assert_eq!(
        (stage.server.allocations(), stage.ledger.allocations(), stage.ledger.ports_taken()),
        (0, 0, 0)
    );
}

#[test]
fn a_socket_that_is_never_opened_ends_with_its_time() {
    let mut stage = Stage::new();
    let client = stage.seat("ada").client;
    let request = stage.request("ada", Method::ALLOCATE, &[UDP]);
    stage.server.handle_client(stage.now, &client, &request).unwrap();
    assert!(matches!(stage.server.poll_event(), Some(super::super::Event::Open { .. })));
    assert_eq!(stage.wait(600), ["close #0"]);
    assert_eq!((stage.server.allocations(), stage.ledger.ports_taken()), (0, 0));
}

#[test]
fn answers_on_a_stream_are_whole_however_short_the_question() {
    // Who completed a handshake has shown its address (the bound is for datagrams).
    let mut stage = stage();
    assert_eq!(
        stage.bare("ada", Method::REFRESH, &[]),
        ["ada: Refresh error 401 Unauthenticated, realm example, nonce of 33, algorithms sha256 md5"]
    );
    stage.seat("ada").client.transport = Udp;
    assert_eq!(stage.bare("ada", Method::REFRESH, &[]), ["dropped: answer_too_large"]);
}
