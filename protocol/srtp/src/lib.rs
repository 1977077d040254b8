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
pub use sender::{MAX_SENDER_SOURCES, ProtectError, Sender};
