//! The selective forwarding unit of one room (RFC 7667 §3.7): which packets of whose media go to whom, and as what.
//!
//! Pure: time comes in as an argument, packets and events go out. Sockets, encryption and retransmission are those of the
//! peer connections, one for each participant, that its driver has.
//!
//! A [`Room`] knows participants, what they publish, and what they subscribe to. Each packet of a publication is looked at
//! once and given to each subscription, which makes one continuous stream of what it gets: it begins with a key frame,
//! goes from one simulcast encoding to another at key frames, leaves out temporal and spatial layers, and what is left out
//! on purpose leaves no gap, so that a receiver misses nothing but what was lost. Of voices, the loudest few are forwarded where
//! the room is told to ([`Room::set_voices`]).
//!
//! ```
//! use std::time::Instant;
//!
//! use peer::{MediaKind, MediaPacket, TransceiverId};
//! use rtp::{codec::Codec, extension::ExtensionMap};
//! use twocan_sfu::{Offer, Room, Source, Wish};
//!
//! let now = Instant::now();
//! let mut room = Room::new(now);
//! let (ada, bob) = (room.join(now).unwrap(), room.join(now).unwrap());
//! let (kind, source, codec) = (MediaKind::Audio, Source::Microphone, Codec::Opus);
//! let offer = Offer { kind, source, codec, extensions: ExtensionMap::default(), encodings: 1 };
//! let voice = room.publish(now, ada, offer).unwrap();
//! let ear = room.subscribe(now, bob, voice, Wish::default()).unwrap();
//!
//! let packet = MediaPacket {
//!     transceiver: TransceiverId::default(),
//!     encoding: 0,
//!     sequence_number: 70_000,
//!     is_repair: false,
//!     arrived: now,
//!     bytes: vec![0x80, 111, 0, 1, 0, 0, 3, 0xC0, 0, 0, 0, 7, 0xFC].into(),
//! };
//! let mut heard = Vec::new();
//! room.handle_packet(now, voice, &packet, |subscription, forward| heard.push((subscription, forward)));
//! assert_eq!(heard[0].0, ear);
//! assert_eq!(heard[0].1.payload, [0xFC][..]);
//! while let Some(event) = room.poll_event() {
//!     println!("{event:?}");
//! }
//! ```

mod allocate;
mod clock;
mod encoding;
mod event;
mod fault;
mod id;
mod key_frame;
mod levels;
pub mod limits;
mod meter;
mod participant;
mod publication;
mod refused;
mod rewrite;
mod room;
mod seen;
mod select;
mod speaker;
mod subscription;
mod targets;
#[cfg(test)]
mod tests;
mod voices;
mod watched;

pub use event::{Event, Layer, Reason, Why};
pub use fault::{Counters, Fault};
pub use id::{ParticipantId, PublicationId, SubscriptionId};
pub use publication::{Offer, Source};
pub use refused::Refused;
pub use rewrite::{Forward, Label};
pub use room::Room;
pub use subscription::Wish;
