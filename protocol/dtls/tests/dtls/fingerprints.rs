//! Who the peer is. No data flows before that is known.

use std::time::Duration;

use crate::dtls::{
    AlertDescription, Config, Event, Failure, Fingerprint, FingerprintHash, Role, SealError, Version,
};
use crate::ends::{End, start};
use crate::link::Link;

const SECOND: Duration = Duration::from_secs(1);

fn only(version: Version) -> Config {
    Config { versions: vec![version], ..Config::default() }
}

fn strangers(version: Version) -> Link {
    let now = start();
    let client = End::new(only(version), Role::Client, 1, now);
    let server = End::new(only(version), Role::Server, 2, now);
    Link::strangers(client, server, now)
}

fn is_silent(end: &mut End) {
    assert!(end.connected.is_none() && end.data.is_empty() && !end.dtls.is_connected());
    assert_eq!(end.dtls.overhead(), None);
    let mut buffer = vec![0; 100];
    assert_eq!(end.dtls.seal(&mut buffer, 0), Err(SealError::NotConnected));
    assert_eq!(buffer, [0; 100]);
    assert!(end.dtls.export_keying_material(b"label", None, &mut [0; 8]).is_err());
}

#[test]
fn a_peer_with_another_certificate_gets_nothing() {
    for version in [Version::Dtls12, Version::Dtls13] {
        for client_is_wrong in [true, false] {
            let mut link = strangers(version);
            let (client, server) = (link.client.fingerprint(), link.server.fingerprint());
            let another = Fingerprint::of(FingerprintHash::Sha256, b"another");
            link.client
                .dtls
                .set_peer_fingerprints(link.now, &[if client_is_wrong { another } else { server }])
                .unwrap();
            link.server
                .dtls
                .set_peer_fingerprints(link.now, &[if client_is_wrong { client } else { another }])
                .unwrap();
            link.run(SECOND);
            let (wrong, right) = if client_is_wrong {
                (&mut link.client, &mut link.server)
            } else {
                (&mut link.server, &mut link.client)
            };
            assert_eq!(wrong.failure, Some(Failure::FingerprintMismatch));
            is_silent(wrong);
            assert_eq!(right.failure, Some(Failure::PeerAlert(AlertDescription::BadCertificate)));
            assert!(wrong.dtls.poll_timeout().is_none() && right.dtls.poll_timeout().is_none());
        }
    }
}

#[test]
fn the_handshake_goes_on_without_fingerprints_and_data_waits_for_them() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let mut link = strangers(version);
        let (client, server) = (link.client.fingerprint(), link.server.fingerprint());
        link.server.dtls.set_peer_fingerprints(link.now, &[client]).unwrap();
        link.run(SECOND);
        assert!(link.server.connected.is_some());
        is_silent(&mut link.client);
        // What the server says meanwhile is kept, in order.
        for data in [b"one", b"two"] {
            let sealed = link.server.seal(data);
            link.send(false, sealed);
        }
        link.run(SECOND);
        is_silent(&mut link.client);
        link.client.dtls.set_peer_fingerprints(link.now, &[server]).unwrap();
        assert!(matches!(link.client.dtls.poll_event(), Some(Event::Connected(_))));
        assert_eq!(link.client.dtls.poll_event(), Some(Event::Data(b"one".to_vec())));
        assert_eq!(link.client.dtls.poll_event(), Some(Event::Data(b"two".to_vec())));
        assert_eq!(link.client.exported(), link.server.exported());
    }
}

#[test]
fn a_fingerprint_that_comes_late_and_does_not_match_ends_it() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let mut link = strangers(version);
        let client = link.client.fingerprint();
        link.server.dtls.set_peer_fingerprints(link.now, &[client]).unwrap();
        link.run(SECOND);
        let sealed = link.server.seal(b"secret");
        link.send(false, sealed);
        link.run(SECOND);
        let another = Fingerprint::of(FingerprintHash::Sha256, b"another");
        link.client.dtls.set_peer_fingerprints(link.now, &[another]).unwrap();
        link.client.events();
        assert_eq!(link.client.failure, Some(Failure::FingerprintMismatch));
        is_silent(&mut link.client);
        link.run(SECOND);
        assert_eq!(link.server.failure, Some(Failure::PeerAlert(AlertDescription::BadCertificate)));
        // It stays so.
        let server = link.server.fingerprint();
        link.client.dtls.set_peer_fingerprints(link.now, &[server]).unwrap();
        link.run(SECOND);
        is_silent(&mut link.client);
    }
}

#[test]
fn one_of_several_certificates_is_enough() {
    let mut link = strangers(Version::Dtls13);
    let (client, server) = (&link.client.certificate, &link.server.certificate);
    let of = |hash, certificate: &crate::dtls::Certificate| certificate.fingerprint(hash);
    let for_client = [
        Fingerprint::of(FingerprintHash::Sha512, b"another"),
        of(FingerprintHash::Sha512, server),
        Fingerprint::of(FingerprintHash::Sha256, b"a third"),
    ];
    let for_server = [of(FingerprintHash::Sha384, client), of(FingerprintHash::Sha1, client)];
    link.client.dtls.set_peer_fingerprints(link.now, &for_client).unwrap();
    link.server.dtls.set_peer_fingerprints(link.now, &for_server).unwrap();
    link.run(SECOND);
    assert!(link.client.connected.is_some() && link.server.connected.is_some());
}

#[test]
fn an_undecided_end_becomes_what_the_other_is_not() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let now = start();
        let client = End::new(only(version), Role::Undecided, 1, now);
        let server = End::new(only(version), Role::Undecided, 2, now);
        let mut link = Link::of(client, server, now);
        link.run(SECOND);
        assert!(link.sent.is_empty());
        link.client.dtls.set_role(link.now, Role::Client);
        link.connect();
        assert!(link.client.agreed().is_client && !link.server.agreed().is_client);
        link.server.dtls.set_role(link.now, Role::Client);
        link.talk();
        assert_eq!(link.server.data, [b"ping"]);
    }
}
