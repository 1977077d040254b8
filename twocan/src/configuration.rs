//! What a peer connection and a data channel may be told.

use std::sync::Arc;

use peer::Reliability;

/// How a peer connection behaves. The default is what a browser does.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Who we are; made anew when `None`.
    pub certificate: Option<Arc<dtls::Certificate>>,
    /// Whether addresses of the loopback interface are told to the peer, too.
    pub include_loopback: bool,
    /// The longest message that we take, in bytes.
    pub max_message_size: u64,
}

impl Default for Configuration {
    fn default() -> Self {
        Self { certificate: None, include_loopback: false, max_message_size: 256 << 10 }
    }
}

/// How a data channel carries messages (W3C's `RTCDataChannelInit`).
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
