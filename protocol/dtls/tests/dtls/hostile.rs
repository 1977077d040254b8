//! Somebody in between who changes, repeats, invents.

use std::time::Duration;

use proptest::prelude::*;

use crate::dtls::{Config, Dtls, Fault, Role, Version};
use crate::ends::{End, certificate, start};
use crate::link::Link;

fn only(version: Version) -> Config {
    Config { versions: vec![version], ..Config::default() }
}

/// One change to a datagram.
fn change(link: &mut Link, datagram: &mut Vec<u8>) {
    let length = u64::try_from(datagram.len()).unwrap();
    let at = usize::try_from(link.random(length)).unwrap();
    match link.random(5) {
        0 => datagram[at] ^= 1 << link.random(8),
        1 => datagram.truncate(at),
        2 => datagram[at] = u8::try_from(link.random(256)).unwrap(),
        3 => datagram.insert(at, 0),
        _ => {
            let copy = datagram.clone();
            datagram.extend(copy);
        }
    }
}

/// A handshake in which many datagrams arrive changed, beside the right ones.
#[test]
fn changed_datagrams_never_make_an_end_fall_or_connect_to_the_wrong_peer() {
    for version in [Version::Dtls12, Version::Dtls13] {
        for seed in 0..300 {
            let mut link = Link::new(only(version), Config { mtu: 400, ..Config::default() });
            link.random = seed * 2 + 1;
            for _ in 0..60 {
                for is_client in [true, false] {
                    let now = link.now;
                    let datagrams =
                        if is_client { link.client.transmit(now) } else { link.server.transmit(now) };
                    for datagram in datagrams {
                        let mut changed = datagram.clone();
                        change(&mut link, &mut changed);
                        let is_changed_first = link.random(2) == 0;
                        let is_alone = link.random(4) == 0;
                        let to = if is_client { &mut link.server } else { &mut link.client };
                        if is_changed_first {
                            to.receive(now, changed.clone());
                        }
                        if !is_alone {
                            to.receive(now, datagram);
                        }
                        if !is_changed_first {
                            to.receive(now, changed);
                        }
                    }
                }
                link.now += Duration::from_millis(100);
                for end in [&mut link.client, &mut link.server] {
                    if end.dtls.poll_timeout().is_some_and(|(at, _)| at <= link.now) {
                        end.dtls.handle_timeout(link.now);
                    }
                    end.events();
                }
            }
            if link.client.connected.is_some() && link.server.connected.is_some() {
                let both = !link.client.is_over() && !link.server.is_over();
                assert!(!both || link.client.exported() == link.server.exported(), "seed {seed}");
            }
        }
    }
}

#[test]
fn a_server_that_waits_is_not_kept_from_its_client_by_nonsense() {
    let now = start();
    let mut server = End::new(Config::default(), Role::Server, 2, now);
    let mut client = End::new(Config::default(), Role::Client, 1, now);
    // A complete message that is no ClientHello; alerts; a bad ClientHello.
    let record = |content_type: u8, content: &[u8]| {
        let mut record =
            vec![content_type, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, u8::try_from(content.len()).unwrap()];
        record.extend(content);
        record
    };
    let handle = |server: &mut End, mut datagram: Vec<u8>| {
        server.dtls.handle_datagram(now, &mut datagram).map(Iterator::count)
    };
    let finished = [20, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 1, 1];
    assert_eq!(handle(&mut server, record(22, &finished)), Err(Fault::BadClientHello));
    let hello = [1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0xfe, 0xfd];
    assert_eq!(handle(&mut server, record(22, &hello)), Err(Fault::BadClientHello));
    // The first piece of a ClientHello that never comes.
    let piece = [1, 0, 9, 9, 0, 0, 0, 0, 0, 0, 0, 2, 0xfe, 0xfd];
    assert_eq!(handle(&mut server, record(22, &piece)), Ok(0));
    assert_eq!(handle(&mut server, record(21, &[2, 40])), Err(Fault::UnexpectedRecord));
    assert_eq!(handle(&mut server, record(23, b"data")), Err(Fault::UnexpectedRecord));
    assert_eq!(handle(&mut server, record(26, &[0, 0])), Err(Fault::UnexpectedRecord));
    assert_eq!(handle(&mut server, vec![]), Err(Fault::NotDtls));
    assert!(server.transmit(now).is_empty());
    server.dtls.set_peer_fingerprints(now, &[client.fingerprint()]).unwrap();
    client.dtls.set_peer_fingerprints(now, &[server.fingerprint()]).unwrap();
    let mut link = Link::of(client, server, now);
    link.connect();
    assert!(link.server.connected.is_some());
}

