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
