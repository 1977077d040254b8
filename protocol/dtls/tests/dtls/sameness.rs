//! The same seed, the same bytes.

use std::sync::Arc;
use std::time::Duration;

use crate::dtls::{Certificate, Config, Role, Version};
use crate::ends::{End, start};
use crate::link::{Link, Weather};

/// Ed25519 signs without a nonce. Made with `openssl req -x509 -newkey ed25519 -nodes -days 10000 -subj /CN=test`.
const CERTIFICATE: &str = include_str!("ed25519.pem");

fn run(version: Version) -> Vec<(bool, Vec<u8>)> {
    let now = start();
    let certificate = Arc::new(Certificate::from_pem(CERTIFICATE, CERTIFICATE).unwrap());
    let config = Config { versions: vec![version], ..Config::default() };
    let client = End::with_certificate(config.clone(), Role::Client, Arc::clone(&certificate), 1, now);
    let server = End::with_certificate(config, Role::Server, certificate, 2, now);
    let weather = Weather {
        loss: 300,
        duplication: 100,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(30),
    };
    let mut link = Link::of(client, server, now).in_weather(weather, 5);
    link.connect();
    link.talk();
    assert!(link.client.connected.is_some() && link.server.connected.is_some());
    link.sent
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for version in [Version::Dtls12, Version::Dtls13] {
        assert_eq!(run(version), run(version));
    }
}
