//! Two relayed addresses in one allocation, one of each family (RFC 8656 §7.2, §8.2, §12.2).

use super::super::OpenError;
use super::stage::{Stage, With};

const BOTH: With<'_> = With::Additional(2);

fn dual() -> Stage {
    let mut stage = Stage::new();
    assert_eq!(
        stage.allocate("ada", &[BOTH]),
        [
            "open #0 192.0.2.1:R0",
            "open #1 [2001:db8::1]:R1",
            "ada: Allocate success, relayed 192.0.2.1:R0, relayed [2001:db8::1]:R1, lifetime 600, \
             mapped 198.51.100.1:4000, software twocan, sha1"
        ]
    );
    assert_eq!(stage.server.allocations(), 1);
    stage
}

#[test]
fn each_family_is_permitted_and_relayed_by_its_own_address() {
    let mut stage = dual();
    assert_eq!(
        stage.permit("ada", &["203.0.113.9:9", "[2001:db8:5::9]:9"]),
        ["ada: CreatePermission success, sha1"]
    );
    assert_eq!(stage.send("ada", "203.0.113.9:9", b"four"), ["#0 to 203.0.113.9:9: \"four\""]);
    assert_eq!(stage.send("ada", "[2001:db8:5::9]:9", b"six"), ["#1 to [2001:db8:5::9]:9: \"six\""]);
    assert_eq!(
        stage.arrive(1, "[2001:db8:5::9]:9", b"six!"),
        ["ada: Data indication, peer [2001:db8:5::9]:9, \"six!\""]
    );
    // The permissions of one are not the other's.
    assert_eq!(stage.arrive(0, "[2001:db8:5::9]:9", b"x"), ["dropped: no_permission"]);
}

#[test]
fn a_channel_number_is_one_in_both_families() {
    let mut stage = dual();
    assert_eq!(stage.bind("ada", 0x4000, "203.0.113.9:9"), ["ada: ChannelBind success, sha1"]);
    assert_eq!(
        stage.bind("ada", 0x4000, "[2001:db8:5::9]:9"),
        ["ada: ChannelBind error 400 Bad Request, sha1"]
    );
    assert_eq!(stage.bind("ada", 0x4001, "[2001:db8:5::9]:9"), ["ada: ChannelBind success, sha1"]);
    assert_eq!(stage.channel("ada", 0x4000, b"4"), ["#0 to 203.0.113.9:9: \"4\""]);
    assert_eq!(stage.channel("ada", 0x4001, b"6"), ["#1 to [2001:db8:5::9]:9: \"6\""]);
    assert_eq!(stage.arrive(1, "[2001:db8:5::9]:9", b"6"), ["ada: channel 0x4001 \"6\""]);
}

#[test]
fn a_refresh_without_a_family_is_for_both() {
    let mut stage = dual();
    stage.wait(500);
    assert_eq!(stage.refresh("ada", &[]), ["ada: Refresh success, lifetime 600, software twocan, sha1"]);
    assert_eq!(stage.wait(599), [""; 0]);
    assert_eq!(stage.wait(1), ["close #0", "close #1"]);
    assert_eq!((stage.server.allocations(), stage.ledger.allocations()), (0, 0));
}

#[test]
fn one_family_is_refreshed_alone() {
    let mut stage = dual();
    stage.wait(500);
    assert_eq!(
        stage.refresh("ada", &[With::Family(2), With::Lifetime(3600)]),
        ["ada: Refresh success, lifetime 3600, software twocan, sha1"]
    );
    // The repeated answer tells the shorter of the two lifetimes.
    assert_eq!(stage.wait(100), ["close #0"]);
    assert_eq!(stage.server.allocations(), 1);
    assert_eq!(stage.wait(3499), [""; 0]);
    assert_eq!(stage.wait(1), ["close #1"]);
    assert_eq!(stage.server.allocations(), 0);
}

