//! What only somebody inside can arrange: ends that break the rules with the right keys, keys that are used up.

use std::time::{Duration, SystemTime};

use super::*;
use crate::fault::Fault;
use crate::fingerprint::FingerprintHash;
use crate::message::MessageType;
use crate::record::RecordNumber;
use crate::record::content_type::ContentType;
use crate::writing::Sealers;
use crate::{Aead, Version};

struct Pair {
    client: Dtls,
    server: Dtls,
    now: Instant,
}

impl Pair {
    fn new(version: Version) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test has to begin somewhere")]
        let now = Instant::now();
        let config = Arc::new(Config { versions: vec![version], ..Config::default() });
        let end = |role, seed| {
            let certificate =
                Certificate::generate([seed; 32], SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30));
            Dtls::new(Arc::clone(&config), role, Arc::new(certificate.unwrap()), [seed; 32], now)
        };
        let (mut client, mut server) = (end(Role::Client, 1), end(Role::Server, 2));
        let fingerprint = |dtls: &Dtls| [dtls.core.certificate.fingerprint(FingerprintHash::Sha256)];
        client.set_peer_fingerprints(now, &fingerprint(&server)).unwrap();
        server.set_peer_fingerprints(now, &fingerprint(&client)).unwrap();
        Self { client, server, now }
    }

    fn connected(version: Version) -> Self {
        let mut pair = Self::new(version);
        for _ in 0..10 {
            pair.client_speaks();
            pair.server_speaks();
        }
        assert!(pair.client.is_connected() && pair.server.is_connected());
        assert!(matches!(pair.client.poll_event(), Some(Event::Connected(_))));
        assert!(matches!(pair.server.poll_event(), Some(Event::Connected(_))));
        pair
    }

    fn client_speaks(&mut self) {
        speak(&mut self.client, &mut self.server, self.now);
    }

    fn server_speaks(&mut self) {
        speak(&mut self.server, &mut self.client, self.now);
    }

    fn data(&mut self) -> Result<(), Fault> {
        for _ in 0..2 {
            let mut record = vec![0; self.client.overhead().unwrap().header];
            record.extend(b"data");
            self.client.seal(&mut record, 0).unwrap();
            let range = self.server.handle_datagram(self.now, &mut record)?.next().unwrap();
            assert_eq!(record[range], *b"data");
            std::mem::swap(&mut self.client, &mut self.server);
        }
        Ok(())
    }
}

fn speak(from: &mut Dtls, to: &mut Dtls, now: Instant) {
    let mut datagram = Vec::new();
    while from.poll_transmit(now, &mut datagram).is_some() {
        let _: Result<_, _> = to.handle_datagram(now, &mut datagram);
        datagram.clear();
    }
}

fn failure(dtls: &mut Dtls) -> Option<Failure> {
    match dtls.poll_event() {
        Some(Event::Failed(failure)) => Some(failure),
        None => None,
        event => panic!("{event:?}"),
    }
}

/// A client whose last flight is changed.
fn false_client(version: Version, change: impl Fn(u8, Vec<u8>) -> Option<Vec<u8>>) -> Option<Failure> {
    let mut pair = Pair::new(version);
    pair.client_speaks();
    pair.server_speaks();
    pair.client.core.flight.falsify(1, change);
    pair.client_speaks();
    assert!(!pair.server.is_connected());
    failure(&mut pair.server)
}

/// A server whose flight is changed.
fn false_server(version: Version, change: impl Fn(u8, Vec<u8>) -> Option<Vec<u8>>) -> Option<Failure> {
    let mut pair = Pair::new(version);
    pair.client_speaks();
    pair.server.core.flight.falsify(0, change);
    pair.server_speaks();
    assert!(!pair.client.is_connected());
    failure(&mut pair.client)
}

fn all_but(skipped: &[MessageType]) -> impl Fn(u8, Vec<u8>) -> Option<Vec<u8>> + use<'_> {
    move |code, body| if skipped.iter().any(|kind| kind.code() == code) { None } else { Some(body) }
}

