//! `RTCDataChannelStats` (webrtc-stats §8.15).

use sctp::channel::{Channel, ChannelId, ChannelState};

use super::json::Object;

/// A data channel, until it is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataChannelStats {
    /// Names it in reports.
    pub id: String,
    /// Its name, which need not be unique.
    pub label: String,
    /// The subprotocol.
    pub protocol: String,
    /// Its SCTP stream, once it has one.
    pub data_channel_identifier: Option<u16>,
    /// Where it stands.
    pub state: ChannelState,
    /// How much it has carried.
    pub carried: sctp::channel::ChannelStats,
}

impl DataChannelStats {
    pub(super) fn of(id: ChannelId, channel: &Channel) -> Self {
        Self {
            id: format!("D{}", id.number()),
            label: channel.label().to_owned(),
            protocol: channel.protocol().to_owned(),
            data_channel_identifier: channel.stream(),
            state: channel.state(),
            carried: channel.stats(),
        }
    }

    pub(super) fn write(&self, object: &mut Object<'_>) {
        let state = match self.state {
            ChannelState::Connecting => "connecting",
            ChannelState::Open => "open",
            ChannelState::Closing => "closing",
        };
        object.member("label", &&self.label);
        object.member("protocol", &&self.protocol);
        object.member("dataChannelIdentifier", &&self.data_channel_identifier);
        object.member("state", &&state);
        object.member("messagesSent", &&self.carried.messages_sent);
        object.member("bytesSent", &&self.carried.bytes_sent);
        object.member("messagesReceived", &&self.carried.messages_received);
        object.member("bytesReceived", &&self.carried.bytes_received);
    }
}
