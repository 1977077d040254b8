//! SFrame (RFC 9605): frames of media encrypted from end to end, so that servers which forward them cannot read them.
//!
//! A protocol crate: no clock, no I/O. A frame is encrypted before it is cut into packets, and decrypted once it is whole
//! again; SRTP protects the packets on each leg all the same. Browsers do it in a transform of encoded frames, with
//! `web/js/sframe.js`.
//!
//! ```
//! use twocan_sframe::{CipherSuite, Fault, Receiver, Sender};
//!
//! let suite = CipherSuite::Aes128GcmSha256_128;
//! let base_key = [7; 32];
//! // Whoever shares a base key has a number of its own.
//! let (mut ours, mut theirs) = (Sender::new(suite, 17, &base_key)?, Receiver::new(suite));
//! theirs.insert_key(17, &base_key)?;
//!
//! // One byte stays in the clear, for those who forward the frame, and is authenticated.
//! let mut frame = b"\x78sound".to_vec();
//! ours.encrypt(&mut frame, 1, &[0x78])?;
//! let copy = frame.clone();
//!
//! let (clear, encrypted) = frame.split_at_mut(1);
//! let opened = theirs.decrypt(encrypted, clear)?;
//! assert_eq!(encrypted[opened.plaintext], *b"sound");
//! assert_eq!(opened.header.kid, 17);
//! assert_eq!(theirs.decrypt(&mut copy[1..].to_vec(), &copy[..1]), Err(Fault::Replayed));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Which bytes of a frame packetizers and forwarding servers need differs by codec: [`FrameFormat`] knows.
//!
//! # Keys
//!
//! Whom a key is told, and when there is a new one, is the caller's: it [inserts](Receiver::insert_key) and
//! [removes](Receiver::remove_key) them, and may [`ratchet`] them. A room with a passphrase has the key that
//! [`key_from_passphrase`] makes of it ([`Receiver::set_shared_key`]). Who holds the key of a room can speak for any other
//! in it: SFrame signs nothing (RFC 9605 §7.1).
//!
//! # What is kept
//!
//! Up to [`MAX_KEYS`] keys, and of each which of its last 960 frames came, at least.

mod cipher;
mod fault;
mod frames;
mod header;
mod key;
mod receiver;
mod sender;
mod suite;

pub use fault::Fault;
pub use frames::FrameFormat;
pub use header::{Header, MAX_HEADER_LEN};
pub use key::{KeyError, PASSPHRASE_ITERATIONS, PASSPHRASE_KEY_LEN, key_from_passphrase, ratchet};
pub use receiver::{InsertError, MAX_KEYS, Opened, Receiver};
pub use sender::{EncryptError, MAX_METADATA_LEN, Sender};
pub use suite::CipherSuite;
