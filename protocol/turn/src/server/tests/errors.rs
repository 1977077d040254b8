//! Every error code where RFC 8656 puts it, and nowhere else (§5, §7.2, §8.2, §10.2, §12.2, §19).

use stun::Method;

use super::super::Alternate;
use super::stage::{Stage, UDP, With};
use With::{Additional, Channel, DontFragment, Even, EvenAndNext, Family, Peer, Raw, Token, Transport};

const PEER: With<'_> = Peer("203.0.113.9:9");

#[test]
fn what_an_allocate_request_may_not_be() {
    let bad = "400 Bad Request";
    let table: &[(&str, &[With<'_>], &str)] = &[
        ("no transport", &[], bad),
        ("a malformed transport", &[Raw(0x0019, &[17])], bad),
        ("TCP, which RFC 6062 adds", &[Transport(6)], "442 Unsupported Transport Protocol"),
        ("a protocol that is none", &[Transport(255)], "442 Unsupported Transport Protocol"),
        ("a token and an even port", &[UDP, Token([1; 8]), Even], bad),
        ("a token and an even pair", &[UDP, Token([1; 8]), EvenAndNext], bad),
        ("a token and a family", &[UDP, Token([1; 8]), Family(1)], bad),
        ("a token and a second family", &[UDP, Token([1; 8]), Additional(2)], bad),
        ("a token that nobody gave", &[UDP, Token([1; 8])], "508 Insufficient Capacity"),
        ("a malformed token", &[UDP, Raw(0x0022, &[1; 7])], bad),
        ("one family and two", &[UDP, Family(1), Additional(2)], bad),
        ("a family that is none", &[UDP, Family(3)], "440 Address Family not Supported"),
        ("family zero", &[UDP, Family(0)], "440 Address Family not Supported"),
        ("a malformed family", &[UDP, Raw(0x0017, &[1])], bad),
        ("a pair in two families", &[UDP, EvenAndNext, Additional(2)], bad),
        ("IPv4 as the second family", &[UDP, Additional(1)], bad),
        ("a second family that is none", &[UDP, Additional(9)], bad),
        ("a malformed even port", &[UDP, Raw(0x0018, &[])], bad),
        ("a malformed lifetime", &[UDP, Raw(0x000D, &[0; 3])], bad),
        ("a DONT-FRAGMENT with a value", &[UDP, Raw(0x001A, &[0; 4])], bad),
        (
            "unknown attributes",
            &[UDP, Raw(0x7001, &[]), Raw(0x7002, &[1])],
            "420 Unknown Attribute, unknown [7001, 7002]",
        ),
        // RFC 8489 §6.3.1 comes before anything that a method wants.
        ("an unknown one and no transport", &[Raw(0x7001, &[])], "420 Unknown Attribute, unknown [7001]"),
        (
            "STUN's attributes of other usages",
            &[UDP, Raw(0x0024, &[0; 4])],
            "420 Unknown Attribute, unknown [24]",
        ),
    ];
    for (what, with, expected) in table {
        let mut stage = Stage::new();
        assert_eq!(
            stage.ask("ada", Method::ALLOCATE, with),
            [format!("ada: Allocate error {expected}, software twocan, sha1")],
            "{what}"
        );
        assert_eq!((stage.server.allocations(), stage.ledger.allocations()), (0, 0), "{what}");
        assert_eq!(stage.server.poll_timeout(), None, "{what}");
    }
}

#[test]
fn what_an_allocate_request_may_be() {
    let table: &[(&str, &[With<'_>])] = &[
        ("unknown attributes that need not be understood", &[UDP, Raw(0x9001, &[1, 2, 3])]),
        ("attributes of answers", &[UDP, Raw(0x0016, &[])]),
        ("attributes of other requests", &[UDP, PEER, Channel(0x4000)]),
        ("DONT-FRAGMENT", &[UDP, DontFragment]),
        ("everything twice", &[UDP, Transport(6), Family(1), Family(9)]),
        ("ICE's attributes", &[UDP, Raw(0x8029, &[0; 8])]),
    ];
    for (what, with) in table {
        let mut stage = Stage::new();
        let lines = stage.ask("ada", Method::ALLOCATE, with);
        assert!(lines.iter().any(|line| line.contains("success")), "{what}: {lines:?}");
    }
}

#[test]
fn dont_fragment_is_unknown_where_sockets_cannot_do_it() {
    let mut stage = Stage::with(|config, _| config.dont_fragment = false);
    assert_eq!(
        stage.allocate("ada", &[DontFragment]),
        ["ada: Allocate error 420 Unknown Attribute, unknown [1a], software twocan, sha1"]
    );
    stage.allocated("ada").permit("ada", &["203.0.113.9:9"]);
    assert_eq!(
        stage.indicate("ada", &[PEER, With::Data(b"x"), DontFragment]),
        ["dropped: unknown_attribute"]
    );
    assert_eq!(stage.send("ada", "203.0.113.9:9", b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
}

#[test]
fn an_unsupported_family_is_440() {
    let mut stage = Stage::with(|config, _| config.fallback = [None, None]);
    assert_eq!(
        stage.allocate("ada", &[Family(2)]),
        ["ada: Allocate error 440 Address Family not Supported, software twocan, sha1"]
    );
    // Nothing asked for is IPv4.
    assert_eq!(
        stage.allocate("cyd", &[]),
        ["cyd: Allocate error 440 Address Family not Supported, software twocan, sha1"]
    );
    assert_eq!(stage.ledger.allocations(), 0);
}

#[test]
fn requests_without_an_allocation_are_437() {
    let mut stage = Stage::new();
    assert_eq!(
        stage.refresh("ada", &[]),
        ["ada: Refresh error 437 Allocation Mismatch, software twocan, sha1"]
    );
    assert_eq!(
        stage.permit("ada", &["203.0.113.9:9"]),
        ["ada: CreatePermission error 437 Allocation Mismatch, sha1"]
    );
    assert_eq!(
        stage.bind("ada", 0x4000, "203.0.113.9:9"),
        ["ada: ChannelBind error 437 Allocation Mismatch, sha1"]
    );
    assert_eq!(stage.send("ada", "203.0.113.9:9", b"x"), ["dropped: no_allocation"]);
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["dropped: no_allocation"]);
}

#[test]
fn requests_of_another_user_are_441() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    stage.seat("ada").username = "bob".into();
    stage.seat("ada").password = "bob".into();
    assert_eq!(
        stage.refresh("ada", &[With::Lifetime(0)]),
        ["ada: Refresh error 441 Wrong Credentials, software twocan, sha1"]
    );
    assert_eq!(
        stage.permit("ada", &["203.0.113.9:9"]),
        ["ada: CreatePermission error 441 Wrong Credentials, sha1"]
    );
    assert_eq!(
        stage.bind("ada", 0x4000, "203.0.113.9:9"),
        ["ada: ChannelBind error 441 Wrong Credentials, sha1"]
    );
    // An Allocate request never gets it (§7.4).
    assert_eq!(
        stage.allocate("ada", &[]),
        ["ada: Allocate error 437 Allocation Mismatch, software twocan, sha1"]
    );
    assert_eq!(stage.server.allocations(), 1);
}

#[test]
fn unknown_attributes_are_420_for_every_request() {
    let unknown = Raw(0x7777, &[]);
    for (method, ending) in [
        (Method::REFRESH, ", software twocan, sha1"),
        (Method::CREATE_PERMISSION, ", sha1"),
        (Method::CHANNEL_BIND, ", sha1"),
    ] {
        let mut stage = Stage::new();
        stage.allocated("ada");
        let expected = format!("ada: {method:?} error 420 Unknown Attribute, unknown [7777]{ending}");
        assert_eq!(stage.ask("ada", method, &[PEER, Channel(0x4000), unknown.clone()]), [expected]);
    }
    // At most eight are named.
    let mut stage = Stage::new();
    let many: Vec<_> = (0x7000..0x7010).map(|kind| Raw(kind, &[])).collect();
    assert_eq!(
        stage.allocate("ada", &many),
        [
            "ada: Allocate error 420 Unknown Attribute, unknown [7000, 7001, 7002, 7003, 7004, 7005, 7006, 7007], \
          software twocan, sha1"
        ]
    );
}

#[test]
fn what_a_permission_request_may_not_be() {
    let bad = "400 Bad Request";
    let table: &[(&str, &[With<'_>], &str)] = &[
        ("no peer", &[], bad),
        ("a malformed peer", &[Raw(0x0012, &[0, 1, 0])], bad),
        ("a malformed peer after a good one", &[PEER, Raw(0x0012, &[0; 8])], bad),
        ("a peer of another family", &[Peer("[2001:db8::9]:9")], "443 Peer Address Family Mismatch"),
        (
            "such a one beside a good one",
            &[PEER, Peer("[2001:db8::9]:9")],
            "443 Peer Address Family Mismatch",
        ),
        // What is wrong in itself comes first.
        ("a malformed one beside such a one", &[Peer("[2001:db8::9]:9"), Raw(0x0012, &[0; 8])], bad),
        ("a private peer", &[Peer("10.0.0.1:9")], "403 Forbidden"),
        ("a private peer beside a good one", &[PEER, Peer("127.0.0.1:9")], "403 Forbidden"),
    ];
    for (what, with, expected) in table {
        let mut stage = Stage::new();
        stage.allocated("ada");
        let expected = format!("ada: CreatePermission error {expected}, sha1");
        assert_eq!(stage.ask("ada", Method::CREATE_PERMISSION, with), [expected], "{what}");
        // None of the peers may send.
        assert_eq!(stage.arrive(0, "203.0.113.9:9", b"x"), ["dropped: no_permission"], "{what}");
    }
}

#[test]
fn what_a_channel_request_may_not_be() {
    let bad = "400 Bad Request";
    let table: &[(&str, &[With<'_>], &str)] = &[
        ("no number", &[PEER], bad),
        ("no peer", &[Channel(0x4000)], bad),
        ("a malformed number", &[PEER, Raw(0x000C, &[0x40, 0])], bad),
        ("a malformed peer", &[Channel(0x4000), Raw(0x0012, &[])], bad),
        ("a number below the range", &[Channel(0x3FFF), PEER], bad),
        ("RFC 5766's higher numbers", &[Channel(0x5000), PEER], bad),
        ("a number above the range", &[Channel(0xFFFF), PEER], bad),
        (
            "a peer of another family",
            &[Channel(0x4000), Peer("[2001:db8::9]:9")],
            "443 Peer Address Family Mismatch",
        ),
        ("a private peer", &[Channel(0x4000), Peer("192.168.0.1:9")], "403 Forbidden"),
        ("port zero", &[Channel(0x4000), Peer("203.0.113.9:0")], "403 Forbidden"),
        ("a number of another peer", &[Channel(0x4001), PEER], bad),
        ("a peer of another number", &[Channel(0x4000), Peer("203.0.113.1:1")], bad),
        ("a number of another peer, in another family", &[Channel(0x4001), Peer("[2001:db8::9]:9")], bad),
        ("a number of another peer, and a private one", &[Channel(0x4001), Peer("10.0.0.1:9")], bad),
    ];
    for (what, with, expected) in table {
        let mut stage = Stage::new();
        stage.allocated("ada").bind("ada", 0x4001, "203.0.113.1:1");
        let expected = format!("ada: ChannelBind error {expected}, sha1");
        assert_eq!(stage.ask("ada", Method::CHANNEL_BIND, with), [expected], "{what}");
        assert_eq!(stage.arrive(0, "203.0.113.9:9", b"x"), ["dropped: no_permission"], "{what}");
        assert_eq!(stage.arrive(0, "203.0.113.1:1", b"x"), ["ada: channel 0x4001 \"x\""], "{what}");
    }
}

#[test]
fn everyone_can_be_sent_elsewhere() {
    let mut stage = Stage::with(|config, _| {
        config.alternate = Some(Alternate {
            ipv4: "203.0.113.7:3478".parse().ok(),
            ipv6: None,
            domain: Some("turn.example".into()),
        });
    });
    assert_eq!(
        stage.allocate("ada", &[]),
        ["ada: Allocate error 300 Try Alternate, alternate 203.0.113.7:3478, domain turn.example, \
          software twocan, sha1"]
    );
    // There is nowhere for this one to go (RFC 8489 §10: the same family).
    stage.allocated("cyd");
    assert_eq!(stage.refresh("cyd", &[]), ["cyd: Refresh success, lifetime 600, software twocan, sha1"]);
}

#[test]
fn each_error_is_counted() {
    let mut stage = Stage::new();
    stage.refresh("ada", &[]);
    stage.allocate("ada", &[Family(9)]);
    stage.allocate("ada", &[Family(9)]);
    let errors: Vec<_> = stage.server.counters().errors().filter(|(_, count)| *count > 0).collect();
    assert_eq!(errors, [(401, 1), (437, 1), (440, 2)]);
}

#[test]
fn what_is_no_request_of_ours_is_dropped() {
    use stun::{Class, Method};
    let mut stage = Stage::new();
    stage.allocated("ada");
    let unheard = Method::new(0x0FF).unwrap();
    // RFC 6062's Connect.
    let connect = Method::new(0x00A).unwrap();
    let table = [
        (Class::Request, unheard, "unknown_method"),
        (Class::Request, connect, "unknown_method"),
        (Class::Request, Method::SEND, "unknown_method"),
        (Class::Request, Method::DATA, "unknown_method"),
        (Class::Indication, Method::DATA, "unknown_method"),
        (Class::Indication, Method::ALLOCATE, "unknown_method"),
        (Class::Success, Method::BINDING, "unexpected_class"),
        (Class::Error, Method::ALLOCATE, "unexpected_class"),
    ];
    for (class, method, fault) in table {
        let bytes = stage.message(class, method, &[PEER, With::Data(b"x")], |_| {});
        assert_eq!(stage.feed("ada", &bytes), [format!("dropped: {fault}")], "{class:?} {method:?}");
    }
    let keepalive = stage.message(Class::Indication, Method::BINDING, &[], |_| {});
    assert_eq!(stage.feed("ada", &keepalive), [""; 0]);
    for (bytes, fault) in [
        (&[][..], "not_stun"),
        (&[0x80, 0, 0, 0], "not_stun"),
        (&[0xFF; 100], "not_stun"),
        (&[0], "malformed"),
        (&[0; 20], "malformed"),
        (&[0x40], "malformed"),
        (&[0x40, 0, 0, 1], "malformed"),
        (&[0x50, 0, 0, 0], "malformed"),
        (&[0x7F, 0xFF, 0, 0], "malformed"),
    ] {
        assert_eq!(stage.feed("ada", bytes), [format!("dropped: {fault}")], "{bytes:02x?}");
    }
}
