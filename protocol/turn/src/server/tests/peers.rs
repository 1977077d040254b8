//! Which peers may be spoken to: asked for permissions, channels and each Send (RFC 8656 §10.2, §11.2, §12.2).

use super::super::PeerPolicy;
use super::stage::Stage;

fn stage(change: impl FnOnce(&mut PeerPolicy)) -> Stage {
    let mut stage = Stage::with(|config, _| {
        config.peers = PeerPolicy {
            allowed: Vec::new(),
            own: vec!["192.0.2.1".parse().unwrap(), "10.0.0.5".parse().unwrap()],
            own_ports: vec![3478, 8080],
            open_ports: Vec::new(),
            relay_ports: Some(49_152..=65_535),
        };
        change(&mut config.peers);
    });
    stage.allocated("ada");
    stage
}

#[test]
fn networks_that_only_the_server_reaches_are_forbidden() {
    let mut stage = stage(|_| {});
    for peer in [
        "127.0.0.1:9",
        "0.0.0.0:9",
        "10.0.0.1:9",
        "172.16.0.1:9",
        "192.168.1.1:9",
        "100.64.0.1:9",
        "169.254.169.254:80",
        "224.0.0.1:9",
        "255.255.255.255:9",
    ] {
        assert_eq!(
            stage.permit("ada", &[peer]),
            ["ada: CreatePermission error 403 Forbidden, sha1"],
            "{peer}"
        );
        assert_eq!(stage.bind("ada", 0x4000, peer), ["ada: ChannelBind error 403 Forbidden, sha1"], "{peer}");
        assert_eq!(stage.send("ada", peer, b"x"), ["dropped: no_permission"], "{peer}");
    }
    stage.allocate("bob", &[super::stage::With::Family(2)]);
    for peer in [
        "[::1]:9",
        "[::]:9",
        "[fe80::1]:9",
        "[fd00::1]:9",
        "[ff02::1]:9",
        "[::ffff:8.8.8.8]:9",
        "[64:ff9b::808:808]:9",
    ] {
        assert_eq!(
            stage.permit("bob", &[peer]),
            ["bob: CreatePermission error 403 Forbidden, sha1"],
            "{peer}"
        );
        assert_eq!(stage.bind("bob", 0x4000, peer), ["bob: ChannelBind error 403 Forbidden, sha1"], "{peer}");
    }
}

#[test]
fn our_own_listeners_are_forbidden_and_our_relays_are_not() {
    // Two relayed clients meet at the server's own address.
    let mut stage = stage(|_| {});
    stage.allocated("bob");
    let bob = format!("192.0.2.1:{}", stage.port(1));
    assert_eq!(stage.permit("ada", &[&bob]), ["ada: CreatePermission success, sha1"]);
    assert_eq!(stage.send("ada", &bob, b"x"), ["#0 to 192.0.2.1:R1: \"x\""]);
    assert_eq!(stage.bind("ada", 0x4000, &bob), ["ada: ChannelBind success, sha1"]);
    assert_eq!(stage.arrive(0, &bob, b"y"), ["ada: channel 0x4000 \"y\""]);
    // The permission is for the address; each port is asked for when it is used.
    for peer in ["192.0.2.1:3478", "192.0.2.1:8080", "192.0.2.1:22", "192.0.2.1:0"] {
        assert_eq!(stage.send("ada", peer, b"x"), ["dropped: peer_denied"], "{peer}");
        assert_eq!(stage.bind("ada", 0x4001, peer), ["ada: ChannelBind error 403 Forbidden, sha1"], "{peer}");
    }
}

#[test]
fn what_the_operator_opens_is_open_but_for_our_listeners() {
    let mut stage = stage(|policy| {
        policy.allowed = vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
    });
    stage.permit("ada", &["127.0.0.1:1", "127.9.9.9:1", "10.0.0.1:1", "10.0.0.5:1"]);
    for (peer, expected) in [
        ("127.0.0.1:9000", "#0 to 127.0.0.1:9000: \"x\""),
        ("127.9.9.9:9000", "#0 to 127.9.9.9:9000: \"x\""),
        ("10.0.0.1:3478", "#0 to 10.0.0.1:3478: \"x\""),
        ("10.0.0.5:22", "#0 to 10.0.0.5:22: \"x\""),
        ("127.0.0.1:3478", "dropped: peer_denied"),
        ("127.9.9.9:8080", "dropped: peer_denied"),
        ("10.0.0.5:3478", "dropped: peer_denied"),
    ] {
        assert_eq!(stage.send("ada", peer, b"x"), [expected], "{peer}");
    }
}