fn with(changed: MessageType, to: &[u8]) -> impl Fn(u8, Vec<u8>) -> Option<Vec<u8>> + use<'_> {
    move |code, body| Some(if changed.code() == code { to.to_vec() } else { body })
}

#[test]
fn a_client_cannot_leave_anything_out() {
    use MessageType as M;
    for version in [Version::Dtls12, Version::Dtls13] {
        for skipped in
            [&[M::CertificateVerify][..], &[M::Certificate], &[M::Certificate, M::CertificateVerify]]
        {
            assert_eq!(
                false_client(version, all_but(skipped)),
                Some(Failure::UnexpectedMessage),
                "{version:?} {skipped:?}"
            );
        }
        // Without Finished nothing comes of it.
        assert_eq!(false_client(version, all_but(&[M::Finished])), None);
    }
    let skipped = [M::ClientKeyExchange];
    assert_eq!(false_client(Version::Dtls12, all_but(&skipped)), Some(Failure::UnexpectedMessage));
}

#[test]
fn a_server_cannot_leave_anything_out() {
    use MessageType as M;
    for skipped in [&[M::ServerHello][..], &[M::Certificate], &[M::ServerKeyExchange]] {
        let outcome = false_server(Version::Dtls12, all_but(skipped));
        assert_eq!(outcome, Some(Failure::UnexpectedMessage), "{skipped:?}");
    }
    for skipped in [&[M::EncryptedExtensions][..], &[M::Certificate], &[M::CertificateVerify]] {
        let outcome = false_server(Version::Dtls13, all_but(skipped));
        assert_eq!(outcome, Some(Failure::UnexpectedMessage), "{skipped:?}");
    }
    let skipped = [M::Certificate, M::CertificateVerify];
    assert_eq!(false_server(Version::Dtls13, all_but(&skipped)), Some(Failure::UnexpectedMessage));
}

#[test]
fn an_end_without_certificate_or_with_a_false_proof_is_refused() {
    use MessageType as M;
    let no_proof = [4, 3, 0, 2, 0x30, 0];
    assert_eq!(
        false_client(Version::Dtls13, with(M::Certificate, &[0, 0, 0, 0])),
        Some(Failure::NoCertificate)
    );
    assert_eq!(false_client(Version::Dtls12, with(M::Certificate, &[0, 0, 0])), Some(Failure::NoCertificate));
    assert_eq!(
        false_server(Version::Dtls13, with(M::Certificate, &[0, 0, 0, 0])),
        Some(Failure::NoCertificate)
    );
    assert_eq!(false_server(Version::Dtls12, with(M::Certificate, &[0, 0, 0])), Some(Failure::NoCertificate));
    for version in [Version::Dtls12, Version::Dtls13] {
        assert_eq!(false_client(version, with(M::CertificateVerify, &no_proof)), Some(Failure::BadSignature));
        let length = if version == Version::Dtls12 { 12 } else { 32 };
        assert_eq!(false_client(version, with(M::Finished, &vec![0; length])), Some(Failure::BadFinished));
        assert_eq!(false_client(version, with(M::Finished, &[])), Some(Failure::BadFinished));
    }
    assert_eq!(
        false_server(Version::Dtls13, with(M::CertificateVerify, &no_proof)),
        Some(Failure::BadSignature)
    );
    assert_eq!(false_server(Version::Dtls13, with(M::Finished, &[0; 32])), Some(Failure::BadFinished));
}

/// A ServerHello with one more extension, empty but for a list of one group.
fn and_extension(code: u16) -> impl Fn(u8, Vec<u8>) -> Option<Vec<u8>> {
    move |kind, mut body| {
        if kind == MessageType::ServerHello.code() {
            let at = 2 + 32 + 1 + usize::from(body[34]) + 2 + 1;
            let length = u16::from_be_bytes([body[at], body[at + 1]]) + 8;
            body[at..at + 2].copy_from_slice(&length.to_be_bytes());
            body.extend(code.to_be_bytes());
            body.extend([0, 4, 0, 2, 0, 0x1d]);
        }
        Some(body)
    }
}

