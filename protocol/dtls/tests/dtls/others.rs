//! One of our ends with one of dimpl's, which nobody here wrote.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::certificate::generate_self_signed_certificate;
use dimpl::{ConfigBuilder, Output};

use crate::dtls::{
    Aead, Config, Failure, Fingerprint, FingerprintHash, NamedGroup, Role, SrtpProfile, Version,
};
use crate::ends::{End, start};

struct Other {
    dtls: dimpl::Dtls,
    certificate: Vec<u8>,
    is_connected: bool,
    is_closed: bool,
    peer: Option<Vec<u8>>,
    keys: Option<Vec<u8>>,
    data: Vec<Vec<u8>>,
    timeout: Option<Instant>,
}

impl Other {
    fn new(version: Option<Version>, config: ConfigBuilder, is_client: bool, now: Instant) -> Self {
        let config = Arc::new(config.build().unwrap());
        let certificate = generate_self_signed_certificate().unwrap();
        let der = certificate.certificate.clone();
        let mut dtls = match version {
            Some(Version::Dtls12) => dimpl::Dtls::new_12(config, certificate, now),
            Some(Version::Dtls13) => dimpl::Dtls::new_13(config, certificate, now),
            None => dimpl::Dtls::new_auto(config, certificate, now),
        };
        dtls.set_active(is_client);
        dtls.handle_timeout(now).unwrap();
        Self {
            dtls,
            certificate: der,
            is_connected: false,
            is_closed: false,
            peer: None,
            keys: None,
            data: Vec::new(),
            timeout: None,
        }
    }

    fn transmit(&mut self) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        let mut buffer = vec![0; 4096];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => datagrams.push(packet.to_vec()),
                Output::Connected => self.is_connected = true,
                Output::PeerCert(certificate) => self.peer = Some(certificate.to_vec()),
                Output::KeyingMaterial(keys, _) => self.keys = Some(keys.to_vec()),
                Output::ApplicationData(data) => self.data.push(data.to_vec()),
                Output::CloseNotify => self.is_closed = true,
                Output::Timeout(at) => {
                    self.timeout = Some(at);
                    return datagrams;
                }
                _ => panic!("4 KiB are enough"),
            }
        }
    }
}

struct Pair {
    ours: End,
    other: Other,
    now: Instant,
    /// How many of 100 datagrams of the handshake are lost.
    loses: u64,
    random: u64,
}

impl Pair {
    fn new(ours: Config, is_client: bool, version: Option<Version>, other: ConfigBuilder) -> Self {
        let now = start();
        let role = if is_client { Role::Client } else { Role::Server };
        let mut ours = End::new(ours, role, 1, now);
        let other = Other::new(version, other, !is_client, now);
        let fingerprint = Fingerprint::of(FingerprintHash::Sha256, &other.certificate);
        ours.dtls.set_peer_fingerprints(now, &[fingerprint]).unwrap();
        Self { ours, other, now, loses: 0, random: 1 }
    }

    fn is_lost(&mut self) -> bool {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % 100 < self.loses
    }

    fn step(&mut self) {
        for datagram in self.ours.transmit(self.now) {
            if !self.is_lost() {
                self.other.dtls.handle_packet(&datagram).unwrap();
            }
        }
        for datagram in self.other.transmit() {
            if !self.is_lost() {
                self.ours.receive(self.now, datagram);
            }
        }
        self.now += Duration::from_millis(10);
        if self.ours.dtls.poll_timeout().is_some_and(|(at, _)| at <= self.now) {
            self.ours.dtls.handle_timeout(self.now);
        }
        if self.other.timeout.is_some_and(|at| at <= self.now) {
            self.other.dtls.handle_timeout(self.now).unwrap();
        }
    }

    fn connect(&mut self) {
        for _ in 0..10_000 {
            self.step();
            if self.ours.connected.is_some() && self.other.is_connected {
                self.loses = 0;
                for _ in 0..50 {
                    self.step();
                }
                return;
            }
        }
        panic!("not connected: {:?} {:?}", self.ours.dtls, self.ours.failure);
    }

    fn talk(&mut self) {
        let sealed = self.ours.seal(b"ours");
        self.other.dtls.handle_packet(&sealed).unwrap();
        self.other.dtls.send_application_data(b"theirs").unwrap();
        for _ in 0..20 {
            self.step();
        }
        assert_eq!(self.other.data.last().map(Vec::as_slice), Some(&b"ours"[..]));
        assert_eq!(self.ours.data.last().map(Vec::as_slice), Some(&b"theirs"[..]));
    }

