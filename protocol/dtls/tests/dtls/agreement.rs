//! What two ends agree on.

use std::time::Duration;

use crate::dtls::{Aead, CipherSuite, Config, Failure, FingerprintHash, NamedGroup, SrtpProfile, Version};
use crate::link::Link;

fn only(version: Version) -> Config {
    Config { versions: vec![version], ..Config::default() }
}

fn connected(client: Config, server: Config) -> Link {
    let mut link = Link::new(client, server);
    link.connect();
    let (ours, theirs) = (link.client.agreed().clone(), link.server.agreed().clone());
    assert!(ours.is_client && !theirs.is_client);
    assert_eq!(
        (ours.version, ours.cipher_suite, ours.group),
        (theirs.version, theirs.cipher_suite, theirs.group)
    );
    assert_eq!(ours.srtp_profile, theirs.srtp_profile);
    assert_eq!(ours.peer_fingerprint(FingerprintHash::Sha256), link.server.fingerprint());
    assert_eq!(theirs.peer_fingerprint(FingerprintHash::Sha256), link.client.fingerprint());
    assert_eq!(link.client.exported(), link.server.exported());
    link.talk();
    assert_eq!(link.server.data, [b"ping"]);
    assert_eq!(link.client.data, [b"pong"]);
    link
}

#[test]
fn two_ends_speak_1_3() {
    let link = connected(Config::default(), Config::default());
    let agreed = link.client.agreed();
    assert_eq!(agreed.version, Version::Dtls13);
    assert_eq!(agreed.cipher_suite, CipherSuite::Aes128GcmSha256);
    assert_eq!(agreed.group, NamedGroup::X25519);
    assert_eq!(agreed.srtp_profile, Some(SrtpProfile::AeadAes128Gcm));
    let datagrams = link.sent.iter().filter(|(_, bytes)| bytes.len() > 100).count();
    assert_eq!(datagrams, 3, "each flight fits into one datagram");
}

#[test]
fn two_ends_speak_1_2() {
    let link = connected(only(Version::Dtls12), only(Version::Dtls12));
    let agreed = link.client.agreed();
    assert_eq!(agreed.version, Version::Dtls12);
    assert_eq!(agreed.cipher_suite, CipherSuite::EcdheEcdsaAes128GcmSha256);
}

#[test]
fn ends_of_different_versions_find_the_common_one() {
    for (client, server) in
        [(Config::default(), only(Version::Dtls12)), (only(Version::Dtls12), Config::default())]
    {
        assert_eq!(connected(client, server).client.agreed().version, Version::Dtls12);
    }
    for (client, server) in
        [(Config::default(), only(Version::Dtls13)), (only(Version::Dtls13), Config::default())]
    {
        assert_eq!(connected(client, server).client.agreed().version, Version::Dtls13);
    }
}

#[test]
fn every_suite_of_every_version_works() {
    for version in [Version::Dtls12, Version::Dtls13] {
        for aead in [Aead::Aes128Gcm, Aead::Aes256Gcm, Aead::ChaCha20Poly1305] {
            let link = connected(Config { aeads: vec![aead], ..only(version) }, Config::default());
            assert_eq!(link.client.agreed().cipher_suite.aead(), aead);
            assert_eq!(link.client.agreed().cipher_suite.version(), version);
        }
    }
}

#[test]
fn every_group_works_also_where_the_server_has_to_ask_for_it() {
    let groups =
        [NamedGroup::X25519, NamedGroup::Secp256r1, NamedGroup::Secp384r1, NamedGroup::X25519MlKem768];
    for group in groups {
        let one = Config { groups: vec![group], key_shares: vec![group], ..Config::default() };
        assert_eq!(connected(one.clone(), Config::default()).client.agreed().group, group);
        // The client's first share is of another group.
        let first = if group == NamedGroup::X25519 { NamedGroup::Secp256r1 } else { NamedGroup::X25519 };
        let client = Config { key_shares: vec![first], ..Config::default() };
        assert_eq!(connected(client, one).client.agreed().group, group, "HelloRetryRequest");
    }
    for group in &groups[..3] {
        let one = Config { groups: vec![*group], ..only(Version::Dtls12) };
        assert_eq!(connected(one, Config::default()).client.agreed().group, *group);
    }
}

#[test]
fn a_share_of_x25519_is_taken_beside_the_hybrid() {
    let both = vec![NamedGroup::X25519MlKem768, NamedGroup::X25519];
    let browser = Config { groups: both.clone(), key_shares: both, ..Config::default() };
    assert_eq!(connected(browser, Config::default()).client.agreed().group, NamedGroup::X25519);
}

#[test]
fn the_server_chooses_the_srtp_profile() {
    let with =
        |srtp_profiles: &[SrtpProfile]| Config { srtp_profiles: srtp_profiles.to_vec(), ..Config::default() };
    let (gcm, sha1) = (SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80);
    for version in [Version::Dtls12, Version::Dtls13] {
        let agreed = |client: Config, server| {
            let client = Config { versions: vec![version], ..client };
            connected(client, server).client.agreed().srtp_profile
        };
        assert_eq!(agreed(with(&[gcm, sha1]), with(&[sha1, gcm])), Some(sha1));
        assert_eq!(agreed(with(&[sha1]), with(&[gcm, sha1])), Some(sha1));
        assert_eq!(agreed(with(&[]), with(&[gcm])), None);
        assert_eq!(agreed(with(&[gcm]), with(&[sha1])), None);
        // As browsers offer them: whatever they prefer, a server takes what costs both the least.
        let aes_256 = SrtpProfile::AeadAes256Gcm;
        assert_eq!(agreed(with(&[sha1, aes_256, gcm]), Config::default()), Some(gcm));
        assert_eq!(agreed(with(&[sha1, aes_256]), Config::default()), Some(aes_256));
        assert_eq!(agreed(Config::default(), with(&[sha1])), Some(sha1));
    }
}

