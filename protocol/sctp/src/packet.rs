//! SCTP packets on the wire (RFC 9260 §3): the common header, and one file per chunk.
//!
//! Two levels: a [`Packet`] and its [`RawChunk`]s are checked views of received bytes; each chunk's own type
//! is valid by construction, reads itself from a `RawChunk` and appends itself to a buffer.

mod abort;
mod checksum;
mod chunk;
mod cookie;
mod data;
mod error_cause;
mod forward_tsn;
mod heartbeat;
mod i_data;
mod i_forward_tsn;
mod init;
mod pad;
mod parameter;
mod raw;
mod reconfig;
mod reconfig_parameter;
mod sack;
mod shutdown;
mod writer;

pub use abort::{Abort, ErrorChunk};
pub use checksum::crc32c;
pub use chunk::Chunk;
pub use cookie::{CookieAck, CookieEcho};
pub use data::Data;
pub use error_cause::{Cause, Causes};
pub use forward_tsn::ForwardTsn;
pub use heartbeat::{Heartbeat, HeartbeatAck};
pub use i_data::IData;
pub use i_forward_tsn::{IForwardTsn, SkippedMessage};
pub use init::{Init, InitAck};
pub use pad::Pad;
pub use parameter::{Parameter, Parameters};
pub use raw::{Chunks, RawChunk};
pub use reconfig::ReConfig;
pub use reconfig_parameter::{
    AddStreams, IncomingReset, OutgoingReset, ReConfigParameter, ReConfigResponse, ReConfigResult, StreamList,
};
pub use sack::{GapBlock, Sack};
pub use shutdown::{Shutdown, ShutdownAck, ShutdownComplete};
pub use writer::PacketWriter;

use std::error::Error;
use std::fmt;

use wire::{Reader, Truncated};

/// Bytes of the common header (RFC 9260 §3.1).
pub const COMMON_HEADER_LEN: usize = 12;
/// Bytes of a chunk's header: type, flags, length (RFC 9260 §3.2).
pub const CHUNK_HEADER_LEN: usize = 4;

/// The bytes are not what their type and length say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are not what their type and length say")
    }
}

impl Error for Malformed {}

impl From<Truncated> for Malformed {
    fn from(_: Truncated) -> Self {
        Self
    }
}

/// A packet whose common header was read (RFC 9260 §3.1).
///
/// ```text
/// +-------------------------------+-------------------------------+
/// |      Source Port Number       |    Destination Port Number    |
/// +-------------------------------+-------------------------------+
/// |                       Verification Tag                        |
/// +---------------------------------------------------------------+
/// |                 Checksum (CRC32c, or zero)                    |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// The tag that the receiver chose; zero in a packet with an INIT.
    pub verification_tag: u32,
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the common header. The checksum and the chunks are not looked at yet.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let packet = Self {
            source_port: reader.u16()?,
            destination_port: reader.u16()?,
            verification_tag: reader.u32()?,
            bytes,
        };
        reader.u32()?;
        Ok(packet)
    }

    /// Whether the checksum field holds the CRC32c of the packet (RFC 9260 §6.8), or is zero where
    /// `zero_is_acceptable` because we offered that (RFC 9653 §5.3).
    pub fn has_valid_checksum(&self, zero_is_acceptable: bool) -> bool {
        let Some((head, rest)) = self.bytes.split_at_checked(8) else { return false };
        let Some((field, rest)) = rest.split_first_chunk::<4>() else { return false };
        if zero_is_acceptable && *field == [0; 4] {
            return true;
        }
        checksum::of_parts(head, rest) == u32::from_le_bytes(*field)
    }

    /// The chunks in their order. A chunk that does not fit ends them with an error.
    pub fn chunks(&self) -> Chunks<'a> {
        Chunks::new(self.bytes.get(COMMON_HEADER_LEN..).unwrap_or_default())
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tag {:#x}", self.verification_tag)?;
        for raw in self.chunks() {
            match raw.and_then(Chunk::parse) {
                Ok(chunk) => write!(f, " | {chunk:?}")?,
                Err(Malformed) => write!(f, " | malformed")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
