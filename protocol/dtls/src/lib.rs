//! DTLS 1.3 (RFC 9147, 8446) and DTLS 1.2 (RFC 6347, 5246), client and server, as WebRTC uses them: both ends show a
//! self-signed certificate, and know each other by its fingerprint alone (RFC 8827, 8842); the handshake also agrees
//! on the keys of SRTP (RFC 5764).
//!
//! A protocol crate: no clock, no I/O. [`Dtls`] is one end of a connection. Records of data are sealed and opened
//! where they lie in the caller's buffers, without a copy and without an allocation.
//!
//! ```
//! # use twocan_dtls as dtls;
//! use std::sync::Arc;
//! use std::time::{Instant, SystemTime};
//!
//! use dtls::{Certificate, Config, Dtls, Event, FingerprintHash, Role};
//!
//! let (now, date) = (Instant::now(), SystemTime::now());
//! let config = Arc::new(Config::default());
//! let ours = Arc::new(Certificate::generate([1; 32], date)?);
//! let theirs = Arc::new(Certificate::generate([2; 32], date)?);
//! // The seeds come from a cryptographic generator, of course.
//! let mut client = Dtls::new(Arc::clone(&config), Role::Client, Arc::clone(&ours), [3; 32], now);
//! let mut server = Dtls::new(config, Role::Server, Arc::clone(&theirs), [4; 32], now);
//! // The fingerprints come with the offer and the answer.
//! client.set_peer_fingerprints(now, &[theirs.fingerprint(FingerprintHash::Sha256)])?;
//! server.set_peer_fingerprints(now, &[ours.fingerprint(FingerprintHash::Sha256)])?;
//!
//! // Whatever one wants to send goes to the other.
//! let mut datagram = Vec::new();
//! for _ in 0..3 {
//!     while client.poll_transmit(now, &mut datagram).is_some() {
//!         let _ = server.handle_datagram(now, &mut datagram);
//!         datagram.clear();
//!     }
//!     while server.poll_transmit(now, &mut datagram).is_some() {
//!         let _ = client.handle_datagram(now, &mut datagram);
//!         datagram.clear();
//!     }
//! }
//! assert!(matches!(client.poll_event(), Some(Event::Connected(_))));
//! assert!(matches!(server.poll_event(), Some(Event::Connected(_))));
//!
//! // Room for the header, then the data.
//! datagram.resize(client.overhead().unwrap().header, 0);
//! datagram.extend_from_slice(b"hello");
//! client.seal(&mut datagram, 0)?;
//! let mut plaintexts = server.handle_datagram(now, &mut datagram).unwrap();
//! assert_eq!(&datagram[plaintexts.next().unwrap()], b"hello");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Why an engine of our own
//!
//! It stands on AWS-LC's primitives, and talks in its tests to dimpl and to OpenSSL. `examples/figures.rs` measures it
//! beside dimpl 0.9, which copies and queues. On two cores of an AMD EPYC, CPU time, records of 1,200 bytes:
//!
//! | | twocan | dimpl | AES-128-GCM alone |
//! |---|---|---|---|
//! | seal / open, DTLS 1.3, ns | 196 / 215 | 611 / 1,423 | 160 / 160 |
//! | seal / open, DTLS 1.2, ns | 190 / 206 | 441 / 773 | 160 / 160 |
//! | handshake of both ends, DTLS 1.3, ms | 0.28 | 0.38 | |
//! | handshake of both ends, DTLS 1.2, ms | 0.27 | 0.31 | |
//! | an idle connection, DTLS 1.3 / 1.2, KiB | 3.3 / 2.3 | 15.2 / 11.4 | |
//!
//! Most of an idle connection is AWS-LC's: 584 bytes a direction for the AEAD, and in DTLS 1.3 another 488 for the key
//! that hides record numbers.
//!
//! # Who may do what
//!
//! - Nothing is handed out or sealed before the handshake is complete *and* a fingerprint of the peer's certificate
//!   was given and matches. Data that comes before is kept, up to 32 records and 48 KiB.
//! - Every state of the handshake takes one message, or two where one is optional; anything else ends the connection.
//!   What is in the clear is not believed once something protected came.
//! - What cannot be opened is dropped and counted ([`Fault`]). Everything kept for a peer has a bound: messages of 32
//!   KiB, 64 KiB of them in all, ten ahead, 64 pieces each.
//! - A server does not ask for a cookie, as whoever reaches it has been seen by ICE (RFC 9147 §5.1 allows that). It must
//!   not be reachable otherwise: its answer is about five times as long as the question. A client answers
//!   HelloVerifyRequest and HelloRetryRequest.
//! - All secrets follow from the seed but nonces of ECDSA and keys of ML-KEM, which AWS-LC draws itself.
//!
//! # What is not as the standards say, or not there
//!
//! - RFC 9147 §5.8.2: the first retransmission comes after 100 ms and the longest wait is 3 s ([`Config`] changes both),
//!   as the RFC allows a profile to say. The timer does not adapt to measured round trips.
//! - RFC 9147 §7.1: a client that lacks the ServerHello says its ClientHello again instead of an empty ACK, which a
//!   server of DTLS 1.2 would take ill.
//! - RFC 9147 §5.10: an alert is not said again.
//! - RFC 8446 §9.1: certificates with RSA keys are checked but not shown; `signature_algorithms_cert` and all of PKI
//!   mean nothing here (RFC 8827 §6.5).
//! - Not there: resumption, early data, pre-shared keys, connection IDs, renegotiation (refused), compression, CBC
//!   suites, DTLS 1.2 without the extended master secret (refused).
//!
//! # DTLS in STUN
//!
//! [`Dtls::poll_transmit`] gives, and [`Dtls::handle_datagram`] takes, opaque datagrams: it is all the same to them
//! whether they travel on their own or inside of STUN messages (draft-hancke-webrtc-sped). [`Transmit::flight`] tells
//! which of those that wait are out of date, [`Dtls::set_mtu`] leaves room for STUN.

mod acks;
mod certificate;
mod codec;
mod config;
mod connection;
mod core;
mod crypto;
mod early;
mod event;
mod export;
mod extension;
mod failure;
mod fault;
mod fingerprint;
mod flight;
mod handshake;
mod message;
mod random;
mod reading;
mod reassembly;
mod record;
mod version;
mod writing;

pub use certificate::{Certificate, CertificateError};
pub use config::{Config, Role};
pub use connection::{Dtls, Overhead, Plaintexts, Reason, SealError, Transmit};
pub use crypto::group::NamedGroup;
pub use crypto::suite::{Aead, CipherSuite};
pub use event::{Connected, Event};
pub use export::ExportError;
pub use extension::use_srtp::SrtpProfile;
pub use failure::Failure;
pub use fault::{Counters, Fault};
pub use fingerprint::{Fingerprint, FingerprintError, FingerprintHash, is_announced};
pub use message::alert::AlertDescription;
pub use version::Version;
