//! Channels: bound for ten minutes, to one peer each, padded on streams only (RFC 8656 §12).

use super::super::Transport;
use super::stage::{Stage, With};

const PEER: &str = "203.0.113.9:9";
const BOUND: [&str; 1] = ["ada: ChannelBind success, sha1"];
const WRONG: [&str; 1] = ["ada: ChannelBind error 400 Bad Request, sha1"];

fn bound() -> Stage {
    let mut stage = Stage::new();
    stage.allocated("ada");
    assert_eq!(stage.bind("ada", 0x4000, PEER), BOUND);
    stage
}

#[test]
fn a_channel_carries_data_both_ways() {
    let mut stage = bound();
    assert_eq!(stage.channel("ada", 0x4000, b"out"), ["#0 to 203.0.113.9:9: \"out\""]);
    assert_eq!(stage.arrive(0, PEER, b"in"), ["ada: channel 0x4000 \"in\""]);
    // A Send indication may be used all the same (§12.5).
    assert_eq!(stage.send("ada", PEER, b"out"), ["#0 to 203.0.113.9:9: \"out\""]);
    // The permission is for the address, the channel for the address with its port.
    assert_eq!(
        stage.arrive(0, "203.0.113.9:10", b"in"),
        ["ada: Data indication, peer 203.0.113.9:10, \"in\""]
    );
    assert_eq!(stage.channel("ada", 0x4001, b"x"), ["dropped: no_channel"]);
}

#[test]
fn all_numbers_of_the_range_can_be_bound() {
    let mut stage = Stage::new();
    stage.allocated("ada");
    for (number, peer) in [(0x4000, "203.0.113.1:1"), (0x4FFF, "203.0.113.2:2"), (0x4ABC, "203.0.113.3:3")] {
        assert_eq!(stage.bind("ada", number, peer), BOUND);
        assert_eq!(stage.channel("ada", number, b"x"), [format!("#0 to {peer}: \"x\"")]);
    }
}

#[test]
fn data_of_every_length_with_and_without_padding() {
    let mut stage = bound();
    for length in (0..=9_u16).chain([1200, 65_000]) {
        let data = vec![b'x'; usize::from(length)];
        let text = String::from_utf8(data.clone()).unwrap();
        let sent = [format!("#0 to 203.0.113.9:9: {text:?}")];
        assert_eq!(stage.channel("ada", 0x4000, &data), sent);
        // A datagram may be padded too (§12.5); a length that is not there is an error (§12.6).
        let padded = [&[0x40, 0], &length.to_be_bytes()[..], &data, &[0; 3]].concat();
        assert_eq!(stage.feed("ada", &padded), sent);
        assert_eq!(stage.feed("ada", &padded[..data.len() + 3]), ["dropped: malformed"]);
        // What we send in a datagram is not padded.
        assert_eq!(stage.arrive(0, PEER, &data), [format!("ada: channel 0x4000 {text:?}")]);
    }
    assert_eq!(stage.arrive(0, PEER, &vec![0; 65_536]), ["dropped: too_long"]);
}

#[test]
fn streams_are_padded() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let mut stage = Stage::new();
        stage.seat("ada").client.transport = transport;
        stage.allocated("ada").bind("ada", 0x4000, PEER);
        for (data, expected) in [
            ("", "\"\""),
            ("a", "\"a\" + 3"),
            ("ab", "\"ab\" + 2"),
            ("abc", "\"abc\" + 1"),
            ("abcd", "\"abcd\""),
        ] {
            assert_eq!(stage.arrive(0, PEER, data.as_bytes()), [format!("ada: channel 0x4000 {expected}")]);
        }
    }
}

#[test]
fn a_channel_lasts_ten_minutes_and_its_permission_five() {
    let mut stage = bound();
    stage.wait(300);
    // The permission is gone, the channel is not.
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["dropped: no_permission"]);
    assert_eq!(stage.arrive(0, PEER, b"y"), ["dropped: no_permission"]);
    stage.refresh("ada", &[With::Lifetime(3600)]);
    stage.permit("ada", &[PEER]);
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
    stage.wait(299);
    assert_eq!(stage.arrive(0, PEER, b"y"), ["ada: channel 0x4000 \"y\""]);
    stage.permit("ada", &[PEER]);
    stage.wait(1);
    // The channel is gone, the permission is not.
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["dropped: no_channel"]);
    assert_eq!(stage.arrive(0, PEER, b"y"), ["ada: Data indication, peer 203.0.113.9:9, \"y\""]);
}

#[test]
fn binding_again_renews_channel_and_permission() {
    let mut stage = bound();
    stage.refresh("ada", &[With::Lifetime(3600)]);
    stage.wait(599);
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["dropped: no_permission"]);
    assert_eq!(stage.bind("ada", 0x4000, PEER), BOUND);
    stage.wait(299);
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
    assert_eq!(stage.again("ada").len(), 1);
}

#[test]
fn a_number_and_a_peer_are_bound_to_each_other_until_they_expire() {
    let mut stage = bound();
    assert_eq!(stage.bind("ada", 0x4000, "203.0.113.9:10"), WRONG);
    assert_eq!(stage.bind("ada", 0x4000, "203.0.113.10:9"), WRONG);
    assert_eq!(stage.bind("ada", 0x4001, PEER), WRONG);
    assert_eq!(stage.bind("ada", 0x4001, "203.0.113.9:10"), BOUND);
    // What was refused changed nothing.
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
    stage.refresh("ada", &[With::Lifetime(3600)]);
    stage.wait(599);
    assert_eq!(stage.bind("ada", 0x4000, "203.0.113.10:9"), WRONG);
    stage.wait(1);
    assert_eq!(stage.bind("ada", 0x4000, "203.0.113.10:9"), BOUND);
    assert_eq!(stage.bind("ada", 0x4002, PEER), BOUND);
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["#0 to 203.0.113.10:9: \"x\""]);
}

#[test]
fn channels_of_one_allocation_are_not_anothers() {
    let mut stage = bound();
    stage.allocated("bob");
    assert_eq!(stage.channel("bob", 0x4000, b"x"), ["dropped: no_channel"]);
    assert_eq!(stage.bind("bob", 0x4000, "203.0.113.77:7"), ["bob: ChannelBind success, sha1"]);
    assert_eq!(stage.channel("bob", 0x4000, b"x"), ["#1 to 203.0.113.77:7: \"x\""]);
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
}

#[test]
fn a_full_list_takes_known_channels_only() {
    let mut stage = Stage::with(|_, limits| limits.channels = 2);
    stage.allocated("ada");
    assert_eq!(stage.bind("ada", 0x4000, "203.0.113.1:1"), BOUND);
    assert_eq!(stage.bind("ada", 0x4001, "203.0.113.2:1"), BOUND);
    let full = ["ada: ChannelBind error 508 Insufficient Capacity, sha1"];
    assert_eq!(stage.bind("ada", 0x4002, "203.0.113.3:1"), full);
    // Nor was a permission installed.
    assert_eq!(stage.send("ada", "203.0.113.3:1", b"x"), ["dropped: no_permission"]);
    assert_eq!(stage.bind("ada", 0x4001, "203.0.113.2:1"), BOUND);
}
