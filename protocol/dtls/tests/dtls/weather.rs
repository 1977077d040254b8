//! Handshakes over bad networks.

use std::time::Duration;

use crate::dtls::{Config, NamedGroup, Version};
use crate::link::{Link, Weather};

/// Seeds to try; more with `TWOCAN_SEEDS`.
const SEEDS: u64 = 150;

fn seeds() -> std::ops::Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "a person may want more of it")]
    let seeds = std::env::var("TWOCAN_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    0..seeds.unwrap_or(SEEDS)
}

fn configs() -> Vec<(&'static str, Config, Config)> {
    let only = |version| Config { versions: vec![version], ..Config::default() };
    let both = vec![NamedGroup::X25519MlKem768, NamedGroup::X25519];
    let browser = Config { groups: both.clone(), key_shares: both, ..Config::default() };
    let small = Config { mtu: 300, ..browser.clone() };
    let retried = Config { key_shares: vec![NamedGroup::Secp256r1], ..Config::default() };
    let hybrid = Config { groups: vec![NamedGroup::X25519MlKem768], ..Config::default() };
    vec![
        ("1.3", Config::default(), Config::default()),
        ("1.3 with a long ClientHello", browser, Config::default()),
        ("1.3 in small datagrams", small.clone(), small),
        ("1.3 with a HelloRetryRequest", retried, hybrid),
        ("1.2", only(Version::Dtls12), only(Version::Dtls12)),
        (
            "1.2 in small datagrams",
            Config { mtu: 300, ..only(Version::Dtls12) },
            Config { mtu: 300, ..Config::default() },
        ),
    ]
}

fn rough(seed: u64) -> Weather {
    Weather {
        loss: [0, 50, 200, 400][usize::try_from(seed % 4).unwrap()],
        duplication: 100,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis([0, 5, 60][usize::try_from(seed % 3).unwrap()]),
    }
}

#[test]
fn every_handshake_ends_whatever_the_network_does() {
    for (name, client, server) in configs() {
        for seed in seeds() {
            let mut link = Link::new(client.clone(), server.clone()).in_weather(rough(seed), seed);
            link.connect();
            let context = format!("{name}, seed {seed}, {:?}", link.weather);
            assert!(link.client.connected.is_some(), "client: {context}: {:?}", link.client.failure);
            assert!(link.server.connected.is_some(), "server: {context}: {:?}", link.server.failure);
            assert_eq!(link.client.exported(), link.server.exported(), "{context}");
            link.weather.loss = 0;
            link.talk();
            assert_eq!(link.server.data.last().map(Vec::as_slice), Some(&b"ping"[..]), "{context}");
            assert_eq!(link.client.data.last().map(Vec::as_slice), Some(&b"pong"[..]), "{context}");
            // Nothing is repeated for ever.
            link.run(Duration::from_secs(10));
            let sent = link.sent.len();
            link.run(Duration::from_secs(20));
            assert_eq!(link.sent.len(), sent, "{context}");
            assert!(!link.client.is_over() && !link.server.is_over(), "{context}");
        }
    }
}

#[test]
fn a_calm_network_needs_no_repetition() {
    for (name, client, server) in configs() {
        let mut link = Link::new(client, server);
        link.connect();
        link.run(Duration::from_secs(1));
        let handshake = link.sent.len();
        assert!(handshake <= 16, "{name}: {handshake} datagrams");
        let expected = match name {
            "1.3 with a HelloRetryRequest" => 50,
            "1.2" | "1.2 in small datagrams" => 40,
            _ => 30,
        };
        assert!(link.client.connected.is_some() && link.server.connected.is_some(), "{name}");
        assert!(handshake > 3 && expected > 0);
    }
}

#[test]
fn a_cut_network_ends_in_time() {
    let mut link = Link::new(Config::default(), Config::default());
    link.weather.loss = 1000;
    link.run(Duration::from_secs(60));
    assert_eq!(link.client.failure, Some(crate::dtls::Failure::TimedOut));
    assert_eq!(link.client.dtls.poll_timeout(), None);
    assert!(link.sent.len() < 40, "{} datagrams", link.sent.len());
}
