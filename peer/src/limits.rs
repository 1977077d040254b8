//! What a peer can make this end keep.

/// Sections in a description.
pub const SECTIONS: usize = 256;

/// Servers that are asked for candidates, by address and transport.
pub const ICE_SERVERS: usize = 32;

/// Sockets that they are asked from.
pub const BASES: usize = 32;

/// STUN servers' answers that are waited for at the same time.
pub const BINDINGS: usize = 64;

/// Relays at the same time, with those that are being given back.
pub const RELAYS: usize = 16;

/// Datagrams that wait for a relay's permission.
pub const HELD_DATAGRAMS: usize = 32;

/// Connections over TCP and TLS at the same time.
pub const STREAMS: usize = 32;

/// Bytes that wait to be sent over one of them before further checks are dropped; data of channels does not wait here.
pub const STREAM_QUEUE: usize = 64 << 10;

/// Candidates that wait for the answer that their generation begins with.
pub const WAITING_CANDIDATES: usize = 64;

/// Transceivers of a connection.
pub const TRANSCEIVERS: usize = 256;

/// Encodings that one of them sends, or receives, at the same time.
pub const ENCODINGS: usize = 8;

/// Codecs of a section that are looked at.
pub const CODECS: usize = 64;

/// Streams that a track of the peer's belongs to.
pub const STREAMS_OF_A_TRACK: usize = 16;

/// Sources of the peer's, retransmissions included.
pub const SOURCES: usize = 1024;

/// Packets of media that came and wait for their owner.
pub const RECEIVED_PACKETS: usize = 4096;

/// Packets that one request of the peer's has sent again.
pub const REPAIRS: usize = 1024;

/// Arrivals that one report of the peer's tells.
pub const ARRIVALS: usize = 16_384;

/// Of tables that rarely have more entries, no more is allocated than they have.
pub(crate) const FEW: usize = 4;