/// RFC 5246 §7.4.1.4.
#[test]
fn a_server_may_answer_what_was_offered_and_nothing_else() {
    let [supported_groups, status_request] = [10, 5];
    assert_eq!(false_server(Version::Dtls12, and_extension(supported_groups)), None);
    let outcome = false_server(Version::Dtls12, and_extension(status_request));
    assert_eq!(outcome, Some(Failure::UnsolicitedExtension));
}

#[test]
fn an_end_that_says_less_than_it_can_is_found_out() {
    // Somebody makes a server of 1.3 believe that the client speaks 1.2 only: its random says what happened.
    let mut pair = Pair::new(Version::Dtls13);
    let config = Config::default();
    let mut client = Dtls::new(
        Arc::new(config.clone()),
        Role::Client,
        Arc::clone(&pair.client.core.certificate),
        [1; 32],
        pair.now,
    );
    pair.server = Dtls::new(
        Arc::new(config),
        Role::Server,
        Arc::clone(&pair.server.core.certificate),
        [2; 32],
        pair.now,
    );
    client.core.flight.falsify(0, |_, body| {
        // supported_versions is the first extension: 0xfefc and 0xfefd become 0xfefd twice.
        let at = body.windows(6).position(|window| window == [0, 43, 0, 5, 4, 0xfe]).unwrap();
        let mut body = body;
        body[at + 6] = 0xfd;
        Some(body)
    });
    speak(&mut client, &mut pair.server, pair.now);
    speak(&mut pair.server, &mut client, pair.now);
    assert_eq!(failure(&mut client), Some(Failure::Downgrade));
}

#[test]
fn keys_are_renewed_while_data_flows() {
    let mut pair = Pair::connected(Version::Dtls13);
    for round in 0..10 {
        for _ in 0..2 {
            let State::Complete(complete) = &mut pair.client.state else { panic!("complete") };
            complete.ask();
            // Data of the old epoch that arrives after the new keys.
            let mut late = vec![0; 5];
            late.extend(b"late");
            pair.client.seal(&mut late, 0).unwrap();
            pair.client_speaks();
            pair.data().unwrap();
            pair.server_speaks();
            pair.data().unwrap();
            assert_eq!(pair.client.core.writing.epoch(), 4 + round);
            assert_eq!(pair.server.handle_datagram(pair.now, &mut late).unwrap().count(), 1);
            std::mem::swap(&mut pair.client, &mut pair.server);
        }
    }
    pair.now += Duration::from_secs(10);
    for end in [&mut pair.client, &mut pair.server] {
        end.handle_timeout(pair.now);
        assert!(end.core.reading.previous.is_none(), "the old keys are forgotten");
        assert_eq!(end.poll_timeout(), None);
    }
    pair.data().unwrap();
}

#[test]
fn a_lost_key_update_or_acknowledgement_is_repeated() {
    let mut pair = Pair::connected(Version::Dtls13);
    let State::Complete(complete) = &mut pair.client.state else { panic!("complete") };
    complete.ask();
    let mut lost = Vec::new();
    assert!(pair.client.poll_transmit(pair.now, &mut lost).is_some());
    pair.data().unwrap();
    pair.now += Duration::from_millis(100);
    pair.client.handle_timeout(pair.now);
    pair.client_speaks();
    lost.clear();
    assert!(
        pair.server.poll_transmit(pair.now, &mut lost).is_some(),
        "an acknowledgement, which is lost, too"
    );
    pair.data().unwrap();
    assert_eq!(pair.client.core.writing.epoch(), 3);
    pair.now += Duration::from_millis(200);
    pair.client.handle_timeout(pair.now);
    pair.client_speaks();
    pair.server_speaks();
    assert_eq!(pair.client.core.writing.epoch(), 4);
    pair.data().unwrap();
}