#[test]
fn what_is_in_the_clear_cannot_end_a_connection() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let mut link = Link::new(only(version), Config::default());
        link.connect();
        link.run(Duration::from_secs(1));
        for end in [&mut link.client, &mut link.server] {
            for content in [&[1, 0][..], &[2, 40], &[2, 42]] {
                let mut alert = vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2];
                alert.extend(content);
                let dropped = end.dtls.handle_datagram(link.now, &mut alert);
                assert_eq!(dropped.map(Iterator::count), Err(Fault::UnprotectedAlert));
            }
            // An early, a late, an invented ChangeCipherSpec means nothing.
            let mut change = vec![20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1];
            let _: Result<_, _> = end.dtls.handle_datagram(link.now, &mut change);
        }
        link.talk();
        assert_eq!((link.client.data.len(), link.server.data.len()), (1, 1));
    }
}

#[test]
fn what_was_in_the_clear_and_is_said_again_is_not_answered() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let mut link = Link::new(only(version), Config::default());
        link.connect();
        link.run(Duration::from_secs(1));
        let clear: Vec<_> = link.sent.iter().filter(|(_, bytes)| bytes[0] == 22).cloned().collect();
        for (to_server, bytes) in clear {
            // Cut behind the first record, which is in the clear.
            let end = 13 + usize::from(u16::from_be_bytes([bytes[11], bytes[12]]));
            let to = if to_server { &mut link.server } else { &mut link.client };
            let outcome = to.dtls.handle_datagram(link.now, &mut bytes[..end].to_vec());
            assert_eq!(outcome.map(Iterator::count), Ok(0));
        }
        assert!(link.client.transmit(link.now).is_empty() && link.server.transmit(link.now).is_empty());
        assert!(!link.client.is_over() && !link.server.is_over());
    }
}

#[test]
fn a_second_handshake_is_refused() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let mut link = Link::new(only(version), Config::default());
        link.connect();
        link.run(Duration::from_secs(1));
        let mut another = End::new(only(version), Role::Client, 7, link.now);
        for datagram in another.transmit(link.now) {
            link.server.receive(link.now, datagram);
        }
        for datagram in link.server.transmit(link.now) {
            another.receive(link.now, datagram);
        }
        assert!(another.connected.is_none() && !link.server.is_over());
        link.talk();
        assert_eq!((link.client.data.len(), link.server.data.len()), (1, 1));
    }
}

fn ends() -> Vec<Dtls> {
    let now = start();
    let end = |version, role| {
        let config = std::sync::Arc::new(only(version));
        let mut dtls = Dtls::new(config, role, certificate(3), [3; 32], now);
        let _: Option<_> = dtls.poll_transmit(now, &mut Vec::new());
        dtls
    };
    let mut ends = Vec::new();
    for version in [Version::Dtls12, Version::Dtls13] {
        ends.extend([end(version, Role::Client), end(version, Role::Server)]);
        let mut link = Link::new(only(version), Config::default());
        link.connect();
        ends.extend([link.client.dtls, link.server.dtls]);
    }
    ends
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_an_end_fall(mut datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8)) {
        let now = start();
        for mut end in ends() {
            for datagram in &mut datagrams {
                let _: Result<_, _> = end.handle_datagram(now, &mut datagram.clone());
                // Something that looks more like a record.
                if let Some(first) = datagram.first_mut() {
                    *first = [22, 0b0010_1111, 21, 26][usize::from(*first) % 4];
                }
                let _: Result<_, _> = end.handle_datagram(now, &mut datagram.clone());
                if datagram.len() > 13 && datagram[0] != 0b0010_1111 {
                    let length = u16::try_from(datagram.len() - 13).unwrap();
                    datagram[1..11].copy_from_slice(&[0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0]);
                    datagram[11..13].copy_from_slice(&length.to_be_bytes());
                }
                let _: Result<_, _> = end.handle_datagram(now, datagram);
                let mut out = Vec::new();
                while end.poll_transmit(now, &mut out).is_some() {}
                while end.poll_event().is_some() {}
            }
        }
    }
}
