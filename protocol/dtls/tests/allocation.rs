//! Records of data take nothing from the heap.
#![expect(clippy::disallowed_methods, reason = "a test has to begin somewhere")]

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use twocan_dtls::{Aead, Certificate, Config, Dtls, FingerprintHash, Role, Version};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn connected(config: Config) -> (Dtls, Dtls) {
    let (now, config) = (Instant::now(), Arc::new(config));
    let certificates =
        [1, 2].map(|seed| Arc::new(Certificate::generate([seed; 32], SystemTime::now()).unwrap()));
    let [mut client, mut server] = [(Role::Client, 0), (Role::Server, 1)].map(|(role, index)| {
        let mut end = Dtls::new(Arc::clone(&config), role, Arc::clone(&certificates[index]), [9; 32], now);
        let peer = certificates[1 - index].fingerprint(FingerprintHash::Sha256);
        end.set_peer_fingerprints(now, &[peer]).unwrap();
        end
    });
    let mut datagram = Vec::new();
    for _ in 0..5 {
        while client.poll_transmit(now, &mut datagram).is_some() {
            server.handle_datagram(now, &mut datagram).unwrap();
            datagram.clear();
        }
        while server.poll_transmit(now, &mut datagram).is_some() {
            client.handle_datagram(now, &mut datagram).unwrap();
            datagram.clear();
        }
    }
    while client.poll_event().is_some() || server.poll_event().is_some() {}
    (client, server)
}

fn main() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for version in [Version::Dtls12, Version::Dtls13] {
        for aead in [Aead::Aes128Gcm, Aead::Aes256Gcm, Aead::ChaCha20Poly1305] {
            let config = Config { versions: vec![version], aeads: vec![aead], ..Config::default() };
            let (mut client, mut server) = connected(config);
            let now = Instant::now();
            let header = client.overhead().unwrap().header;
            let mut buffer = Vec::with_capacity(2048);
            let before = dhat::HeapStats::get().total_blocks;
            for _ in 0..1000 {
                buffer.clear();
                buffer.resize(header + 1200, 7);
                client.seal(&mut buffer, 0).unwrap();
                assert_eq!(server.handle_datagram(now, &mut buffer).unwrap().count(), 1);
                // What a driver does after every datagram.
                assert!(server.poll_transmit(now, &mut buffer).is_none() && server.poll_event().is_none());
                assert!(server.poll_timeout().is_some());
            }
            assert_eq!(dhat::HeapStats::get().total_blocks, before, "{version:?} {aead:?}");
        }
    }
}
