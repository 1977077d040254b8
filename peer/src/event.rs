//! What a peer connection tells its owner (the events of W3C webrtc-pc §4.4, §5.6, §6.2).

use sctp::channel::{ChannelId, ChannelMessage};

use crate::description::IceCandidateInit;
use crate::negotiation::SignalingState;

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
    /// [`add_local_candidate`](crate::PeerConnection::add_local_candidate), anew for each of these.
    Gather,
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
