//! DATA: a message or a fragment of one (RFC 9260 §3.3.1; the I bit is of RFC 7053).

use super::{Malformed, RawChunk, writer};

/// A DATA chunk (RFC 9260 §3.3.1).
///
/// ```text
/// +---------------+-+-+-+-+-+-+-+-+-------------------------------+
/// |   Type = 0    |  Res  |I|U|B|E|            Length             |
/// +---------------+-+-+-+-+-+-+-+-+-------------------------------+
/// |                              TSN                              |
/// +-------------------------------+-------------------------------+
/// |      Stream Identifier        |    Stream Sequence Number     |
/// +-------------------------------+-------------------------------+
/// |                 Payload Protocol Identifier                   |
/// +---------------------------------------------------------------+
/// \                           User Data                           \
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Data<'a> {
    /// Transmission sequence number.
    pub tsn: u32,
    /// The stream.
    pub stream: u16,
    /// Stream sequence number; without meaning where `unordered`.
    pub ssn: u16,
    /// Payload protocol identifier, for the application.
    pub ppid: u32,
    /// The sender asks for a SACK at once.
    pub immediate: bool,
    /// The message may be delivered before earlier ones.
    pub unordered: bool,
    /// First fragment of the message.
    pub begin: bool,
    /// Last fragment of the message.
    pub end: bool,
    /// The fragment's bytes. Empty in a received chunk means a protocol violation (RFC 9260 §6.2).
    pub payload: &'a [u8],
}

impl<'a> Data<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 0;
    /// Bytes before the payload.
    pub const HEADER_LEN: usize = 16;

    /// Reads the chunk.
    #[inline]
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        let (header, payload) = raw.value.split_first_chunk::<12>().ok_or(Malformed)?;
        if raw.kind != Self::KIND {
            return Err(Malformed);
        }
        let &[t0, t1, t2, t3, s0, s1, n0, n1, p0, p1, p2, p3] = header;
        Ok(Self {
            tsn: u32::from_be_bytes([t0, t1, t2, t3]),
            stream: u16::from_be_bytes([s0, s1]),
            ssn: u16::from_be_bytes([n0, n1]),
            ppid: u32::from_be_bytes([p0, p1, p2, p3]),
            immediate: raw.flags & 8 != 0,
            unordered: raw.flags & 4 != 0,
            begin: raw.flags & 2 != 0,
            end: raw.flags & 1 != 0,
            payload,
        })
    }

    /// Appends the chunk, padded. The payload is at most 65,519 bytes long.
    #[inline]
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let length = u16::try_from(Self::HEADER_LEN + self.payload.len()).unwrap_or(u16::MAX);
        let mut header = [0; Self::HEADER_LEN];
        header[0] = Self::KIND;
        header[1] = u8::from(self.immediate) << 3
            | u8::from(self.unordered) << 2
            | u8::from(self.begin) << 1
            | u8::from(self.end);
        header[2..4].copy_from_slice(&length.to_be_bytes());
        header[4..8].copy_from_slice(&self.tsn.to_be_bytes());
        header[8..10].copy_from_slice(&self.stream.to_be_bytes());
        header[10..12].copy_from_slice(&self.ssn.to_be_bytes());
        header[12..].copy_from_slice(&self.ppid.to_be_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(self.payload);
        writer::pad(out, start);
    }
}

/// Which fragment of what: `BE` whole, `B`, `-`, `E`; `U` unordered; `I` immediate.
pub(super) fn describe_flags(
    f: &mut std::fmt::Formatter<'_>,
    (begin, end, unordered, immediate): (bool, bool, bool, bool),
) -> std::fmt::Result {
    let flags = [(begin, "B"), (end, "E"), (unordered, "U"), (immediate, "I")];
    flags.iter().filter(|flag| flag.0).try_for_each(|flag| f.write_str(flag.1))
}

impl std::fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DATA {} stream {} ssn {} ", self.tsn, self.stream, self.ssn)?;
        describe_flags(f, (self.begin, self.end, self.unordered, self.immediate))?;
        write!(f, " ppid {} {} bytes", self.ppid, self.payload.len())
    }
}
