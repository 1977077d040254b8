//! Allocate: what is granted, for how long, and once only (RFC 8656 §7.2).

use stun::Method;

use super::stage::{Stage, UDP, With};

const GRANTED: &str = "ada: Allocate success, relayed 192.0.2.1:R0, lifetime 600, mapped 198.51.100.1:4000, \
                       software twocan, sha1";

#[test]
fn a_first_request_is_challenged_and_the_second_granted() {
    let mut stage = Stage::new();
    assert_eq!(
        stage.bare("ada", Method::ALLOCATE, &[UDP, With::Raw(0x8022, &[b'x'; 60])]),
        ["ada: Allocate error 401 Unauthenticated, realm example, nonce of 33, algorithms sha256 md5"]
    );
    assert_eq!(stage.allocate("ada", &[]), ["open #0 192.0.2.1:R0", GRANTED]);
    assert_eq!(stage.server.allocations(), 1);
    assert_eq!(stage.server.counters().allocated, 1);
}

#[test]
fn an_ipv6_client_gets_an_ipv4_relay_unless_it_asks_for_another() {
    let mut stage = Stage::new();
    assert_eq!(
        stage.allocate("cyd", &[]),
        [
            "open #0 192.0.2.1:R0",
            "cyd: Allocate success, relayed 192.0.2.1:R0, lifetime 600, mapped [2001:db8:9::3]:4000, \
             software twocan, sha1"
        ]
    );
    assert_eq!(
        stage.allocate("bob", &[With::Family(2)]),
        [
            "open #1 [2001:db8::1]:R1",
            "bob: Allocate success, relayed [2001:db8::1]:R1, lifetime 600, mapped 198.51.100.2:4000, \
             software twocan, sha1"
        ]
    );
}

#[test]
fn clients_are_told_the_public_address_and_sockets_bind_the_local_one() {
    let mut stage = Stage::with(|config, _| {
        let ip = |ip: &str| ip.parse().unwrap();
        config.relay_ipv4 = Some(super::super::RelayIp { bind: ip("10.0.0.2"), public: ip("203.0.113.2") });
    });
    assert_eq!(
        stage.allocate("ada", &[]),
        [
            "open #0 10.0.0.2:R0",
            "ada: Allocate success, relayed 203.0.113.2:R0, lifetime 600, mapped 198.51.100.1:4000, \
             software twocan, sha1"
        ]
    );
}

#[test]
fn lifetimes_have_a_floor_and_a_cap() {
    for (asked, granted) in
        [(0, 600), (1, 600), (599, 600), (601, 601), (3600, 3600), (3601, 3600), (u32::MAX, 3600)]
    {
        let mut stage = Stage::new();
        let lines = stage.allocate("ada", &[With::Lifetime(asked)]);
        assert!(lines[1].contains(&format!("lifetime {granted},")), "{asked}: {lines:?}");
        assert_eq!(stage.wait(granted - 1), [""; 0], "{asked}");
        assert_eq!(stage.wait(1), ["close #0"], "{asked}");
        assert_eq!(stage.server.allocations(), 0);
    }
}

#[test]
fn a_retransmission_gets_the_same_answer_and_nothing_new() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    assert_eq!(stage.again("ada"), [GRANTED]);
    // The lifetime is what is left of it.
    assert_eq!(stage.wait(7), [""; 0]);
    assert_eq!(stage.again("ada"), [GRANTED.replace("600", "593")]);
    assert_eq!(stage.server.allocations(), 1);
    assert_eq!(stage.server.counters().allocated, 1);
}

#[test]
fn a_retransmission_names_the_same_token_and_the_missing_family() {
    let mut stage = Stage::new();
    stage.allocate("ada", &[With::EvenAndNext]);
    let token = stage.token;
    stage.token = [0; 8];
    let again = stage.again("ada");
    assert_eq!(
        again,
        ["ada: Allocate success, relayed 192.0.2.1:R0, lifetime 600, token, mapped 198.51.100.1:4000, \
             software twocan, sha1"]
    );
    assert_eq!(stage.token, token);

    let mut stage = Stage::with(|config, _| config.fallback[1] = None);
    let first = stage.allocate("ada", &[With::Additional(2)]);
    assert_eq!(stage.again("ada"), first[1..]);
}

#[test]
fn another_request_on_the_same_5_tuple_is_a_mismatch() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    let mismatch = ["ada: Allocate error 437 Allocation Mismatch, software twocan, sha1"];
    assert_eq!(stage.allocate("ada", &[]), mismatch);
    // Also where it is wrong in other ways: §7.2 asks for this first.
    assert_eq!(stage.ask("ada", Method::ALLOCATE, &[]), mismatch);
}

#[test]
fn a_transaction_of_another_user_is_not_a_retransmission() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    stage.seat("ada").username = "bob".into();
    stage.seat("ada").password = "bob".into();
    // The same transaction as before, from the same address.
    stage.rewind();
    assert_eq!(
        stage.allocate("ada", &[]),
        ["ada: Allocate error 437 Allocation Mismatch, software twocan, sha1"]
    );
}

#[test]
fn an_expired_allocation_makes_room_even_if_nobody_woke_the_server() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    stage.oversleep(600);
    assert_eq!(stage.allocate("ada", &[]), ["close #0", "open #0 192.0.2.1:R0", GRANTED]);
}

#[test]
fn an_empty_software_is_left_out() {
    let mut stage = Stage::with(|config, _| config.software.clear());
    assert_eq!(stage.allocate("ada", &[])[1], GRANTED.replace(", software twocan", ""));
}

#[test]
fn a_fingerprint_is_answered_with_one() {
    let mut stage = Stage::new();
    stage.seat("ada").fingerprint = true;
    assert_eq!(stage.allocate("ada", &[])[1], format!("{GRANTED}, fingerprint"));
    assert_eq!(stage.again("ada"), [format!("{GRANTED}, fingerprint")]);
    assert_eq!(
        stage.refresh("ada", &[]),
        ["ada: Refresh success, lifetime 600, software twocan, sha1, fingerprint"]
    );
    assert_eq!(stage.permit("ada", &["203.0.113.9:9"]), ["ada: CreatePermission success, sha1, fingerprint"]);
    assert_eq!(stage.permit("ada", &[]), ["ada: CreatePermission error 400 Bad Request, sha1, fingerprint"]);
}

#[test]
fn a_wrong_fingerprint_is_not_stun() {
    let mut stage = Stage::new();
    stage.seat("ada").fingerprint = true;
    let mut request = stage.request("ada", Method::ALLOCATE, &[UDP]);
    *request.last_mut().unwrap() ^= 1;
    assert_eq!(stage.feed("ada", &request), ["dropped: bad_fingerprint"]);
}
