//! STUN: Session Traversal Utilities for NAT (RFC 8489), with behaviour discovery (RFC 5780).
//!
//! A protocol crate: no clock, no I/O. It reads and writes messages, proves and checks who sent them, finds
//! out what a NAT does ([`discovery`]),
//! and runs a client's transactions. TURN and ICE build on it and bring their own attributes by
//! implementing [`Attribute`].
//!
//! ```
//! # use twocan_stun as stun;
//! use stun::attribute::{Software, XorMappedAddress};
//! use stun::{Class, Message, Method, TransactionId, Writer};
//!
//! // A server answers a Binding request.
//! let id = TransactionId([7; 12]);
//! let mut answer = Vec::new();
//! let mut writer = Writer::new(&mut answer, Class::Success, Method::BINDING, id);
//! writer.add(&XorMappedAddress("192.0.2.1:32853".parse().unwrap()));
//! writer.fingerprint();
//!
//! // The client reads it.
//! let message = Message::parse(&answer).unwrap();
//! assert!(message.has_valid_fingerprint());
//! let mapped = message.get::<XorMappedAddress>().unwrap().unwrap();
//! assert_eq!(mapped.0.to_string(), "192.0.2.1:32853");
//! assert!(message.get::<Software>().unwrap().is_none());
//! ```

pub mod attribute;
pub mod client;
mod credentials;
pub mod discovery;
pub mod framing;
mod header;
mod integrity;
mod message;
pub mod nonce;
mod opaque_string;
pub mod transaction;
#[cfg(test)]
mod vectors;
mod writer;

pub use attribute::{Attribute, BadAttribute};
pub use credentials::{Algorithm, Key, ephemeral_password, user_hash};
pub use header::{Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId};
pub use integrity::IntegrityError;
pub use message::{Message, OwnedMessage, ParseError, RawAttribute};
pub use opaque_string::{NotOpaque, opaque_string};
pub use writer::Writer;
