//! COOKIE ECHO and COOKIE ACK (RFC 9260 §3.3.11, §3.3.12).

use super::{Malformed, RawChunk, writer};

/// A COOKIE ECHO: the peer's cookie goes back to it (RFC 9260 §3.3.11).
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// |   Type = 10   |  Chunk Flags  |            Length             |
/// +---------------+---------------+-------------------------------+
/// \                            Cookie                             \
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieEcho<'a> {
    /// The cookie of the INIT ACK.
    pub cookie: &'a [u8],
}

impl<'a> CookieEcho<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 10;

    /// Reads the chunk.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        Ok(Self { cookie: raw.expect(Self::KIND)?.rest() })
    }

    /// Appends the chunk.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = writer::begin_chunk(out, Self::KIND, 0);
        out.extend_from_slice(self.cookie);
        writer::end_chunk(out, start);
    }
}

/// A COOKIE ACK: the association stands (RFC 9260 §3.3.12). It has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieAck;

impl CookieAck {
    /// The chunk's type.
    pub const KIND: u8 = 11;

    /// Appends the chunk.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[Self::KIND, 0, 0, 4]);
    }
}
