//! SDES: who a source is (RFC 3550 §6.5).
//!
//! ```text
//! +-+-+-+---------+---------------+-------------------------------+
//! |V=2|P|   SC    |  PT=SDES=202  |            length             |
//! +-+-+-+---------+---------------+-------------------------------+
//! |                           SSRC/CSRC                           |  SC chunks
//! +---------------+---------------+-------------------------------+
//! |  item: CNAME=1|    length     | text                          :  items, then 1 to 4 zeros
//! +---------------+---------------+-------------------------------+
//! ```

use wire::Reader;

use super::RtcpFault;
use super::raw::{RawPacket, begin, end, put_u32};
use crate::number::Ssrc;

/// The item that every source has (RFC 3550 §6.5.1).
const CNAME: u8 = 1;
const WORD: usize = 4;

/// Descriptions of sources, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDescription<'a> {
    /// Their bytes, all of which were read once.
    chunks: &'a [u8],
}

/// One source's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The source.
    pub ssrc: Ssrc,
    items: &'a [u8],
}

/// One thing said about a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// What it is: 1 for CNAME.
    pub kind: u8,
    /// At most 255 bytes, as UTF-8 if the sender is honest.
    pub text: &'a [u8],
}

impl<'a> SourceDescription<'a> {
    /// Its type.
    pub const KIND: u8 = 202;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut rest = raw.body;
        for _ in 0..raw.count {
            rest = Chunk::split(rest)?.1;
        }
        Ok(Self { chunks: &raw.body[..raw.body.len() - rest.len()] })
    }

    /// The chunks, in their order.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'a>> + use<'a> {
        let mut rest = self.chunks;
        std::iter::from_fn(move || {
            let (chunk, behind) = Chunk::split(rest).ok()?;
            rest = behind;
            Some(chunk)
        })
    }

    /// Appends one source's CNAME, of which the first 255 bytes are written.
    pub fn write_cname(out: &mut Vec<u8>, ssrc: Ssrc, cname: &[u8]) {
        let cname = &cname[..cname.len().min(255)];
        let start = begin(out, 1, Self::KIND);
        put_u32(out, ssrc.0);
        out.extend_from_slice(&[CNAME, cname.len() as u8]);
        out.extend_from_slice(cname);
        // The end of the items; `end` fills the word with more of it.
        out.push(0);
        end(out, start);
    }
}

impl<'a> Chunk<'a> {
    /// A chunk at the front of some bytes, and what is behind it.
    fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), RtcpFault> {
        let mut reader = Reader::new(bytes);
        let ssrc = Ssrc(reader.u32()?);
        let items = reader.rest();
        let mut len = 0;
        while *items.get(len).ok_or(RtcpFault::Text)? != 0 {
            len += 2 + usize::from(*items.get(len + 1).ok_or(RtcpFault::Text)?);
        }
        let behind = items.get((len + 1).next_multiple_of(WORD)..).ok_or(RtcpFault::Text)?;
        Ok((Self { ssrc, items: &items[..len] }, behind))
    }

    /// What is said about the source.
    pub fn items(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let mut reader = Reader::new(self.items);
        std::iter::from_fn(move || {
            let (kind, len) = (reader.u8().ok()?, reader.u8().ok()?);
            Some(Item { kind, text: reader.bytes(usize::from(len)).ok()? })
        })
    }

    /// Its canonical name.
    pub fn cname(&self) -> Option<&'a [u8]> {
        self.items().find(|item| item.kind == CNAME).map(|item| item.text)
    }
}
