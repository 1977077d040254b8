//! How a peer connection behaves (W3C webrtc-pc §4.2).

use std::sync::Arc;
use std::time::Duration;

use crate::media::MediaCapabilities;

/// How a peer connection behaves. Make one with [`new`](Self::new) and change what should differ.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Who we are: the peer knows us by its fingerprint.
    pub certificate: Arc<dtls::Certificate>,
    /// Fresh and secret randomness. The same seed with the same inputs gives the same bytes out.
    pub seed: [u8; 32],
    /// What DTLS may agree on.
    pub dtls: Arc<dtls::Config>,
    /// The longest message that we take, in bytes; what is longer than a piece arrives in pieces
    /// ([`ChannelMessage`](crate::ChannelMessage)).
    pub max_message_size: u64,
    /// Bytes that may wait here to be sent, over all channels.
    pub send_buffer: usize,
    /// Bytes that may wait here to be taken, or for missing parts.
    pub receive_window: usize,
    /// Bytes of a datagram of data, at most, until a larger one is known to pass.
    pub datagram_size: usize,
    /// Where looking for larger ones ends (RFC 8899), once a way is found: 16,384 are as many as a record of DTLS takes. Zero, nothing
    /// is looked for. The sockets of a caller who sets it take so much at once, and must not have datagrams fragmented on their way;
    /// a peer that does not say the same is not sent larger ones.
    pub max_datagram_size: usize,
    /// Say SCTP's INIT in descriptions (SNAP, draft-hancke-tsvwg-snap): with a peer that does so, too, data flows two
    /// round trips earlier. A peer that does not know it ignores it.
    pub snap: bool,
    /// Let checks carry the handshake of DTLS (SPED, draft-hancke-webrtc-sped): with a peer that does so, too, the path
    /// is secured a round trip earlier. A peer that does not know it ignores it.
    pub sped: bool,
    /// How often checks are paced; see [`ice::Config::pacing`].
    pub ice_pacing: Duration,
    /// Only answer checks (RFC 8445 §2.5): for those whom everybody can reach at the addresses that they tell.
    pub ice_lite: bool,
    /// By which ways the peer may be reached.
    pub ice_transport_policy: IceTransportPolicy,
    /// How sections share transports.
    pub bundle_policy: BundlePolicy,
    /// How much media is sent before feedback says how much the path carries, in bits per second.
    pub start_bitrate: u64,
    /// The time since 1970 when the connection is made: what reports about media are dated from (RFC 3550 §6.4.1). With
    /// zero, only differences count.
    pub unix_time: Duration,
    /// What sound and pictures can be; none: sections of them are rejected, and there are no transceivers.
    pub media: Option<Arc<MediaCapabilities>>,
}

/// `RTCIceTransportPolicy` (W3C webrtc-pc §4.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IceTransportPolicy {
    /// All.
    #[default]
    All,
    /// Through relays only: nothing else is told to the peer, and nothing goes to it but through one.
    Relay,
}

/// `RTCBundlePolicy` (W3C webrtc-pc §4.2.6, RFC 9429 §4.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BundlePolicy {
    /// The first section of each kind can do without the others.
    #[default]
    Balanced,
    /// Each section can.
    MaxCompat,
    /// Only the first section has a transport; the others go with it, or not at all (RFC 9429's `must-bundle`).
    MaxBundle,
}

impl Configuration {
    /// What browsers do: messages of 256 KiB, datagrams of 1,200 bytes.
    pub fn new(certificate: Arc<dtls::Certificate>, seed: [u8; 32]) -> Self {
        Self::with_dtls(certificate, seed, Arc::default())
    }

    /// The same, for whoever has many connections that agree on DTLS in one way.
    pub fn with_dtls(certificate: Arc<dtls::Certificate>, seed: [u8; 32], dtls: Arc<dtls::Config>) -> Self {
        Self {
            certificate,
            seed,
            dtls,
            max_message_size: 256 << 10,
            send_buffer: 16 << 20,
            receive_window: 16 << 20,
            datagram_size: 1200,
            max_datagram_size: 0,
            snap: true,
            sped: true,
            ice_pacing: Duration::from_millis(5),
            ice_lite: false,
            ice_transport_policy: IceTransportPolicy::All,
            bundle_policy: BundlePolicy::Balanced,
            start_bitrate: 300_000,
            unix_time: Duration::ZERO,
            media: None,
        }
    }
}
