//! SRTP and SRTCP (RFC 3711) with WebRTC's profiles (RFC 5764, 7714): packets sealed and opened where they lie, without
//! a copy and without an allocation.
//!
//! A protocol crate: no clock, no I/O. Keys come from the handshake of DTLS ([`Keys`]). A [`Sender`] protects what one
//! end sends, RTP and RTCP of all its sources; a [`Receiver`] opens it. Which of both a datagram is, the caller finds
//! out before (RFC 5761 §4).
//!
//! ```
//! use twocan_srtp::{Fault, Keys, Profile, Receiver, Sender};
//!
//! // What both ends exported with `Keys::EXPORT_LABEL`.
//! let material = [7; Profile::AeadAes128Gcm.keying_material_len()];
//! let keys = Keys::split(Profile::AeadAes128Gcm, &material)?;
//! let (mut sender, _): (Sender, _) = keys.contexts(true)?;
//! let (_, mut receiver): (_, Receiver) = keys.contexts(false)?;
//!
//! // Packets one behind another, to be sent in one system call.
//! let mut buffer = Vec::new();
//! for number in 1..=2 {
//!     let start = buffer.len();
//!     buffer.extend([0x80, 111, 0, number, 0, 0, 3, 0xC0, 0, 0, 0, 9]);
//!     buffer.extend(b"sound");
//!     sender.protect_rtp(&mut buffer, start)?;
//! }
//!
//! let mut again = buffer.clone();
//! for packet in buffer.chunks_mut(12 + 5 + Profile::AeadAes128Gcm.rtp_overhead()) {
//!     let len = receiver.unprotect_rtp(packet)?;
//!     assert_eq!(packet[12..len], *b"sound");
//! }
//! assert_eq!(receiver.unprotect_rtp(&mut again[..33]), Err(Fault::Replayed));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it costs
//!
//! `cargo xtask bench srtp`, million packets per CPU-second, protected / opened, medians of three rounds in which all took
//! turns, on one of two cores of an AMD EPYC without wide AES instructions that others kept busy meanwhile; so what counts
//! is how the figures of a row compare. "Alone" is what AWS-LC takes for the same bytes. webrtc-rs is rtc-srtp 0.21.
//!
//! | profile | bytes | twocan | webrtc-rs | alone |
//! |---|---|---|---|---|
//! | AEAD_AES_128_GCM | 1,200 | 2.06 / 2.19 | 1.59 / 1.65 | 2.25 / 2.26 |
//! | AEAD_AES_128_GCM | 160 | 5.17 / 5.12 | 3.14 / 3.25 | 5.58 / 5.67 |
//! | AEAD_AES_256_GCM | 1,200 | 1.88 / 2.02 | 1.50 / 1.56 | 2.05 / 2.09 |
//! | AEAD_AES_256_GCM | 160 | 4.81 / 4.75 | 3.07 / 3.17 | 5.27 / 5.37 |
//! | AES128_CM_HMAC_SHA1_80 | 1,200 | 0.83 / 0.84 | 0.70 / 0.69 | 0.83 / 0.83 |
//! | AES128_CM_HMAC_SHA1_80 | 160 | 2.19 / 2.18 | 1.66 / 1.60 | 2.18 / 2.14 |
//!
//! AES-128-GCM is the cheapest for both ends, by a factor of two and a half before HMAC-SHA1: [`Profile::ALL`] has them in
//! that order, and so has what our DTLS offers and chooses.
//!
//! # What is kept
//!
//! The last 960 numbers of each source, at least, and how often they wrapped around; the last 64 of SRTCP. A receiver
//! keeps up to [`MAX_RECEIVER_SOURCES`], a sender up to [`MAX_SENDER_SOURCES`]; none is ever forgotten, as its packets
//! could be sent again then.
//!
//! # What is not as the standards say, or not there
//!
//! - RFC 3711 §3.3.1: a receiver that does not know the rollover counter tries more than one, a few times. A forged
//!   packet costs it up to twice as much for that where its source is new, and a quarter more where it is known.
//! - Not there, as WebRTC has no use for it (RFC 8827 §6.5): master key identifiers, a key derivation rate, AES-f8, the
//!   NULL cipher, tags of 32 bits, header extensions encrypted one by one (RFC 6904), for which cryptex is (RFC 9335).

mod cipher;
mod cryptex;
mod derive;
mod fault;
#[cfg(test)]
mod hex;
mod keys;
mod profile;
mod receiver;
mod sender;
mod sources;
mod stream;

pub use fault::Fault;
pub use keys::{KeyError, Keys, MasterKey};
pub use profile::Profile;
pub use receiver::{MAX_RECEIVER_SOURCES, Receiver};
pub use sender::{MAX_SENDER_SOURCES, ProtectError, Sender, SourcePlace};