    fn compare(&self, version: Version) {
        let agreed = self.ours.agreed();
        assert_eq!(agreed.version, version);
        assert_eq!(&*agreed.peer_certificate, &*self.other.certificate);
        assert_eq!(self.other.peer.as_deref(), Some(self.ours.certificate.der()));
        let profile = agreed.srtp_profile.unwrap();
        let mut keys = vec![0; profile.keying_material_len()];
        self.ours.dtls.export_keying_material(SrtpProfile::EXPORT_LABEL, None, &mut keys).unwrap();
        assert_eq!(self.other.keys.as_ref(), Some(&keys));
    }
}

fn only(version: Version) -> Config {
    Config { versions: vec![version], ..Config::default() }
}

#[test]
fn both_versions_in_both_roles() {
    for version in [Version::Dtls12, Version::Dtls13] {
        for is_client in [true, false] {
            for aead in [Aead::Aes128Gcm, Aead::Aes256Gcm, Aead::ChaCha20Poly1305] {
                let ours = Config { aeads: vec![aead], ..Config::default() };
                // Its server has the client prove its address first: HelloVerifyRequest and HelloRetryRequest.
                let mut pair = Pair::new(ours, is_client, Some(version), dimpl::Config::builder());
                pair.connect();
                pair.compare(version);
                assert_eq!(pair.ours.agreed().cipher_suite.aead(), aead);
                pair.talk();
                pair.ours.dtls.close(pair.now);
                pair.step();
                pair.step();
                assert!(pair.other.is_closed, "{version:?} {is_client}");
            }
        }
    }
}

#[test]
fn it_finds_our_version() {
    for version in [Version::Dtls12, Version::Dtls13] {
        for is_client in [true, false] {
            let mut pair = Pair::new(only(version), is_client, None, dimpl::Config::builder());
            pair.connect();
            pair.compare(version);
            pair.talk();
        }
    }
}

#[test]
fn every_group_that_it_has() {
    for (ours, theirs) in [
        (NamedGroup::X25519, dimpl::NamedGroup::X25519),
        (NamedGroup::Secp256r1, dimpl::NamedGroup::Secp256r1),
        (NamedGroup::Secp384r1, dimpl::NamedGroup::Secp384r1),
    ] {
        for version in [Version::Dtls12, Version::Dtls13] {
            for is_client in [true, false] {
                let other = dimpl::Config::builder().kx_groups(&[theirs]);
                let mut pair = Pair::new(Config::default(), is_client, Some(version), other);
                pair.connect();
                pair.compare(version);
                assert_eq!(pair.ours.agreed().group, ours);
                pair.talk();
            }
        }
    }
}

#[test]
fn datagrams_are_lost() {
    for version in [Version::Dtls12, Version::Dtls13] {
        for is_client in [true, false] {
            for seed in 0..20 {
                let patience = Duration::from_secs(120);
                let ours = Config { mtu: 400, handshake_timeout: patience, ..only(version) };
                // It would begin with a second, and ends after a few tries.
                let other = dimpl::Config::builder()
                    .mtu(500)
                    .flight_start_rto(Duration::from_millis(100))
                    .flight_retries(20)
                    .handshake_timeout(patience);
                let mut pair = Pair::new(ours, is_client, Some(version), other);
                pair.loses = 20;
                pair.random = seed;
                pair.connect();
                pair.compare(version);
                pair.talk();
            }
        }
    }
}

#[test]
fn it_takes_new_keys() {
    for is_client in [true, false] {
        let other = dimpl::Config::builder().aead_encryption_limit(8);
        let mut pair = Pair::new(Config::default(), is_client, Some(Version::Dtls13), other);
        pair.connect();
        for _ in 0..100 {
            pair.talk();
        }
        assert_eq!(pair.ours.data.len(), 100);
    }
}

#[test]
fn a_wrong_fingerprint_is_noticed() {
    for version in [Version::Dtls12, Version::Dtls13] {
        for is_client in [true, false] {
            let now = start();
            let role = if is_client { Role::Client } else { Role::Server };
            let mut ours = End::new(only(version), role, 1, now);
            let mut other = Other::new(Some(version), dimpl::Config::builder(), !is_client, now);
            let wrong = Fingerprint::of(FingerprintHash::Sha256, b"another");
            ours.dtls.set_peer_fingerprints(now, &[wrong]).unwrap();
            let mut error = None;
            for _ in 0..20 {
                for datagram in ours.transmit(now) {
                    error = error.or(other.dtls.handle_packet(&datagram).err());
                }
                for datagram in other.transmit() {
                    ours.receive(now, datagram);
                }
            }
            assert_eq!(ours.failure, Some(Failure::FingerprintMismatch), "{version:?} {is_client}");
            assert!(error.is_some(), "our alert ends it there, too: {version:?} {is_client}");
            assert!(ours.data.is_empty());
        }
    }
}