#[test]
fn one_family_is_deleted_alone() {
    let mut stage = dual();
    stage.bind("ada", 0x4000, "203.0.113.9:9");
    stage.bind("ada", 0x4001, "[2001:db8:5::9]:9");
    assert_eq!(
        stage.refresh("ada", &[With::Family(1), With::Lifetime(0)]),
        ["close #0", "ada: Refresh success, lifetime 0, software twocan, sha1"]
    );
    // The other one keeps what it has (§8.1).
    assert_eq!(stage.channel("ada", 0x4001, b"6"), ["#1 to [2001:db8:5::9]:9: \"6\""]);
    assert_eq!(stage.channel("ada", 0x4000, b"4"), ["dropped: no_channel"]);
    assert_eq!(stage.send("ada", "203.0.113.9:9", b"4"), ["dropped: family_mismatch"]);
    assert_eq!(
        stage.permit("ada", &["203.0.113.9:9"]),
        ["ada: CreatePermission error 443 Peer Address Family Mismatch, sha1"]
    );
    assert_eq!(
        stage.refresh("ada", &[With::Family(1)]),
        ["ada: Refresh error 443 Peer Address Family Mismatch, software twocan, sha1"]
    );
    // It is still an allocation, until the other one goes too.
    assert_eq!(
        stage.allocate("ada", &[]),
        ["ada: Allocate error 437 Allocation Mismatch, software twocan, sha1"]
    );
    assert_eq!(
        stage.refresh("ada", &[With::Lifetime(0)]),
        ["close #1", "ada: Refresh success, lifetime 0, software twocan, sha1"]
    );
    assert_eq!((stage.server.allocations(), stage.ledger.allocations()), (0, 0));
}

#[test]
fn a_family_that_cannot_be_had_is_said_so_and_the_other_one_granted() {
    let mut stage = Stage::with(|config, _| config.fallback[1] = None);
    assert_eq!(
        stage.allocate("ada", &[BOTH]),
        [
            "open #0 192.0.2.1:R0",
            "ada: Allocate success, relayed 192.0.2.1:R0, lifetime 600, mapped 198.51.100.1:4000, \
             not Ipv6: 440 Address Family not Supported, software twocan, sha1"
        ]
    );
    let mut stage = Stage::with(|config, _| config.fallback[0] = None);
    assert_eq!(
        stage.allocate("cyd", &[BOTH]),
        [
            "open #0 [2001:db8::1]:R0",
            "cyd: Allocate success, relayed [2001:db8::1]:R0, lifetime 600, mapped [2001:db8:9::3]:4000, \
             not Ipv4: 440 Address Family not Supported, software twocan, sha1"
        ]
    );
}

#[test]
fn a_socket_that_cannot_be_had_is_said_so_too() {
    for (outcomes, opened, missing) in [
        ([Err(OpenError::Failed), Ok(())], "[2001:db8::1]:R1", "Ipv4"),
        ([Ok(()), Err(OpenError::Failed)], "192.0.2.1:R0", "Ipv6"),
    ] {
        let mut stage = Stage::new();
        stage.outcomes.extend(outcomes);
        let lines = stage.allocate("ada", &[BOTH]);
        let expected = format!(
            "ada: Allocate success, relayed {opened}, lifetime 600, mapped 198.51.100.1:4000, \
             not {missing}: 508 Insufficient Capacity, software twocan, sha1"
        );
        assert_eq!(lines[2..], [expected]);
        // Only what is open is closed, and no port is lost.
        assert_eq!(stage.wait(600).len(), 1);
        assert_eq!(stage.ledger.ports_taken(), 0);
    }
}

#[test]
fn when_neither_can_be_had_it_is_508() {
    let refused = ["ada: Allocate error 508 Insufficient Capacity, software twocan, sha1"];
    let mut stage = Stage::new();
    stage.outcomes.extend([Err(OpenError::Failed); 2]);
    assert_eq!(stage.allocate("ada", &[BOTH])[2..], refused);
    assert_eq!((stage.ledger.allocations(), stage.ledger.ports_taken()), (0, 0));

    // One family is not supported, and for the other there is no port.
    let mut stage = Stage::with(|config, limits| {
        config.fallback[1] = None;
        limits.ports = 50_000..=50_000;
    });
    stage.allocated("bob");
    assert_eq!(stage.allocate("ada", &[BOTH]), refused);
    assert_eq!((stage.ledger.allocations(), stage.ledger.ports_taken()), (1, 1));
}

#[test]
fn two_ports_for_two_families_or_one_and_a_reason() {
    let mut stage = Stage::with(|_, limits| limits.ports = 50_000..=50_000);
    assert_eq!(
        stage.allocate("ada", &[BOTH]),
        [
            "open #0 192.0.2.1:R0",
            "ada: Allocate success, relayed 192.0.2.1:R0, lifetime 600, mapped 198.51.100.1:4000, \
             not Ipv6: 508 Insufficient Capacity, software twocan, sha1"
        ]
    );
}

#[test]
fn even_ports_in_both_families() {
    let mut stage = Stage::new();
    stage.allocate("ada", &[BOTH, With::Even]);
    assert_eq!((stage.port(0) % 2, stage.port(1) % 2), (0, 0));
}
