//! What a peer connection tells its owner (the events of W3C webrtc-pc §4.4, §5.6, §6.2).

use std::net::{IpAddr, SocketAddr};

use sctp::channel::{ChannelId, ChannelMessage};

use crate::description::IceCandidateInit;
use crate::media::TransceiverId;
use crate::negotiation::SignalingState;
use crate::stream::{StreamId, StreamSecurity};

/// `RTCPeerConnectionState`: ICE and DTLS together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerConnectionState {
    /// Nothing has begun.
    #[default]
    New,
    /// A path is looked for, or secured.
    Connecting,
    /// Data flows.
    Connected,
    /// The peer does not answer for the moment.
    Disconnected,
    /// There is no path, or somebody else is at its end. An ICE restart may help with the first.
    Failed,
    /// `close` was called.
    Closed,
}

/// `RTCIceGatheringState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IceGatheringState {
    /// Not begun.
    #[default]
    New,
    /// Addresses are gathered.
    Gathering,
    /// All were told.
    Complete,
}

/// Something happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An exchange of descriptions is needed: make an offer.
    NegotiationNeeded,
    /// Where the exchange stands.
    SignalingState(SignalingState),
    /// Gather: tell this end's addresses with
    /// [`add_local_candidate`](crate::PeerConnection::add_local_candidate) and the servers with
    /// [`add_ice_server`](crate::PeerConnection::add_ice_server), anew for each of these, then
    /// [`end_of_local_candidates`](crate::PeerConnection::end_of_local_candidates).
    Gather,
    /// Open a connection over TCP, and TLS where that is asked for, and call
    /// [`handle_connected`](crate::PeerConnection::handle_connected) or
    /// [`handle_disconnected`](crate::PeerConnection::handle_disconnected).
    Connect {
        /// Its name from now on.
        id: StreamId,
        /// From which address, if that matters; any port.
        local: Option<IpAddr>,
        /// To where.
        remote: SocketAddr,
        /// How it is secured.
        security: StreamSecurity,
    },
    /// Close a connection, or give up opening it; what was handed out for it may still be sent.
    Disconnect {
        /// Which one.
        id: StreamId,
    },
    /// A server was of no use (`RTCPeerConnectionIceErrorEvent`, W3C webrtc-pc §4.8.2).
    IceCandidateError {
        /// The address that it was asked from, where that is known.
        address: Option<IpAddr>,
        /// And the port.
        port: Option<u16>,
        /// Which server.
        url: Box<str>,
        /// What it said (RFC 8489 §14.8), or 701: it could not be reached.
        error_code: u16,
        /// In words.
        error_text: Box<str>,
    },
    /// A candidate of ours, to be told to the peer; none: that was all.
    IceCandidate(Option<IceCandidateInit>),
    /// How far gathering is.
    IceGatheringState(IceGatheringState),
    /// How far ICE is.
    IceConnectionState(ice::State),
    /// Data goes this way from now on.
    SelectedPath(Box<ice::Selected>),
    /// Resolve a name of the peer's by multicast DNS, and call
    /// [`handle_resolved`](crate::PeerConnection::handle_resolved).
    Resolve {
        /// Which one.
        id: ice::ResolveId,
        /// `….local`.
        name: Box<str>,
    },
    /// How the connection is, all together.
    ConnectionState(PeerConnectionState),
    /// The connection is secured: who is at its other end is proven.
    Secured(Box<dtls::Connected>),
    /// The connection has failed for good, because of DTLS.
    Failed(dtls::Failure),
    /// The peer will send a track: [`remote_track`](crate::Transceiver::remote_track).
    Track(TransceiverId),
    /// The peer will not send that track any more.
    TrackRemoved(TransceiverId),
    /// The peer cannot go on without a key frame of an encoding that we send: it says so, or asks for what is kept no more.
    KeyFrameRequested {
        /// Whose it is.
        transceiver: TransceiverId,
        /// Its place in [`encodings`](crate::Transceiver::encodings).
        encoding: usize,
    },
    /// So much may be sent, over all that is sent: bits per second, headers included. Told when it changes.
    TargetBitrate(u64),
    /// The peer opened a data channel.
    DataChannel(ChannelId),
    /// A data channel can be used.
    ChannelOpen(ChannelId),
    /// A message, or a piece of a long one.
    Message(ChannelMessage),
    /// The rest of a message, of which pieces were handed out, will not come.
    MessageAborted {
        /// The channel.
        channel: ChannelId,
        /// [`ChannelMessage::id`].
        id: u64,
    },
    /// A channel has no more waiting than its low threshold.
    BufferedAmountLow(ChannelId),
    /// Messages were refused for lack of room, and there is room again.
    Writable,
    /// The peer closes a channel.
    ChannelClosing(ChannelId),
    /// A channel is gone.
    ChannelClosed(ChannelId),
}
