//! Packets before their type is looked at (RFC 3550 §6.4.1), and writing the header that all have.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P| count   |      type     |    length in words, minus 1   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use wire::Reader;

use super::RtcpFault;

const WORD: usize = 4;
/// Types of feedback: about the transport, about a payload (RFC 4585 §6.1).
pub(super) const TRANSPORT_FEEDBACK: u8 = 205;
pub(super) const PAYLOAD_FEEDBACK: u8 = 206;

/// A packet's count or format, type and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawPacket<'a> {
    /// How many of something it holds, or the format of feedback: 0 to 31.
    pub count: u8,
    /// Its type.
    pub kind: u8,
    /// What follows the header, without padding.
    pub body: &'a [u8],
}

impl<'a> RawPacket<'a> {
    pub(super) fn reader(self) -> Reader<'a> {
        Reader::new(self.body)
    }
}

/// The packets of a datagram, in order. One whose length is wrong ends them with a fault.
#[derive(Clone, Copy, Debug)]
pub struct RawPackets<'a> {
    rest: &'a [u8],
}

impl<'a> RawPackets<'a> {
    /// Those of a datagram.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    fn take(&mut self) -> Result<RawPacket<'a>, RtcpFault> {
        let &[first, kind, high, low] = self.rest.first_chunk::<WORD>().ok_or(RtcpFault::Truncated)?;
        if first >> 6 != 2 {
            return Err(RtcpFault::Version);
        }
        let len = (usize::from(u16::from_be_bytes([high, low])) + 1) * WORD;
        let (packet, rest) = self.rest.split_at_checked(len).ok_or(RtcpFault::Truncated)?;
        let mut body = &packet[WORD..];
        if first & 0x20 != 0 {
            // Only the last packet may be padded (RFC 3550 §6.4.1).
            let padding = usize::from(*body.last().ok_or(RtcpFault::Padding)?);
            if padding == 0 || !rest.is_empty() {
                return Err(RtcpFault::Padding);
            }
            body = &body[..body.len().checked_sub(padding).ok_or(RtcpFault::Padding)?];
        }
        self.rest = rest;
        Ok(RawPacket { count: first & 0x1F, kind, body })
    }
}

impl<'a> Iterator for RawPackets<'a> {
    type Item = Result<RawPacket<'a>, RtcpFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let packet = self.take();
        if packet.is_err() {
            self.rest = &[];
        }
        Some(packet)
    }
}

/// Appends a header whose length is not known yet; where it begins.
pub(super) fn begin(out: &mut Vec<u8>, count: u8, kind: u8) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count & 0x1F, kind, 0, 0]);
    start
}

/// Fills the last word with zeros, and sets the length of the packet that begins at `start`.
pub(super) fn end(out: &mut Vec<u8>, start: usize) {
    let len = (out.len() - start).next_multiple_of(WORD);
    out.resize(start + len, 0);
    let words = u16::try_from(len / WORD - 1).unwrap_or(u16::MAX);
    out[start + 2..start + WORD].copy_from_slice(&words.to_be_bytes());
}

pub(super) fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(super) fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(super) fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_be_bytes());
}
