//! How a data channel carries messages (W3C webrtc-pc §6.2.1, `RTCDataChannelInit`).

use peer::Reliability;

/// How a data channel carries messages. The default is reliable and in order.
#[derive(Clone, Debug)]
pub struct DataChannelOptions {
    /// Messages arrive in the order they were sent.
    pub ordered: bool,
    /// When messages are given up.
    pub reliability: Reliability,
    /// The subprotocol.
    pub protocol: String,
    /// The share beside other channels: 128 very low, 256 low, 512 medium, 1024 high.
    pub priority: u16,
    /// Both ends make the channel, with this number, without telling each other.
    pub negotiated: Option<u16>,
}

impl Default for DataChannelOptions {
    fn default() -> Self {
        Self {
            ordered: true,
            reliability: Reliability::Reliable,
            protocol: String::new(),
            priority: 256,
            negotiated: None,
        }
    }
}
