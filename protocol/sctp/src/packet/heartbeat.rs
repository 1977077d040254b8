//! HEARTBEAT and HEARTBEAT ACK (RFC 9260 §3.3.5, §3.3.6).

use super::{Malformed, Parameter, Parameters, RawChunk, writer};

/// The type of the Heartbeat Info parameter.
const INFO: u16 = 1;

/// A HEARTBEAT (RFC 9260 §3.3.5).
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// | Type = 4 (5)  |  Chunk Flags  |        Heartbeat Length       |
/// +---------------+---------------+-------------------------------+
/// |    Heartbeat Info Type = 1    |         HB Info Length        |
/// +-------------------------------+-------------------------------+
/// \                Sender-Specific Heartbeat Info                 \
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat<'a> {
    /// What the receiver sends back unchanged.
    pub info: &'a [u8],
}

impl<'a> Heartbeat<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 4;

    /// Reads the chunk.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        Ok(Self { info: parse_info(raw.expect(Self::KIND)?.rest())? })
    }

    /// Appends the chunk.
    pub fn write(&self, out: &mut Vec<u8>) {
        write(out, Self::KIND, self.info);
    }
}

/// A HEARTBEAT ACK: the info goes back (RFC 9260 §3.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartbeatAck<'a> {
    /// The info of the HEARTBEAT.
    pub info: &'a [u8],
}

impl<'a> HeartbeatAck<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 5;

    /// Reads the chunk.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        Ok(Self { info: parse_info(raw.expect(Self::KIND)?.rest())? })
    }

    /// Appends the chunk.
    pub fn write(&self, out: &mut Vec<u8>) {
        write(out, Self::KIND, self.info);
    }
}

fn parse_info(value: &[u8]) -> Result<&[u8], Malformed> {
    let parameter = Parameters::new(value).next().ok_or(Malformed)??;
    if parameter.kind == INFO { Ok(parameter.value) } else { Err(Malformed) }
}

fn write(out: &mut Vec<u8>, kind: u8, info: &[u8]) {
    let start = writer::begin_chunk(out, kind, 0);
    let length = 4 + info.len();
    Parameter { kind: INFO, value: info }.write(out);
    out.truncate(start + 4 + length);
    writer::end_chunk(out, start);
}
