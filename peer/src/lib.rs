//! WebRTC's peer connection without I/O: offer and answer (RFC 9429), ICE, DTLS, SCTP and data channels, composed.
//!
//! The only room of the house that knows more than one protocol of the media path. It does no I/O, reads no clock and
//! gathers nothing: sockets, STUN and TURN clients are its driver's.

mod config;
mod connection;
mod description;
mod error;
mod event;
mod fault;
pub mod limits;
mod negotiation;
mod transport;

pub use config::Configuration;
pub use connection::PeerConnection;
pub use description::{IceCandidateInit, SdpType, SessionDescription, UnknownSdpType};
pub use error::{CandidateError, DescriptionError};
pub use event::{Event, IceGatheringState, PeerConnectionState};
pub use fault::{Counters, Fault};
pub use negotiation::SignalingState;
pub use sctp::Reliability;
pub use sctp::channel::{
    Channel, ChannelError, ChannelId, ChannelMessage, ChannelOptions, ChannelState, Kind,
};
pub use transport::{Reason, Traffic};
