//! BYE: sources that leave (RFC 3550 §6.6).

use super::RtcpFault;
use super::raw::{RawPacket, begin, end, put_u32};
use crate::number::Ssrc;

/// Who leaves, and perhaps why.
///
/// ```text
/// +-+-+-+---------+---------------+-------------------------------+
/// |V=2|P|   SC    |   PT=BYE=203  |            length             |
/// +-+-+-+---------+---------------+-------------------------------+
/// |                       SC of SSRC/CSRC                         :
/// +---------------+-----------------------------------------------+
/// |     length    |          reason for leaving (optional)        :
/// +---------------+-----------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bye<'a> {
    sources: &'a [[u8; 4]],
    /// At most 255 bytes; empty where none is given.
    pub reason: &'a [u8],
}

impl<'a> Bye<'a> {
    /// Its type.
    pub const KIND: u8 = 203;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        let sources = reader.bytes(usize::from(raw.count) * 4)?.as_chunks().0;
        let reason = match reader.u8() {
            Ok(len) => reader.bytes(usize::from(len)).map_err(|_| RtcpFault::Text)?,
            Err(_) => &[],
        };
        Ok(Self { sources, reason })
    }

    /// Those who leave: up to 31.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = Ssrc> + 'a {
        self.sources.iter().map(|source| Ssrc(u32::from_be_bytes(*source)))
    }

    /// Appends a BYE of the first 31 sources, with the first 255 bytes of a reason if there are any.
    pub fn write(out: &mut Vec<u8>, sources: &[Ssrc], reason: &[u8]) {
        let (sources, reason) = (&sources[..sources.len().min(31)], &reason[..reason.len().min(255)]);
        let start = begin(out, sources.len() as u8, Self::KIND);
        sources.iter().for_each(|source| put_u32(out, source.0));
        if !reason.is_empty() {
            out.push(reason.len() as u8);
            out.extend_from_slice(reason);
        }
        end(out, start);
    }
}
