//! WebRTC's peer connection without I/O: offer and answer (RFC 9429), ICE, DTLS, SCTP and data channels, composed.
//!
//! The only room of the house that knows more than one protocol of the media path. It does no I/O and reads no clock:
//! sockets, connections, name resolution and TLS are its driver's. What is asked of STUN and TURN servers, and what goes
//! through relays and over connections, is known here.
//!
//! From the answer on, a channel takes one round trip to open, where both ends let ICE's checks carry the handshake of
//! DTLS and their descriptions SCTP's INIT; with a peer that does neither, three (`tests/connection/rounds.rs`):
//!
//! | ms, at 100 ms a round trip | open at the offerer | known to the answerer | an echo is back |
//! |---|---|---|---|
//! | neither | 300 | 350 | 400 |
//! | INIT in descriptions (SNAP) | 200 | 250 | 300 |
//! | DTLS in STUN (SPED) | 200 | 250 | 300 |
//! | both | 100 | 150 | 200 |
//!
//! Two of them in one program, with no network at all between them:
//!
//! ```
//! use std::{sync::Arc, time::{Duration, Instant, SystemTime}};
//!
//! use twocan_peer::{ChannelOptions, Configuration, Event, PeerConnection};
//! use wire::Received;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut now = Instant::now();
//! let mut peer = |seed| {
//!     let certificate = dtls::Certificate::generate([seed; 32], SystemTime::now()).expect("a certificate");
//!     PeerConnection::new(now, Configuration::new(Arc::new(certificate), [seed; 32]))
//! };
//! let mut ends = [peer(1), peer(2)];
//! let addresses = ["192.0.2.1:5000".parse()?, "192.0.2.2:5000".parse()?];
//!
//! let [ada, bob] = &mut ends;
//! ada.create_data_channel(now, "chat", "", ChannelOptions::default())?;
//! let offer = ada.set_local_description_implicitly(now)?;
//! bob.set_remote_description(now, &offer)?;
//! let answer = bob.set_local_description_implicitly(now)?;
//! ada.set_remote_description(now, &answer)?;
//!
//! 'connected: loop {
//!     for own in [0, 1] {
//!         while let Some(event) = ends[own].poll_event() {
//!             match event {
//!                 Event::Gather => {
//!                     ends[own].add_local_candidate(now, ice::LocalCandidate::host(addresses[own]))?;
//!                     ends[own].end_of_local_candidates(now);
//!                 }
//!                 Event::IceCandidate(candidate) => ends[1 - own].add_ice_candidate(now, candidate.as_ref())?,
//!                 Event::DataChannel(_) => break 'connected,
//!                 _ => {}
//!             }
//!         }
//!         let mut datagrams = Vec::new();
//!         while let Some(transmit) = ends[own].poll_transmit(now, &mut datagrams) {
//!             for bytes in datagrams.chunks_mut(transmit.segment_size.unwrap_or(usize::MAX)) {
//!                 let (source, destination) = (transmit.source, transmit.destination);
//!                 // What is dropped is counted.
//!                 let _ = ends[1 - own].handle_datagram(now, Received { source, destination, bytes });
//!             }
//!             datagrams.clear();
//!         }
//!         ends[own].handle_timeout(now);
//!     }
//!     now += Duration::from_millis(1);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What differs from the standards
//!
//! - A STUN server that does not answer is given up after 9.5 s, and a TURN server after 10 s, as browsers do, and not
//!   after the 39.5 s of RFC 8489 §6.2.1: gathering ends sooner.
//! - Relays that are not used are kept and refreshed (RFC 8445 §8.3.1 would free them): another pair may be needed when the
//!   selected one dies, and the next ICE restart takes them up.
//! - A relay that is lost while the session lives is asked for again, and told although the end of candidates was: who
//!   has no ear for it learns of it from its checks.
//! - `errorText` of a TURN server's refusal says what to do, not the server's own phrase (W3C webrtc-pc §4.8.2).
//! - The first few questions to servers are asked at once; RFC 8445 §14.2 has one per Ta, as they are in the long run.
//! - STUN servers are asked over UDP only (RFC 6544 §5.2 has TCP too, for simultaneous open).
//! - `max-bundle` means what RFC 9429 §4.1.1 calls `must-bundle`.

mod config;
mod connection;
mod description;
mod error;
mod event;
mod fault;
mod gather;
pub mod limits;
mod media;
mod negotiation;
mod seeds;
mod server;
mod session;
pub mod stats;
mod stream;
mod transport;

pub use bwe::Stats as PathEstimate;
pub use config::{BundlePolicy, Configuration, IceTransportPolicy};
pub use connection::PeerConnection;
pub use description::{IceCandidateInit, SdpType, SessionDescription, UnknownSdpType};
pub use error::{CandidateError, DescriptionError, SendError};
pub use event::{Event, IceGatheringState, PeerConnectionState};
pub use fault::{Counters, Fault, MediaFault};
pub use media::{
    AgreedCodec, Agreement, BadTransceiver, Codec, CodecCapability, Direction, Encoding, EncodingInit,
    ExtensionCapability, Feedback, MediaCapabilities, MediaKind, RemoteSource, Transceiver, TransceiverId,
    TransceiverInit,
};
pub use negotiation::SignalingState;
pub use sctp::Reliability;
pub use sctp::channel::{
    Channel, ChannelError, ChannelId, ChannelMessage, ChannelOptions, ChannelState, Kind,
};
pub use server::{IceServer, IceServerKind, ServerTransport};
pub use session::{MediaPacket, OutgoingPacket, Prefix, SenderClock};
pub use stats::StatsReport;
pub use stream::{StreamId, StreamSecurity};
pub use transport::{Burst, Reason, Traffic};
