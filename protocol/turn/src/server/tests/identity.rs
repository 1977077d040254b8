//! The 5-tuple names an allocation: transport and our own address belong to it (RFC 8656 §5, §6).

use super::super::Transport::{Tcp, Tls, Udp};
use super::stage::{Stage, With};

#[test]
fn each_part_of_the_5_tuple_makes_another_client() {
    let mut stage = Stage::new();
    let others = [
        ("another port", Udp, "192.0.2.1:3478", "198.51.100.1:4001"),
        ("another address", Udp, "192.0.2.1:3478", "198.51.100.11:4000"),
        ("our other port", Udp, "192.0.2.1:3479", "198.51.100.1:4000"),
        ("our other address", Udp, "192.0.2.2:3478", "198.51.100.1:4000"),
        ("over TCP", Tcp, "192.0.2.1:3478", "198.51.100.1:4000"),
        ("over TLS", Tls, "192.0.2.1:3478", "198.51.100.1:4000"),
    ];
    stage.allocated("ada").bind("ada", 0x4000, "203.0.113.9:9");
    for (index, (name, transport, local, remote)) in others.into_iter().enumerate() {
        stage.sit(name, transport, local, remote);
        (stage.seat(name).username, stage.seat(name).password) = ("ada".into(), "ada".into());
        // What ada has is not theirs …
        assert_eq!(stage.channel(name, 0x4000, b"x"), ["dropped: no_allocation"], "{name}");
        assert_eq!(stage.send(name, "203.0.113.9:9", b"x"), ["dropped: no_allocation"], "{name}");
        assert_eq!(
            stage.refresh(name, &[With::Lifetime(0)]),
            [format!("{name}: Refresh error 437 Allocation Mismatch, software twocan, sha1")]
        );
        // … and they have room for their own, as the same user.
        stage.allocated(name);
        assert_eq!(stage.server.allocations(), index + 2);
        assert_eq!(
            stage.bind(name, 0x4000, "203.0.113.10:9"),
            [format!("{name}: ChannelBind success, sha1")]
        );
        assert_eq!(stage.channel(name, 0x4000, b"x"), [format!("#{} to 203.0.113.10:9: \"x\"", index + 1)]);
    }
    assert_eq!(stage.channel("ada", 0x4000, b"x"), ["#0 to 203.0.113.9:9: \"x\""]);
    assert_eq!(stage.arrive(0, "203.0.113.9:9", b"y"), ["ada: channel 0x4000 \"y\""]);
    // The relayed address follows the address that was spoken to.
    assert_eq!(stage.wanted[4].ip().to_string(), "192.0.2.2");
}
