//! Bytes for a DTLS end that has talked to nobody yet (RFC 9147 §4, RFC 6347 §4, RFC 8446 §4.1.2): whatever they are, a
//! server answers no more than a handshake's flight, a client goes on asking, and time ends both.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use dtls::{Certificate, Config, Dtls, Event, Role, Version};

/// What one datagram may bring: a server's flight with its certificate, in the smallest datagrams.
const BURST: usize = 32;
/// Longer than any handshake is waited for, or its keys are kept.
const FOR_EVER: Duration = Duration::from_secs(600);
const WAKE_UPS: usize = 1000;

pub(super) fn certificate(index: usize) -> Arc<Certificate> {
    static CERTIFICATES: [OnceLock<Arc<Certificate>>; 2] = [OnceLock::new(), OnceLock::new()];
    let make = || {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        Arc::new(Certificate::generate([index as u8 + 1; 32], date).expect("a certificate"))
    };
    Arc::clone(CERTIFICATES[index % 2].get_or_init(make))
}

/// The first byte says who reads; then every datagram has its length in front.
pub(super) fn run(bytes: &[u8]) {
    let Some((shape, mut bytes)) = bytes.split_first() else { return };
    let versions = match shape >> 2 & 3 {
        0 => vec![Version::Dtls12],
        1 => vec![Version::Dtls13],
        _ => vec![Version::Dtls13, Version::Dtls12],
    };
    let role = [Role::Server, Role::Client, Role::Undecided, Role::Server][usize::from(shape & 3)];
    let mut now = Instant::now();
    let config = Arc::new(Config { versions, ..Config::default() });
    let mut end = Dtls::new(config, role, certificate(0), [3; 32], now);
    drain(&mut end, now);
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (datagram, rest) = rest.split_at(length);
        bytes = rest;
        let mut datagram = datagram.to_vec();
        let plaintexts = end.handle_datagram(now, &mut datagram).map_or(0, |plaintexts| plaintexts.len());
        assert_eq!(plaintexts, 0, "nothing is proven");
        drain(&mut end, now);
    }
    let deadline = now + FOR_EVER;
    for _ in 0..WAKE_UPS {
        let Some((at, reason)) = end.poll_timeout() else { break };
        assert!(at > now && at < deadline, "time stands still: {reason:?}");
        now = at;
        end.handle_timeout(now);
        drain(&mut end, now);
    }
    assert_eq!(end.poll_timeout(), None, "it waits for ever");
}

fn drain(end: &mut Dtls, now: Instant) {
    let (mut bytes, mut count) = (Vec::new(), 0);
    while let Some(transmit) = end.poll_transmit(now, &mut bytes) {
        assert_eq!(transmit.length, bytes.len());
        assert!(!bytes.is_empty() && bytes.len() <= 1200);
        bytes.clear();
        count += 1;
        assert!(count <= BURST, "{count} datagrams at once");
    }
    while let Some(event) = end.poll_event() {
        assert!(matches!(event, Event::Closed | Event::Failed(_)), "nobody was proven: {event:?}");
    }
}
