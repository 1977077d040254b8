//! Datagrams that come before their time, or after it.

use std::time::Duration;

use crate::dtls::{Config, Fault, Version};
use crate::link::Link;

fn link(version: Version) -> Link {
    Link::new(Config { versions: vec![version], ..Config::default() }, Config::default())
}

/// Runs until one end is connected, and keeps the datagrams that it then sends from the other.
fn half(link: &mut Link, is_client_first: bool) -> Vec<Vec<u8>> {
    for _ in 0..100 {
        let mut kept = Vec::new();
        for datagram in link.client.transmit(link.now) {
            if link.client.connected.is_some() && is_client_first {
                kept.push(datagram);
            } else {
                link.server.receive(link.now, datagram);
            }
        }
        for datagram in link.server.transmit(link.now) {
            if link.server.connected.is_some() && !is_client_first {
                kept.push(datagram);
            } else {
                link.client.receive(link.now, datagram);
            }
        }
        if !kept.is_empty() {
            return kept;
        }
    }
    panic!("nobody was connected first");
}

#[test]
fn data_that_overtakes_the_last_flight_is_not_lost() {
    // In DTLS 1.3 the client is complete first, in 1.2 the server.
    for (version, is_client_first) in [(Version::Dtls13, true), (Version::Dtls12, false)] {
        let mut link = link(version);
        let flight = half(&mut link, is_client_first);
        let (first, last) = if is_client_first {
            (&mut link.client, &mut link.server)
        } else {
            (&mut link.server, &mut link.client)
        };
        for data in [b"one", b"two"] {
            let sealed = first.seal(data);
            last.receive(link.now, sealed);
        }
        assert!(last.data.is_empty() && last.connected.is_none());
        for datagram in flight {
            last.receive(link.now, datagram);
        }
        assert!(last.connected.is_some());
        assert_eq!(last.data, [b"one", b"two"], "{version:?}");
    }
}

#[test]
fn what_is_kept_has_a_bound() {
    let mut link = link(Version::Dtls13);
    let flight = half(&mut link, true);
    for _ in 0..1000 {
        let sealed = link.client.seal(&[7; 1200]);
        link.server.receive(link.now, sealed);
    }
    assert!(link.server.dtls.counters().get(Fault::EarlyFull) > 900);
    for datagram in flight {
        link.server.receive(link.now, datagram);
    }
    assert_eq!(link.server.data.len(), 32);
}

#[test]
fn a_last_flight_that_is_lost_is_said_again() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let mut link = link(version);
        drop(half(&mut link, version == Version::Dtls13));
        link.connect();
        assert!(link.client.connected.is_some() && link.server.connected.is_some(), "{version:?}");
        link.talk();
        assert_eq!((link.client.data.len(), link.server.data.len()), (1, 1));
    }
}

#[test]
fn records_are_opened_once_and_only_where_they_belong() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let mut link = link(version);
        link.connect();
        link.run(Duration::from_secs(1));
        let sealed = link.client.seal(b"once");
        let handle = |link: &mut Link, mut datagram: Vec<u8>| {
            let now = link.now;
            link.server
                .dtls
                .handle_datagram(now, &mut datagram)
                .map(|plaintexts| plaintexts.map(|range| datagram[range].to_vec()).collect::<Vec<_>>())
        };
        assert_eq!(handle(&mut link, sealed.clone()), Ok(vec![b"once".to_vec()]));
        assert_eq!(handle(&mut link, sealed.clone()), Err(Fault::Replayed));
        let now = link.now;
        let back = link.client.dtls.handle_datagram(now, &mut sealed.clone());
        assert_eq!(back.map(Iterator::count), Err(Fault::Forged));
        // Several records in one datagram, one of them broken.
        let mut many = link.client.seal(b"a");
        let mut broken = link.client.seal(b"b");
        *broken.last_mut().unwrap() ^= 1;
        many.extend(broken);
        many.extend(link.client.seal(b"c"));
        assert_eq!(handle(&mut link, many), Ok(vec![b"a".to_vec(), b"c".to_vec()]));
        let crowd: Vec<u8> = (0..20).flat_map(|_| link.client.seal(b"x")).collect();
        assert_eq!(handle(&mut link, crowd).unwrap().len(), 16);
        assert_eq!(link.server.dtls.counters().get(Fault::TooManyRecords), 1);
    }
}