#[test]
fn ends_with_nothing_in_common_say_so() {
    let failures = |client, server| {
        let mut link = Link::new(client, server);
        link.connect();
        (link.client.failure, link.server.failure)
    };
    let with = |aead| Config { aeads: vec![aead], ..Config::default() };
    let (client, server) = failures(with(Aead::Aes128Gcm), with(Aead::Aes256Gcm));
    assert_eq!(server, Some(Failure::NoCommonCipherSuite));
    assert!(matches!(client, Some(Failure::PeerAlert(_))), "{client:?}");
    let (client, server) = failures(only(Version::Dtls13), only(Version::Dtls12));
    assert_eq!(server, Some(Failure::NoCommonVersion));
    assert!(matches!(client, Some(Failure::PeerAlert(_))), "{client:?}");
    let group = |group| Config { groups: vec![group], key_shares: vec![group], ..Config::default() };
    let (_, server) = failures(group(NamedGroup::X25519), group(NamedGroup::Secp384r1));
    assert_eq!(server, Some(Failure::NoCommonGroup));
}

#[test]
fn either_end_closes() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let mut link = connected(only(version), Config::default());
        link.client.dtls.close(link.now);
        link.client.events();
        assert!(link.client.is_closed && link.client.dtls.is_closed());
        link.run(Duration::from_secs(1));
        assert!(link.server.is_closed && link.server.failure.is_none());
        assert_eq!(link.server.dtls.poll_timeout(), None);
    }
}

/// A ClientHello as browsers send it: numbers without a meaning (RFC 8701) among suites, versions, groups, shares and
/// extensions, a hybrid share that makes it two datagrams, which arrive in either order and twice.
#[test]
fn a_browsers_hello_is_understood() {
    let mut hello = vec![0xfe, 0xfd];
    hello.extend([5; 32]);
    hello.extend([0, 0]);
    hello.extend([0, 10, 0x2a, 0x2a, 0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b, 0xcc, 0xa9]);
    hello.extend([1, 0]);
    let mut extensions = Vec::new();
    let mut put = |code: u16, body: &[u8]| {
        extensions.extend(code.to_be_bytes());
        extensions.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        extensions.extend(body);
    };
    put(0x3a3a, &[]);
    put(43, &[6, 0x4a, 0x4a, 0xfe, 0xfc, 0xfe, 0xfd]);
    put(10, &[0, 8, 0x5a, 0x5a, 0x11, 0xec, 0, 0x1d, 0, 0x17]);
    put(13, &[0, 8, 4, 3, 8, 4, 4, 1, 5, 3]);
    put(14, &[0, 8, 0, 8, 0, 7, 0, 1, 0, 2, 0]);
    put(23, &[]);
    put(0xff01, &[0]);
    put(11, &[1, 0]);
    put(35, &[]);
    // The base point of the curve is a share, too.
    let mut base = [0; 32];
    base[0] = 9;
    let mut shares = vec![0x5a, 0x5a, 0, 1, 0, 0x11, 0xec, 0x04, 0xc0];
    shares.extend([1; 1216]);
    shares.extend([0, 0x1d, 0, 0x20]);
    shares.extend(base);
    let length = u16::try_from(shares.len()).unwrap().to_be_bytes();
    put(51, &[&length[..], &shares].concat());
    put(0x6a6a, &[0]);
    hello.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    hello.extend(extensions);
    assert!((1350..1500).contains(&hello.len()), "{} bytes", hello.len());

    let fragment = |sequence: u8, offset: usize, end: usize| {
        let uint24 = |value: usize| value.to_be_bytes()[5..].to_vec();
        let mut record = vec![22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, sequence];
        record.extend(u16::try_from(12 + end - offset).unwrap().to_be_bytes());
        record.push(1);
        record.extend([uint24(hello.len()), vec![0, 0], uint24(offset), uint24(end - offset)].concat());
        record.extend(&hello[offset..end]);
        record
    };
    let datagrams = [fragment(0, 0, 1100), fragment(1, 1100, hello.len())];
    for order in [&[0, 1][..], &[1, 0], &[1, 1, 0, 0]] {
        let now = crate::ends::start();
        let mut server = crate::ends::End::new(Config::default(), crate::dtls::Role::Server, 2, now);
        let (last, first) = order.split_last().unwrap();
        if order.len() == 2 {
            first.iter().for_each(|index| server.receive(now, datagrams[*index].clone()));
            assert!(server.transmit(now).is_empty());
        } else {
            first.iter().for_each(|index| server.receive(now, datagrams[*index].clone()));
        }
        server.receive(now, datagrams[*last].clone());
        let answer = server.transmit(now);
        assert_eq!(answer.len(), 1, "{order:?}: {:?}", server.failure);
        // A ServerHello with a share of X25519, 32 bytes, in DTLS 1.3.
        assert_eq!((answer[0][0], answer[0][13]), (22, 2));
        let hello = &answer[0][13..13 + usize::from(u16::from_be_bytes([answer[0][11], answer[0][12]]))];
        assert!(hello.windows(6).any(|window| window == [0, 43, 0, 2, 0xfe, 0xfc]));
        assert!(hello.windows(8).any(|window| window == [0, 51, 0, 36, 0, 0x1d, 0, 32]));
    }
}
