//! `RTCPeerConnectionStats` (webrtc-stats §8.14).

use super::json::Object;
use crate::connection::PeerConnection;

/// The connection as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerConnectionStats {
    /// Channels that were ever open.
    pub data_channels_opened: u32,
    /// Those of them that are so no more.
    pub data_channels_closed: u32,
}

impl PeerConnectionStats {
    /// Its name in a report.
    pub const ID: &str = "P";

    pub(super) fn of(peer: &PeerConnection) -> Self {
        let counts = peer.transport.channels.counts();
        Self { data_channels_opened: counts.opened, data_channels_closed: counts.closed }
    }

    pub(super) fn write(&self, object: &mut Object<'_>) {
        object.member("dataChannelsOpened", &&self.data_channels_opened);
        object.member("dataChannelsClosed", &&self.data_channels_closed);
    }
}
