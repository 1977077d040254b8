//! SHUTDOWN, SHUTDOWN ACK and SHUTDOWN COMPLETE (RFC 9260 §3.3.8, §3.3.9, §3.3.13).

use super::{Malformed, RawChunk};

/// A SHUTDOWN (RFC 9260 §3.3.8).
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// |   Type = 7    |  Chunk Flags  |          Length = 8           |
/// +---------------+---------------+-------------------------------+
/// |                      Cumulative TSN Ack                       |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// The last TSN that was received in sequence.
    pub cumulative_tsn_ack: u32,
}

impl Shutdown {
    /// The chunk's type.
    pub const KIND: u8 = 7;

    /// Reads the chunk.
    pub fn parse(raw: RawChunk<'_>) -> Result<Self, Malformed> {
        Ok(Self { cumulative_tsn_ack: raw.expect(Self::KIND)?.u32()? })
    }

    /// Appends the chunk.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[Self::KIND, 0, 0, 8]);
        out.extend_from_slice(&self.cumulative_tsn_ack.to_be_bytes());
    }
}

/// A SHUTDOWN ACK (RFC 9260 §3.3.9). It has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownAck;

impl ShutdownAck {
    /// The chunk's type.
    pub const KIND: u8 = 8;

    /// Appends the chunk.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[Self::KIND, 0, 0, 4]);
    }
}

/// A SHUTDOWN COMPLETE (RFC 9260 §3.3.13).
///
/// ```text
/// +---------------+-------------+-+-------------------------------+
/// |   Type = 14   |  Reserved   |T|          Length = 4           |
/// +---------------+-------------+-+-------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownComplete {
    /// The T bit: the verification tag is the receiver's of the packet that is answered, reflected.
    pub reflected: bool,
}

impl ShutdownComplete {
    /// The chunk's type.
    pub const KIND: u8 = 14;

    /// Reads the chunk.
    pub fn parse(raw: RawChunk<'_>) -> Result<Self, Malformed> {
        raw.expect(Self::KIND)?;
        Ok(Self { reflected: raw.flags & 1 != 0 })
    }

    /// Appends the chunk.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[Self::KIND, u8::from(self.reflected), 0, 4]);
    }
}