#[test]
fn keys_that_are_used_up_are_renewed_in_time_and_never_overused() {
    let mut pair = Pair::connected(Version::Dtls13);
    let aead = Aead::Aes128Gcm;
    wear(&mut pair, aead.rekey_after());
    pair.data().unwrap();
    pair.client_speaks();
    pair.server_speaks();
    assert_eq!(pair.client.core.writing.epoch(), 4);
    wear(&mut pair, aead.seal_limit() - 1);
    pair.data().unwrap();
    let mut buffer = vec![0; 40];
    assert_eq!(pair.client.seal(&mut buffer, 0), Err(SealError::Exhausted));
    assert_eq!(buffer.len(), 40);
}

fn wear(pair: &mut Pair, count: u64) {
    let Sealers::Dtls13 { application: Some(sealer), .. } = &mut pair.client.core.writing.sealers else {
        panic!("connected")
    };
    sealer.wear(count);
    pair.server.core.reading.application.as_mut().unwrap().wear(count - 1);
}

#[test]
fn messages_after_the_handshake_that_nobody_asked_for_end_it() {
    for (kind, body) in [
        (MessageType::CertificateRequest, &[0, 0, 0][..]),
        (MessageType::Finished, &[0; 32]),
        (MessageType::ClientHello, &[0; 50]),
        (MessageType::KeyUpdate, &[2]),
    ] {
        let mut pair = Pair::connected(Version::Dtls13);
        pair.server.core.flight.begin(&Config::default());
        pair.server.core.add(3, kind, body);
        pair.server.core.flight.send();
        pair.server_speaks();
        assert!(failure(&mut pair.client).is_some(), "{kind:?}");
    }
    let mut pair = Pair::connected(Version::Dtls13);
    pair.server.core.flight.begin(&Config::default());
    pair.server.core.add(3, MessageType::NewSessionTicket, &[0; 20]);
    pair.server.core.flight.send();
    pair.server_speaks();
    pair.client_speaks();
    assert!(pair.server.core.flight.is_done(), "a ticket is of no use, but acknowledged");
    assert_eq!(failure(&mut pair.client), None);
}

#[test]
fn records_of_data_in_the_handshakes_epoch_are_dropped() {
    let mut pair = Pair::new(Version::Dtls13);
    pair.client_speaks();
    pair.server_speaks();
    // Sealed with the handshake's keys, which nobody but the peer has: it breaks the rules.
    let mut record = Vec::new();
    let number = pair
        .client
        .core
        .writing
        .put(2, ContentType::ApplicationData, &mut record, |out| out.push(1))
        .unwrap();
    assert_eq!(number, RecordNumber { epoch: 2, sequence: 0 });
    let dropped = pair.server.handle_datagram(pair.now, &mut record);
    assert_eq!(dropped.map(Iterator::count), Err(Fault::UnexpectedRecord));
    pair.client_speaks();
    assert!(pair.server.is_connected());
}

#[test]
fn without_a_path_nothing_is_repeated_and_no_time_counts() {
    let mut pair = Pair::new(Version::Dtls13);
    pair.client.hold();
    let mut lost = Vec::new();
    assert!(pair.client.poll_transmit(pair.now, &mut lost).is_some());
    assert_eq!(pair.client.poll_timeout(), None);
    pair.now += Duration::from_secs(3600);
    pair.client.handle_timeout(pair.now);
    assert_eq!(pair.client.poll_transmit(pair.now, &mut lost), None);
    pair.client.resume(pair.now);
    let repeated = pair.now + Duration::from_millis(100);
    assert_eq!(pair.client.poll_timeout(), Some((repeated, Reason::Retransmit)));
    pair.now = repeated;
    pair.client.handle_timeout(pair.now);
    for _ in 0..3 {
        pair.client_speaks();
        pair.server_speaks();
    }
    assert!(pair.client.is_connected());
}
