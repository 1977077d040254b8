//! What an association tells its owner (RFC 9260 §11.2).

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The handshake is done; data flows.
    Established,
    /// A message, or a piece of one.
    Message(ReceivedMessage),
    /// The rest of this message, of which pieces were handed out, will not come: its sender gave it up or
    /// reset the stream.
    MessageAborted {
        /// The stream.
        stream: u16,
        /// [`ReceivedMessage::id`].
        id: u64,
    },
    /// A stream has no more to send than its low threshold.
    BufferedAmountLow {
        /// The stream.
        stream: u16,
    },
    /// Messages were refused for lack of room, and there is room again.
    Writable,
    /// The peer has reset these streams, which we receive on (RFC 6525 §5.2.2).
    IncomingStreamsReset {
        /// The streams.
        streams: Vec<u16>,
    },
    /// Our request to reset these streams, which we send on, has an answer.
    StreamsReset {
        /// The streams.
        streams: Vec<u16>,
        /// Whether the peer did it.
        performed: bool,
    },
    /// The association has ended. Nothing follows.
    Closed(CloseReason),
}

/// A received message, or a piece of one that is longer than `Config::piece_size`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// The stream.
    pub stream: u16,
    /// Payload protocol identifier.
    pub ppid: u32,
    /// It was sent unordered.
    pub unordered: bool,
    /// The same for all pieces of a message, and no other's.
    pub id: u64,
    /// The message begins with this piece.
    pub first: bool,
    /// The message ends with this piece.
    pub last: bool,
    /// The bytes. Give the buffer back when done: [`crate::Association::recycle`].
    pub data: Vec<u8>,
}

/// Why an association ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Both sides shut down; everything was delivered.
    Shutdown,
    /// We aborted it.
    Aborted,
    /// The peer aborted it.
    PeerAborted {
        /// The first error cause's code (RFC 9260 §3.3.10); zero: none.
        cause: u16,
        /// What it says, as far as it is text; at most 128 bytes of it.
        reason: String,
    },
    /// The peer did not answer the handshake.
    NoAnswer,
    /// The peer has not been heard for too long.
    TimedOut,
    /// The peer broke the protocol, and was told so.
    ProtocolViolation,
    /// The peer began more messages than there is room for, and finished none.
    OutOfResource,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// INIT, COOKIE ECHO (RFC 9260 §5.1).
    Handshake,
    /// The retransmission timer T3 (RFC 9260 §6.3).
    Retransmission,
    /// A packet may be lost or reordered (RFC 8985 §6).
    Reordering,
    /// The last packets may be lost (RFC 8985 §7).
    TailProbe,
    /// The next burst may leave.
    Pacing,
    /// A SACK is due (RFC 9260 §6.2).
    Sack,
    /// The path is to be checked (RFC 9260 §8.3).
    Heartbeat,
    /// The path's MTU is to be probed (RFC 8899).
    PathMtu,
    /// A stream reset waits for its answer (RFC 6525 §5.1).
    StreamReset,
    /// SHUTDOWN, SHUTDOWN ACK (RFC 9260 §9.2).
    Shutdown,
}
