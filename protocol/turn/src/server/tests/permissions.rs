//! Permissions, Send and Data, ICMP (RFC 8656 §9, §10, §11).

use super::stage::{Stage, With};

const PEER: &str = "203.0.113.9:9";

fn permitted() -> Stage {
    let mut stage = Stage::new();
    stage.allocated("ada");
    assert_eq!(stage.permit("ada", &[PEER]), ["ada: CreatePermission success, sha1"]);
    stage
}

#[test]
fn a_permission_is_for_an_address_with_all_its_ports() {
    let mut stage = permitted();
    assert_eq!(stage.send("ada", PEER, b"out"), ["#0 to 203.0.113.9:9: \"out\""]);
    assert_eq!(stage.send("ada", "203.0.113.9:10", b"out"), ["#0 to 203.0.113.9:10: \"out\""]);
    assert_eq!(stage.arrive(0, "203.0.113.9:1", b"in"), ["ada: Data indication, peer 203.0.113.9:1, \"in\""]);
    assert_eq!(stage.send("ada", "203.0.113.8:9", b"out"), ["dropped: no_permission"]);
    assert_eq!(stage.arrive(0, "203.0.113.8:9", b"in"), ["dropped: no_permission"]);
}

#[test]
fn port_zero_in_a_permission_is_as_good_as_any() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    assert_eq!(stage.permit("ada", &["203.0.113.9:0"]), ["ada: CreatePermission success, sha1"]);
    assert_eq!(stage.send("ada", PEER, b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
    // But nothing can be sent there.
    assert_eq!(stage.send("ada", "203.0.113.9:0", b"x"), ["dropped: peer_denied"]);
}

#[test]
fn several_are_installed_at_once() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    assert_eq!(
        stage.permit("ada", &[PEER, "203.0.113.10:1", PEER, "203.0.113.11:1"]),
        ["ada: CreatePermission success, sha1"]
    );
    for peer in ["203.0.113.9:5", "203.0.113.10:5", "203.0.113.11:5"] {
        assert_eq!(stage.send("ada", peer, b"x"), [format!("#0 to {peer}: \"x\"")]);
    }
}

