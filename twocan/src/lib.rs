//! WebRTC in Rust: peer connections, data channels and media over tokio, with the W3C's API.
//!
//! A [`PeerConnection`] is made, exchanges descriptions with its peer through whatever signaling there is, and tells
//! what happens through [`PeerConnection::next_event`]. A [`DataChannel`] sends and receives messages. Under it all
//! is the state machine of the crate `twocan-peer`, in a task of its own; dropping the [`PeerConnection`] ends it.
//!
//! ```
//! use twocan::{Configuration, DataChannelOptions, Message, PeerConnection, PeerEvent};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let configuration = || Configuration { include_loopback: true, ..Configuration::default() };
//! let mut ada = PeerConnection::new(configuration()).await?;
//! let mut bob = PeerConnection::new(configuration()).await?;
//!
//! // Signaling: here the two are in one program.
//! let channel = ada.create_data_channel("chat", DataChannelOptions::default()).await?;
//! let offer = ada.set_local_description(None).await?;
//! bob.set_remote_description(offer).await?;
//! let answer = bob.set_local_description(None).await?;
//! ada.set_remote_description(answer).await?;
//!
//! let mut there = loop {
//!     tokio::select! {
//!         Some(PeerEvent::IceCandidate(candidate)) = ada.next_event() => bob.add_ice_candidate(candidate).await?,
//!         Some(event) = bob.next_event() => match event {
//!             PeerEvent::IceCandidate(candidate) => ada.add_ice_candidate(candidate).await?,
//!             PeerEvent::DataChannel(channel) => break channel,
//!             _ => {}
//!         },
//!     }
//! };
//! channel.ready().await?;
//! channel.send("hello").await?;
//! assert_eq!(there.recv().await, Some(Message::text("hello")));
//! # Ok(())
//! # }
//! ```

mod asking;
mod bell;
mod budget;
mod channel;
mod configuration;
mod connection;
mod driver;
mod endpoint;
mod error;
mod event;
mod interfaces;
mod mdns;
mod media;
mod port;
mod queue;
mod room;
mod selected;
mod sockets;
mod streams;

pub use channel::{DataChannel, DataSender, DataStream, Message, MessagePiece};
pub use configuration::{
    AddressFilter, BundlePolicy, Configuration, DataChannelOptions, DtlsVersion, ExternalAddress, IceServer,
    IceServerError, IceTransportPolicy, IceUrl, ServerScheme, ServerTransport, UrlError,
};
pub use connection::PeerConnection;
pub use dtls::{Certificate, CertificateError, Failure as DtlsFailure};
pub use endpoint::Endpoint;
pub use error::{Error, SendError};
pub use event::{IceCandidateError, PeerEvent};
pub use ice::{
    Kind as IceCandidateType, Protocol as IceProtocol, RelayProtocol, State as IceConnectionState,
};
pub use media::{
    FrameError, FrameReceiver, FrameSender, MediaFrame, ReceivedFrame, RtpReceiver, RtpSender, Transceiver,
    TransceiverState,
};
pub use peer::{
    AgreedCodec, Agreement, BadTransceiver, Codec, CodecCapability, Direction, Encoding, EncodingInit,
    ExtensionCapability, Feedback, MediaCapabilities, MediaKind, MediaPacket, OutgoingPacket, Prefix,
    TransceiverId, TransceiverInit,
};
pub use peer::{
    ChannelState as DataChannelState, IceCandidateInit, IceGatheringState, PeerConnectionState, Reliability,
    SdpType, SessionDescription, SignalingState, StatsReport, stats,
};
pub use rtp::NtpTime;
pub use rtp::codec::Codec as FrameCodec;
pub use rtp::jitter::JitterCounters;
pub use selected::{CandidatePair, PairEnd};
