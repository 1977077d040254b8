//! Binding (RFC 8489 §12) and what a NAT does to it (RFC 5780 §6).

use stun::{Class, Method};

use super::super::Discovery;
use super::super::Transport::Tcp;
use super::stage::{Stage, With};

/// SOFTWARE that pays for a longer answer.
const LONG: With<'_> = With::Raw(0x8022, &[b'x'; 60]);

fn two_addresses() -> Stage {
    Stage::with(|config, _| {
        config.discovery = Discovery {
            ports: Some((3478, 3479)),
            addresses: vec![("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap())],
        };
    })
}

fn change(flags: u8) -> Vec<u8> {
    vec![0, 0, 0, flags]
}

#[test]
fn a_client_learns_its_address() {
    let mut stage = Stage::new();
    assert_eq!(stage.bare("ada", Method::BINDING, &[]), ["ada: Binding success, mapped 198.51.100.1:4000"]);
    assert_eq!(
        stage.bare("cyd", Method::BINDING, &[]),
        ["cyd: Binding success, mapped [2001:db8:9::3]:4000"]
    );
    stage.seat("ada").client.transport = Tcp;
    assert_eq!(
        stage.bare("ada", Method::BINDING, &[LONG]),
        ["ada: Binding success, mapped 198.51.100.1:4000"]
    );
    assert_eq!(stage.server.counters().bindings, 3);
    // Nobody need prove anything, and who does is not refused for it.
    let proven = stage.request("ada", Method::BINDING, &[]);
    assert_eq!(stage.feed("ada", &proven), ["ada: Binding success, mapped 198.51.100.1:4000"]);
}

#[test]
fn a_fingerprint_is_answered_with_one() {
    let mut stage = Stage::new();
    let request = stage.message(Class::Request, Method::BINDING, &[], |writer| {
        writer.fingerprint();
    });
    assert_eq!(stage.feed("ada", &request), ["ada: Binding success, mapped 198.51.100.1:4000, fingerprint"]);
}

#[test]
fn what_is_not_understood_is_named() {
    let mut stage = Stage::new();
    assert_eq!(
        stage.bare("ada", Method::BINDING, &[With::Raw(0x7001, &[]), With::Raw(0x9001, &[])]),
        ["ada: Binding error 420 Unknown Attribute, unknown [7001]"]
    );
    // TURN's attributes mean nothing here; nor does a change of address where there is none.
    assert_eq!(
        stage.bare("ada", Method::BINDING, &[With::Transport(17), LONG]),
        ["ada: Binding error 420 Unknown Attribute, unknown [19]"]
    );
    for flags in [2, 4, 6] {
        assert_eq!(
            stage.bare("ada", Method::BINDING, &[With::Raw(3, &change(flags)), LONG]),
            ["ada: Binding error 420 Unknown Attribute, unknown [3]"]
        );
    }
    let mut stage = two_addresses();
    assert_eq!(
        stage.bare("ada", Method::BINDING, &[With::Raw(3, &[0]), LONG]),
        ["ada: Binding error 400 Bad Request"]
    );
}

#[test]
fn the_other_address_and_the_origin_are_told() {
    let mut stage = two_addresses();
    assert_eq!(
        stage.bare("ada", Method::BINDING, &[LONG]),
        ["ada: Binding success, mapped 198.51.100.1:4000, other 192.0.2.2:3479, origin 192.0.2.1:3478, \
          plainly mapped 198.51.100.1:4000"]
    );
    // As much of it as a short question pays for.
    assert_eq!(
        stage.bare("ada", Method::BINDING, &[]),
        ["ada: Binding success, mapped 198.51.100.1:4000, other 192.0.2.2:3479"]
    );
}

#[test]
fn the_answer_comes_from_where_the_client_wants_it() {
    let mut stage = two_addresses();
    stage.sit("at the second address", super::super::Transport::Udp, "192.0.2.2:3479", "198.51.100.1:4000");
    // Table 1, from either address.
    for (name, here, other) in [
        ("ada", ("192.0.2.1", 3478), ("192.0.2.2", 3479)),
        ("at the second address", ("192.0.2.2", 3479), ("192.0.2.1", 3478)),
    ] {
        for (flags, ip, port) in
            [(0, here.0, here.1), (2, here.0, other.1), (4, other.0, here.1), (6, other.0, other.1)]
        {
            let lines = stage.bare(name, Method::BINDING, &[With::Raw(3, &change(flags)), LONG]);
            let who =
                if flags == 0 { name.into() } else { format!("Udp 198.51.100.1:4000 from {ip}:{port}") };
            // The second seat has the first one's address when all is changed.
            let who = match (name, flags) {
                ("ada", 6) => "at the second address".into(),
                ("at the second address", 6) => "ada".into(),
                _ => who,
            };
            assert_eq!(
                lines,
                [format!(
                    "{who}: Binding success, mapped 198.51.100.1:4000, other {}:{}, origin {ip}:{port}, \
                     plainly mapped 198.51.100.1:4000",
                    other.0, other.1
                )],
                "{name} {flags}"
            );
        }
    }
}

#[test]
fn the_answer_goes_to_the_port_that_the_client_names() {
    let mut stage = two_addresses();
    assert_eq!(
        stage.bare("ada", Method::BINDING, &[With::Raw(0x27, &[0x13, 0x88, 0, 0]), LONG]),
        ["Udp 198.51.100.1:5000 from 192.0.2.1:3478: Binding success, mapped 198.51.100.1:4000, \
          other 192.0.2.2:3479, origin 192.0.2.1:3478, plainly mapped 198.51.100.1:4000"]
    );
    assert_eq!(
        stage.bare("ada", Method::BINDING, &[With::Raw(0x27, &[1]), LONG]),
        ["ada: Binding error 400 Bad Request"]
    );
}

#[test]
fn padding_is_answered_with_padding() {
    let mut stage = two_addresses();
    let all = "mapped 198.51.100.1:4000, other 192.0.2.2:3479, origin 192.0.2.1:3478, \
               plainly mapped 198.51.100.1:4000";
    // As long as a link's frame, but no longer than the request pays for.
    for (asked, answered) in [(1500, 1500), (1480, 1500), (600, 876), (100, 128)] {
        assert_eq!(
            stage.bare("ada", Method::BINDING, &[With::Raw(0x26, &vec![0; asked])]),
            [format!("ada: Binding success, {all}, padding {answered}")],
            "{asked}"
        );
    }
    // It must not be turned against another port (§6.1).
    assert_eq!(
        stage.bare("ada", Method::BINDING, &[With::Raw(0x26, &[0; 64]), With::Raw(0x27, &[0, 9])]),
        ["ada: Binding error 400 Bad Request"]
    );
}

#[test]
fn a_stream_has_no_other_address() {
    let mut stage = two_addresses();
    stage.seat("ada").client.transport = Tcp;
    assert_eq!(stage.bare("ada", Method::BINDING, &[]), ["ada: Binding success, mapped 198.51.100.1:4000"]);
    assert_eq!(
        stage.bare("ada", Method::BINDING, &[With::Raw(3, &change(6))]),
        ["ada: Binding error 420 Unknown Attribute, unknown [3]"]
    );
}