#[test]
fn a_permission_lasts_five_minutes_whatever_is_sent() {
    let mut stage = permitted();
    stage.wait(299);
    assert_eq!(stage.send("ada", PEER, b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
    assert_eq!(stage.arrive(0, PEER, b"y"), ["ada: Data indication, peer 203.0.113.9:9, \"y\""]);
    stage.wait(1);
    assert_eq!(stage.send("ada", PEER, b"x"), ["dropped: no_permission"]);
    assert_eq!(stage.arrive(0, PEER, b"y"), ["dropped: no_permission"]);
    // Neither does a Refresh renew it; a second request does.
    stage.refresh("ada", &[]);
    assert_eq!(stage.send("ada", PEER, b"x"), ["dropped: no_permission"]);
    stage.permit("ada", &[PEER]);
    stage.wait(200);
    stage.permit("ada", &[PEER]);
    stage.wait(299);
    assert_eq!(stage.send("ada", PEER, b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
}

#[test]
fn permissions_of_one_allocation_are_not_anothers() {
    let mut stage = permitted();
    stage.allocated("bob");
    assert_eq!(stage.send("bob", PEER, b"x"), ["dropped: no_permission"]);
    assert_eq!(stage.arrive(1, PEER, b"x"), ["dropped: no_permission"]);
}

#[test]
fn data_of_every_length_goes_through_both_ways() {
    let mut stage = permitted();
    for length in (0..=9).chain([1199, 1200, 65_000]) {
        let data = vec![b'x'; length];
        let text = String::from_utf8(data.clone()).unwrap();
        assert_eq!(stage.send("ada", PEER, &data), [format!("#0 to 203.0.113.9:9: {text:?}")]);
        assert_eq!(
            stage.arrive(0, PEER, &data),
            [format!("ada: Data indication, peer 203.0.113.9:9, {text:?}")]
        );
    }
    // The longest body of a STUN message is 65,532 bytes.
    assert_eq!(stage.arrive(0, PEER, &vec![0; 65_532 - 16]).len(), 1);
    assert_eq!(stage.arrive(0, PEER, &vec![0; 65_532 - 15]), ["dropped: too_long"]);
}

#[test]
fn a_send_indication_needs_a_peer_and_data() {
    let mut stage = permitted();
    for (with, fault) in [
        (&[][..], "missing_attribute"),
        (&[With::Peer(PEER)], "missing_attribute"),
        (&[With::Data(b"x")], "missing_attribute"),
        (&[With::Raw(0x0012, &[0, 1, 0, 9]), With::Data(b"x")], "missing_attribute"),
        (&[With::Peer(PEER), With::Data(b"x"), With::Raw(0x7F00, &[])], "unknown_attribute"),
        (&[With::Peer("[2001:db8::5]:9"), With::Data(b"x")], "family_mismatch"),
    ] {
        assert_eq!(stage.indicate("ada", with), [format!("dropped: {fault}")], "{with:?}");
    }
    // The first of each counts, and what need not be understood does not hurt.
    assert_eq!(
        stage.indicate(
            "ada",
            &[
                With::Raw(0x9000, b"?"),
                With::Data(b"a"),
                With::Data(b"b"),
                With::Peer(PEER),
                With::Peer("1.2.3.4:5")
            ]
        ),
        ["#0 to 203.0.113.9:9: \"a\""]
    );
}

#[test]
fn dont_fragment_counts_between_ipv4_datagrams_and_from_streams() {
    use super::super::Transport::{Tcp, Tls};
    let mut stage = Stage::new();
    stage.sit("tom", Tcp, "192.0.2.1:3478", "198.51.100.9:1");
    stage.sit("tim", Tls, "[2001:db8::1]:5349", "[2001:db8:9::9]:1");
    for name in ["tom", "tim"] {
        stage.seat(name).username = "bob".into();
        stage.seat(name).password = "bob".into();
    }
    let six = "[2001:db8:5::9]:9";
    let table = [
        ("ada", 1, PEER, " unfragmented"),
        // Translated or IPv6 on both sides: §13 has it ignored.
        ("bob", 2, six, ""),
        ("cyd", 1, PEER, ""),
        ("tom", 1, PEER, " unfragmented"),
        ("tim", 2, six, " unfragmented"),
    ];
    for (relay, (name, family, peer, unfragmented)) in table.into_iter().enumerate() {
        stage.allocate(name, &[With::Family(family)]);
        stage.permit(name, &[peer]);
        assert_eq!(
            stage.indicate(name, &[With::DontFragment, With::Peer(peer), With::Data(b"x")]),
            [format!("#{relay} to {peer}: \"x\"{unfragmented}")]
        );
    }
}

#[test]
fn icmp_errors_reach_the_client_that_caused_them() {
    let mut stage = permitted();
    stage.allocate("cyd", &[With::Family(2)]);
    let six = "[2001:db8:5::9]:9";
    stage.permit("cyd", &[six]);
    // Relay, peer, type, code, data, and what the client hears.
    let table = [
        (0, PEER, 3, 3, 0, "ada: Data indication, peer 203.0.113.9:9, icmp 3/3 0"),
        (0, PEER, 3, 4, 1400, "ada: Data indication, peer 203.0.113.9:9, icmp 3/4 1400"),
        (0, PEER, 11, 0, 0, "ada: Data indication, peer 203.0.113.9:9, icmp 11/0 0"),
        // Error Data is zero where it is no MTU (§18.13).
        (0, PEER, 3, 1, 77, "ada: Data indication, peer 203.0.113.9:9, icmp 3/1 0"),
        (0, PEER, 11, 4, 77, "ada: Data indication, peer 203.0.113.9:9, icmp 11/4 0"),
        (0, PEER, 8, 0, 0, "dropped: icmp_ignored"),
        (0, PEER, 5, 1, 0, "dropped: icmp_ignored"),
        (0, "203.0.113.9:0", 3, 1, 0, "ada: Data indication, peer 203.0.113.9:0, icmp 3/1 0"),
        (0, "203.0.113.8:9", 3, 1, 0, "dropped: no_permission"),
        (1, six, 1, 4, 9, "cyd: Data indication, peer [2001:db8:5::9]:9, icmp 1/4 0"),
        (1, six, 2, 0, 1280, "cyd: Data indication, peer [2001:db8:5::9]:9, icmp 2/0 1280"),
        (1, six, 3, 1, 0, "cyd: Data indication, peer [2001:db8:5::9]:9, icmp 3/1 0"),
        (1, six, 4, 1, 0, "dropped: icmp_ignored"),
        (1, six, 11, 0, 0, "dropped: icmp_ignored"),
        (7, PEER, 3, 3, 0, "dropped: no_allocation"),
    ];
    for (relay, peer, kind, code, data, heard) in table {
        assert_eq!(stage.icmp(relay, peer, kind, code, data), [heard], "{kind}/{code}");
    }
    // Even where a channel is bound (§12.5).
    stage.bind("ada", 0x4000, PEER);
    assert_eq!(stage.icmp(0, PEER, 3, 3, 0), ["ada: Data indication, peer 203.0.113.9:9, icmp 3/3 0"]);
}

#[test]
fn a_full_list_takes_known_peers_only_and_all_of_a_request_or_none() {
    let mut stage = Stage::with(|_, limits| limits.permissions = 3);
    stage.allocated("ada");
    stage.permit("ada", &["203.0.113.1:1", "203.0.113.2:1"]);
    let full = ["ada: CreatePermission error 508 Insufficient Capacity, sha1"];
    assert_eq!(stage.permit("ada", &["203.0.113.3:1", "203.0.113.4:1"]), full);
    assert_eq!(stage.send("ada", "203.0.113.3:1", b"x"), ["dropped: no_permission"]);
    assert_eq!(
        stage.permit("ada", &["203.0.113.1:1", "203.0.113.3:1", "203.0.113.3:2"]),
        ["ada: CreatePermission success, sha1"]
    );
    assert_eq!(
        stage.bind("ada", 0x4000, "203.0.113.4:1"),
        ["ada: ChannelBind error 508 Insufficient Capacity, sha1"]
    );
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["dropped: no_channel"]);
    // What expired makes room.
    stage.wait(300);
    assert_eq!(
        stage.permit("ada", &["203.0.113.4:1", "203.0.113.5:1", "203.0.113.6:1"]),
        ["ada: CreatePermission success, sha1"]
    );
}
