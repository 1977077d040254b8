//! SCTP over DTLS (RFC 9260, RFC 8261) and WebRTC data channels (RFC 8831, RFC 8832).
//!
//! A protocol crate: no clock, no I/O, no randomness of its own. [`Association`] is SCTP itself, [`channel`]
//! puts data channels on top; both are state machines with the same verbs.
//!
//! ```
//! # use twocan_sctp as sctp;
//! use sctp::channel::{ChannelEvent, ChannelOptions, DataChannels, Kind, Role};
//! use sctp::{Association, Config};
//!
//! # #[expect(clippy::disallowed_methods, reason = "an example needs some instant")]
//! let now = std::time::Instant::now();
//! let new = |seed| DataChannels::new(Association::new(now, Config::default(), seed));
//! let (mut a, mut b) = (new(1), new(2));
//! a.set_role(now, Role::Client);
//! b.set_role(now, Role::Server);
//! a.association_mut().connect(now);
//! let channel = a.open(now, "chat", "", ChannelOptions::default()).unwrap();
//!
//! // The driver. DTLS would seal each packet in the buffer, behind room for its header.
//! let mut buffer = Vec::new();
//! let mut heard = None;
//! while heard.is_none() {
//!     while a.poll_transmit(now, &mut buffer).is_some() {
//!         b.handle_packet(now, &buffer).unwrap();
//!         buffer.clear();
//!     }
//!     while b.poll_transmit(now, &mut buffer).is_some() {
//!         a.handle_packet(now, &buffer).unwrap();
//!         buffer.clear();
//!     }
//!     while let Some(event) = a.poll_event(now) {
//!         if event == ChannelEvent::Opened(channel) {
//!             a.send(now, channel, Kind::String, "hello".into()).unwrap();
//!         }
//!     }
//!     while let Some(event) = b.poll_event(now) {
//!         if let ChannelEvent::Message(message) = event {
//!             heard = Some(message.data);
//!         }
//!     }
//! }
//! assert_eq!(heard.unwrap(), b"hello");
//! ```
//!
//! # What is not done as the standards say
//!
//! - RFC 9260 §5.1.3: the State Cookie is a number that names what is kept here, not the signed state itself.
//!   Only the one peer that DTLS authenticated can send an INIT, so there is no flood to be stateless for.
//! - RFC 9260 §5.2.2, §5.2.4 (restart): refused with an ABORT. A peer that lost its association has lost its
//!   DTLS connection too.
//! - RFC 9260 §6.2: a burst of packets that is taken in before `poll_transmit` is called gets one SACK.
//! - RFC 9260 §6.3.1: RTO.Min is below a second (300 ms), as in every WebRTC implementation; the timeout
//!   leaves 220 ms for a delayed SACK. Every acknowledgement of a first transmission is measured.
//! - RFC 9260 §7 (congestion control), §7.2.4 (fast retransmit): BBR and RACK instead, see `CONGESTION.md`.
//! - RFC 6525 §5.2: requests other than Outgoing SSN Reset are answered with Denied; WebRTC uses none.
//! - RFC 9260 §6.4 and all that is about several addresses: over DTLS there is one path (RFC 8261 §6.1).

mod association;
mod bits;
mod buffers;
pub mod channel;
mod config;
mod congestion;
mod event;
mod fault;
pub mod packet;
mod random;
mod receive;
mod recovery;
mod send;
mod serial;
mod slab;
mod time;

pub use association::{Association, BadInit, Stats, Transmit};
pub use config::Config;
pub use event::{CloseReason, Event, Reason, ReceivedMessage};
pub use fault::{Fault, Faults};
pub use send::{Options, Reliability, SendError};
