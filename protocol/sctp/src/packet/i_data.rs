//! I-DATA: a fragment that may be interleaved with other messages (RFC 8260 §2.1).

use super::data::describe_flags;
use super::{Malformed, RawChunk, writer};

/// An I-DATA chunk (RFC 8260 §2.1).
///
/// ```text
/// +---------------+-+-+-+-+-+-+-+-+-------------------------------+
/// |   Type = 64   |  Res  |I|U|B|E|       Length = Variable       |
/// +---------------+-+-+-+-+-+-+-+-+-------------------------------+
/// |                              TSN                              |
/// +-------------------------------+-------------------------------+
/// |        Stream Identifier      |           Reserved            |
/// +-------------------------------+-------------------------------+
/// |                      Message Identifier                       |
/// +---------------------------------------------------------------+
/// |    Payload Protocol Identifier / Fragment Sequence Number     |
/// +---------------------------------------------------------------+
/// \                           User Data                           \
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IData<'a> {
    /// Transmission sequence number.
    pub tsn: u32,
    /// The stream.
    pub stream: u16,
    /// Message identifier; ordered and unordered messages count separately.
    pub mid: u32,
    /// In the first fragment the payload protocol identifier, in others the fragment sequence number.
    pub ppid_or_fsn: u32,
    /// The sender asks for a SACK at once.
    pub immediate: bool,
    /// The message may be delivered before earlier ones.
    pub unordered: bool,
    /// First fragment of the message.
    pub begin: bool,
    /// Last fragment of the message.
    pub end: bool,
    /// The fragment's bytes.
    pub payload: &'a [u8],
}

impl<'a> IData<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 64;
    /// Bytes before the payload.
    pub const HEADER_LEN: usize = 20;

    /// Reads the chunk.
    #[inline]
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        let (header, payload) = raw.value.split_first_chunk::<16>().ok_or(Malformed)?;
        if raw.kind != Self::KIND {
            return Err(Malformed);
        }
        let &[t0, t1, t2, t3, s0, s1, _, _, m0, m1, m2, m3, p0, p1, p2, p3] = header;
        Ok(Self {
            tsn: u32::from_be_bytes([t0, t1, t2, t3]),
            stream: u16::from_be_bytes([s0, s1]),
            mid: u32::from_be_bytes([m0, m1, m2, m3]),
            ppid_or_fsn: u32::from_be_bytes([p0, p1, p2, p3]),
            immediate: raw.flags & 8 != 0,
            unordered: raw.flags & 4 != 0,
            begin: raw.flags & 2 != 0,
            end: raw.flags & 1 != 0,
            payload,
        })
    }

    /// Appends the chunk, padded. The payload is at most 65,515 bytes long.
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
        header[12..16].copy_from_slice(&self.mid.to_be_bytes());
        header[16..].copy_from_slice(&self.ppid_or_fsn.to_be_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(self.payload);
        writer::pad(out, start);
    }
}

impl std::fmt::Debug for IData<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "I-DATA {} stream {} mid {} ", self.tsn, self.stream, self.mid)?;
        describe_flags(f, (self.begin, self.end, self.unordered, self.immediate))?;
        let what = if self.begin { "ppid" } else { "fsn" };
        write!(f, " {what} {} {} bytes", self.ppid_or_fsn, self.payload.len())
    }
}
