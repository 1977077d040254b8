//! What an association may be told (RFC 9260 §16; RFC 8831 §5).

use std::time::Duration;

/// How an association behaves. The defaults are for WebRTC.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our port, and the peer's (`a=sctp-port`, RFC 8841).
    pub ports: (u16, u16),
    /// Bytes of an SCTP packet that every path carries: what is left of a datagram of 1,200 bytes after
    /// DTLS. From 512 to 65,535; rounded down to a multiple of 4.
    pub packet_size: usize,
    /// Where path MTU discovery (RFC 8899) ends, in bytes of an SCTP packet; less than two of `packet_size` mean that it is off.
    /// The peer must have it, too. Only for sockets whose datagrams are not fragmented on their way.
    pub max_packet_size: usize,
    /// Bytes that may wait here for the application or for missing fragments: our window. At least twice
    /// `piece_size`, and at least 64 KiB.
    pub receive_window: usize,
    /// A received message that is longer is handed out in pieces of this many bytes.
    pub piece_size: usize,
    /// A received message that is longer ends the association. Our `max-message-size` (RFC 8841).
    pub max_receive_message_size: u64,
    /// Bytes that may wait to be sent for the first time; a message counts 128 bytes more than it has. A quarter more may wait of
    /// streams that have little waiting, so that one which fills the buffer does not shut them out.
    pub send_buffer: usize,
    /// Bytes that may be under way.
    pub max_in_flight: usize,
    /// Streams each way that we offer.
    pub streams: u16,
    /// Offer message interleaving (RFC 8260).
    pub interleaving: bool,
    /// Offer to do without the checksum, since DTLS protects packets (RFC 9653).
    pub zero_checksum: bool,
    /// How long a SACK for a single packet may wait. RFC 9260 §6.2: at most 500 ms.
    pub sack_delay: Duration,
    /// Retransmission timeout before the first measurement, and its bounds (RFC 9260 §6.3.1).
    pub initial_rto: Duration,
    /// The least retransmission timeout.
    pub min_rto: Duration,
    /// The greatest.
    pub max_rto: Duration,
    /// Timeouts in a row that end the association (`Association.Max.Retrans`).
    pub max_retransmissions: u32,
    /// Repetitions of INIT or COOKIE ECHO before giving up (`Max.Init.Retransmits`).
    pub max_init_retransmissions: u32,
    /// How often an idle path is probed; zero: never.
    pub heartbeat_interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ports: (5000, 5000),
            packet_size: 1160,
            max_packet_size: 0,
            receive_window: 64 << 20,
            piece_size: 256 << 10,
            max_receive_message_size: 256 << 10,
            send_buffer: 16 << 20,
            max_in_flight: 64 << 20,
            streams: u16::MAX,
            interleaving: true,
            zero_checksum: true,
            sack_delay: Duration::from_millis(20),
            initial_rto: Duration::from_millis(500),
            min_rto: Duration::from_millis(300),
            max_rto: Duration::from_secs(60),
            max_retransmissions: 10,
            max_init_retransmissions: 8,
            heartbeat_interval: Duration::from_secs(30),
        }
    }
}

impl Config {
    /// The same with every value within its bounds.
    pub(crate) fn within_bounds(mut self) -> Self {
        self.packet_size = self.packet_size.clamp(512, 65_535) & !3;
        self.max_packet_size = self.max_packet_size.min(65_535) & !3;
        self.receive_window = self.receive_window.clamp(64 << 10, 1 << 30);
        self.piece_size = self.piece_size.clamp(16 << 10, self.receive_window / 2);
        self.streams = self.streams.max(1);
        self.sack_delay = self.sack_delay.min(Duration::from_millis(500));
        self.min_rto = self.min_rto.max(Duration::from_millis(10));
        self.max_rto = self.max_rto.max(self.min_rto);
        self.initial_rto = self.initial_rto.clamp(self.min_rto, self.max_rto);
        self
    }
}
