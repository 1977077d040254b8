//! Who has not proven its address draws no more than one and a half times what it sent, headers included.

use stun::attribute::Nonce;
use stun::{Class, Message, Method};

use super::super::{Discovery, MAX_REALM_LEN};
use super::stage::{Stage, UDP, With};

/// Bytes on the wire with the headers of IP and UDP.
fn on_the_wire(name: &str, length: usize) -> usize {
    length + if name == "cyd" { 48 } else { 28 }
}

#[test]
fn no_answer_is_more_than_half_again_as_large() {
    let methods =
        [Method::BINDING, Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND];
    let mut answered = 0;
    // With every way to be padded, the longest among them.
    for realm_len in [1, 4, 7, MAX_REALM_LEN] {
        let realm = "r".repeat(realm_len);
        let mut stage = Stage::with(|config, _| {
            let secret = [7; 32];
            *config =
                super::super::Config::new(&realm, super::start(), std::time::Duration::from_secs(1), secret)
                    .unwrap();
            config.discovery = Discovery {
                ports: Some((3478, 3479)),
                addresses: vec![
                    ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()),
                    ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap()),
                ],
            };
        });
        for name in ["ada", "cyd"] {
            for method in methods {
                for filler in (0..=160).chain([400, 800, 1200]) {
                    // Attributes that need be understood, that need not be, that prove nothing, that do.
                    let fillers: [&[With<'_>]; 5] = [
                        &[With::Raw(0x8022, &vec![b'x'; filler])],
                        &[With::Raw(0x7001, &vec![0; filler])],
                        &[With::Raw(0x0026, &vec![0; filler])],
                        &[With::Raw(0x0008, &vec![0; filler])],
                        &vec![With::Raw(0x7002, &[]); filler / 4],
                    ];
                    for with in fillers {
                        for fingerprint in [false, true] {
                            let request = stage.message(Class::Request, method, with, |writer| {
                                if fingerprint {
                                    writer.fingerprint();
                                }
                            });
                            let client = stage.seat(name).client;
                            let _dropped = stage.server.handle_client(stage.now, &client, &request);
                            let mut answer = Vec::new();
                            if stage.server.poll_transmit(&mut answer).is_none() {
                                continue;
                            }
                            assert_eq!(stage.server.poll_transmit(&mut Vec::new()), None);
                            answered += 1;
                            assert!(
                                2 * on_the_wire(name, answer.len()) <= 3 * on_the_wire(name, request.len()),
                                "{name} {method:?} {} bytes drew {}",
                                request.len(),
                                answer.len()
                            );
                        }
                    }
                }
            }
        }
    }
    assert!(answered > 40_000, "{answered} requests were answered");
}

#[test]
fn the_shortest_allocate_request_of_a_browser_is_challenged_in_every_realm() {
    for realm_len in 1..=MAX_REALM_LEN {
        let realm = "r".repeat(realm_len);
        let mut stage = Stage::with(|config, _| {
            let start = super::start();
            *config =
                super::super::Config::new(&realm, start, std::time::Duration::from_secs(1), [7; 32]).unwrap();
            config.credentials.add_user(&realm, "ada", "ada");
        });
        stage.seat("ada").realm = realm;
        for name in ["ada", "cyd"] {
            let lines = stage.bare(name, Method::ALLOCATE, &[UDP]);
            assert!(lines[0].contains("401"), "{lines:?}");
        }
        // Its nonce is as good as a longer one.
        assert!([8, 12].contains(&stage.seat("ada").nonce.len()));
        stage.allocated("ada");
    }
}

#[test]
fn a_longer_request_gets_a_better_answer() {
    let mut stage = Stage::new();
    let rest = "401, realm example, nonce of";
    for (software, expected) in [
        (0, format!("{rest} 12")),
        (20, format!("{rest} 33, algorithms sha256 md5")),
        (60, format!("{} 33, algorithms sha256 md5", rest.replace("401", "401 Unauthenticated"))),
    ] {
        assert_eq!(
            stage.bare("ada", Method::ALLOCATE, &[UDP, With::Raw(0x8022, &vec![b'x'; software])]),
            [format!("ada: Allocate error {expected}")],
            "{software}"
        );
    }
}

#[test]
fn realms_that_would_not_fit_are_refused() {
    use super::super::{Config, ConfigError};
    let new = |realm: &str| Config::new(realm, super::start(), std::time::Duration::ZERO, [0; 32]).err();
    assert_eq!(new(""), Some(ConfigError::EmptyRealm));
    assert_eq!(new(&"r".repeat(MAX_REALM_LEN)), None);
    assert_eq!(new(&"r".repeat(MAX_REALM_LEN + 1)), Some(ConfigError::RealmTooLong));
}

#[test]
fn two_clients_never_get_the_same_nonce() {
    let mut stage = Stage::new();
    let mut nonces = Vec::new();
    for name in ["ada", "bob", "cyd"] {
        stage.bare(name, Method::ALLOCATE, &[UDP, With::Raw(0x8022, &[b'x'; 60])]);
        let answer = stage.answer.clone();
        let nonce = Message::parse(&answer).unwrap().get::<Nonce<'_>>().unwrap().unwrap().0.to_owned();
        nonces.push(nonce);
    }
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
}
