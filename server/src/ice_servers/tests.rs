use std::time::Instant;

use super::*;

fn issuer() -> IceServerIssuer {
    let settings = IceSettings {
        udp: Some(3478),
        alternate_udp: Some(3479),
        tcp: Some(3478),
        tls: Some(5349),
        public_ip: None,
        loopback_means: None,
        life: Duration::from_secs(3600),
    };
    IceServerIssuer::new(settings, b"north")
}

fn at(seconds: u64) -> Now {
    Now { instant: Instant::now(), unix: Duration::from_secs(seconds) }
}

#[test]
fn every_way_to_us_under_the_name_that_was_asked() {
    let list =
        serde_json::to_value(issuer().list_for("web", "talk.example:8080", at(1_700_000_000))).unwrap();
    assert_eq!(
        list,
        serde_json::json!([
            {"urls": ["stun:talk.example:3478", "stun:talk.example:3479"]},
            {
                "urls": [
                    "turn:talk.example:3478?transport=udp",
                    "turn:talk.example:3478?transport=tcp",
                    "turns:talk.example:5349?transport=tcp",
                ],
                "username": "1700003600:web",
                // printf 1700003600:web | openssl dgst -sha1 -hmac north -binary | base64
                "credential": "ro38cWCUJv2YJfTWUs/rHXrr4wA=",
            },
        ])
    );
}

#[test]
fn everyone_gets_a_name_and_so_a_quota_of_ones_own() {
    let user = || issuer().list("talk.example", at(1_700_000_000))[1].username.clone().unwrap();
    let (one, other) = (user(), user());
    assert!(one.starts_with("1700003600:") && other.starts_with("1700003600:"), "{one} {other}");
    assert_ne!(one, other);
}

#[test]
fn addresses_as_hosts() {
    let stun = |host: &str| issuer().stun_addresses(host);
    assert_eq!(stun("192.0.2.7")[0], "192.0.2.7:3478");
    assert_eq!(stun("[2001:db8::1]:8080")[1], "[2001:db8::1]:3479");
}

#[test]
fn a_host_that_is_none_gives_our_own_address_or_nothing() {
    for host in ["", ":80", "a b", "[nonsense]:80", "x;y", "evil.example/path"] {
        assert_eq!(issuer().stun_addresses(host), Vec::<String>::new(), "{host}");
        let mut known = issuer();
        known.settings.public_ip = Some("2001:db8::2".parse().unwrap());
        assert_eq!(known.stun_addresses(host)[0], "[2001:db8::2]:3478", "{host}");
    }
}

#[test]
fn what_is_off_is_not_named() {
    let off = IceServerIssuer::new(IceSettings { udp: Some(3478), ..IceSettings::default() }, b"x");
    let list = serde_json::to_string(&off.list("h", at(0))).unwrap();
    assert!(list.contains("turn:h:3478?transport=udp") && !list.contains("tcp") && !list.contains("turns"));
    assert_eq!(IceServerIssuer::new(IceSettings::default(), b"x").list("h", at(0)), []);
}

#[test]
fn this_very_computer_is_named_by_an_address_that_others_reach() {
    let mut issuer = issuer();
    assert_eq!(issuer.stun_addresses("localhost:8080")[0], "localhost:3478");
    issuer.settings.loopback_means = Some("192.0.2.9".parse().unwrap());
    for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(issuer.stun_addresses(host)[0], "192.0.2.9:3478");
    }
    assert_eq!(issuer.stun_addresses("talk.example")[0], "talk.example:3478");
}
