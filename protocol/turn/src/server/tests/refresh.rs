//! Refresh: longer, and the end (RFC 8656 §8.2).

use super::stage::{Stage, With};

#[test]
fn a_refresh_starts_the_lifetime_anew() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    assert_eq!(stage.wait(599), [""; 0]);
    assert_eq!(stage.refresh("ada", &[]), ["ada: Refresh success, lifetime 600, software twocan, sha1"]);
    assert_eq!(stage.wait(599), [""; 0]);
    assert_eq!(stage.wait(1), ["close #0"]);
}

#[test]
fn lifetimes_have_a_floor_and_a_cap() {
    for (asked, granted) in [(1, 600), (600, 600), (601, 601), (3600, 3600), (3601, 3600), (u32::MAX, 3600)] {
        let mut stage = Stage::new();
        stage.allocated("ada");
        assert_eq!(
            stage.refresh("ada", &[With::Lifetime(asked)]),
            [format!("ada: Refresh success, lifetime {granted}, software twocan, sha1")]
        );
        assert_eq!(stage.wait(granted - 1), [""; 0]);
        assert_eq!(stage.wait(1), ["close #0"]);
    }
}

#[test]
fn a_refresh_can_shorten() {
    let mut stage = Stage::new();
    stage.allocate("ada", &[With::Lifetime(3600)]);
    assert_eq!(stage.refresh("ada", &[]), ["ada: Refresh success, lifetime 600, software twocan, sha1"]);
    assert_eq!(stage.wait(600), ["close #0"]);
}

#[test]
fn lifetime_zero_ends_at_once() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    stage.permit("ada", &["203.0.113.9:9"]);
    stage.bind("ada", 0x4000, "203.0.113.9:9");
    assert_eq!(
        stage.refresh("ada", &[With::Lifetime(0)]),
        ["close #0", "ada: Refresh success, lifetime 0, software twocan, sha1"]
    );
    assert_eq!(stage.server.allocations(), 0);
    // Nothing is relayed any more, in any way.
    assert_eq!(stage.channel("ada", 0x4000, b"late"), ["dropped: no_allocation"]);
    assert_eq!(stage.send("ada", "203.0.113.9:9", b"late"), ["dropped: no_allocation"]);
    assert_eq!(stage.arrive(0, "203.0.113.9:9", b"late"), ["dropped: no_allocation"]);
    assert_eq!(stage.icmp(0, "203.0.113.9:9", 3, 1, 0), ["dropped: no_allocation"]);
    // A retransmission finds nothing, which a client takes for success (§8.3).
    assert_eq!(stage.again("ada"), ["ada: Refresh error 437 Allocation Mismatch, software twocan, sha1"]);
    // What comes next starts afresh: no permission, no channel.
    stage.allocated("ada");
    assert_eq!(stage.channel("ada", 0x4000, b"new"), ["dropped: no_channel"]);
    assert_eq!(stage.send("ada", "203.0.113.9:9", b"new"), ["dropped: no_permission"]);
}

#[test]
fn the_family_must_be_the_allocations() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    let mismatch = "ada: Refresh error 443 Peer Address Family Mismatch, software twocan, sha1";
    for (family, with) in [(2, With::Lifetime(600)), (2, With::Lifetime(0)), (7, With::Lifetime(600))] {
        assert_eq!(stage.refresh("ada", &[with, With::Family(family)]), [mismatch]);
    }
    assert_eq!(
        stage.refresh("ada", &[With::Family(1)]),
        ["ada: Refresh success, lifetime 600, software twocan, sha1"]
    );
    assert_eq!(
        stage.refresh("ada", &[With::Raw(0x0017, &[1])]),
        ["ada: Refresh error 400 Bad Request, software twocan, sha1"]
    );
    assert_eq!(
        stage.refresh("ada", &[With::Raw(0x000D, &[0, 0, 2])]),
        ["ada: Refresh error 400 Bad Request, software twocan, sha1"]
    );
}

#[test]
fn data_does_not_refresh() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    stage.bind("ada", 0x4000, "203.0.113.9:9");
    stage.wait(299);
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
    assert_eq!(stage.wait(301), ["close #0"]);
}

#[test]
fn nothing_is_relayed_after_the_end_even_if_nobody_woke_the_server() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    stage.oversleep(590);
    stage.bind("ada", 0x4000, "203.0.113.9:9");
    stage.oversleep(9);
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
    assert_eq!(stage.arrive(0, "203.0.113.9:9", b"y"), ["ada: channel 0x4000 \"y\""]);
    stage.oversleep(1);
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["dropped: no_channel"]);
    assert_eq!(stage.arrive(0, "203.0.113.9:9", b"y"), ["dropped: no_allocation"]);
    assert_eq!(stage.icmp(0, "203.0.113.9:9", 3, 1, 0), ["dropped: no_allocation"]);
    assert_eq!(stage.send("ada", "203.0.113.9:9", b"x"), ["close #0", "dropped: no_allocation"]);
}
