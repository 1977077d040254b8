//! SR and RR: what a sender sent, and what a receiver got (RFC 3550 §6.4).
//!
//! ```text
//! +-+-+-+---------+---------------+-------------------------------+
//! |V=2|P|   RC    | PT=SR=200, RR=201             |    length     |
//! +-+-+-+---------+---------------+-------------------------------+
//! |                        SSRC of sender                         |
//! +---------------------------------------------------------------+
//! |  SR only: NTP timestamp, 64 bits; RTP timestamp;              |
//! |           sender's packet count; sender's octet count         |
//! +---------------------------------------------------------------+
//! |                      RC report blocks                         :
//! +---------------------------------------------------------------+
//! ```

use super::raw::{RawPacket, begin, end, put_u32, put_u64};
use super::report_block::blocks;
use super::{ReportBlock, RtcpFault};
use crate::number::{Ssrc, Timestamp};
use crate::time::NtpTime;

/// Report blocks of one report: more need another report behind it.
const MAX_BLOCKS: usize = 31;

/// A sender's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport<'a> {
    /// Who sends it.
    pub sender: Ssrc,
    /// What it sent.
    pub info: SenderInfo,
    blocks: &'a [[u8; ReportBlock::LEN]],
}

/// What a sender says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// When the report was sent.
    pub ntp: NtpTime,
    /// The same moment by the clock of its timestamps.
    pub rtp: Timestamp,
    /// Packets it sent, around the wrap.
    pub packets: u32,
    /// Bytes of payload it sent, around the wrap.
    pub octets: u32,
}

/// A report of who sends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    /// Who sends it.
    pub sender: Ssrc,
    blocks: &'a [[u8; ReportBlock::LEN]],
}

impl<'a> SenderReport<'a> {
    /// Its type.
    pub const KIND: u8 = 200;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        let sender = Ssrc(reader.u32()?);
        let (ntp, rtp) = (NtpTime(reader.u64()?), Timestamp(reader.u32()?));
        let info = SenderInfo { ntp, rtp, packets: reader.u32()?, octets: reader.u32()? };
        Ok(Self { sender, info, blocks: blocks(reader.rest(), raw.count)? })
    }

    /// What it received from others.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = ReportBlock> + 'a {
        self.blocks.iter().map(ReportBlock::of_bytes)
    }

    /// Appends a report. Of the blocks the first 31 are written.
    pub fn write(out: &mut Vec<u8>, sender: Ssrc, info: &SenderInfo, blocks: &[ReportBlock]) {
        let blocks = &blocks[..blocks.len().min(MAX_BLOCKS)];
        let start = begin(out, blocks.len() as u8, Self::KIND);
        put_u32(out, sender.0);
        put_u64(out, info.ntp.0);
        put_u32(out, info.rtp.0);
        put_u32(out, info.packets);
        put_u32(out, info.octets);
        blocks.iter().for_each(|block| block.write(out));
        end(out, start);
    }
}

impl<'a> ReceiverReport<'a> {
    /// Its type.
    pub const KIND: u8 = 201;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        let sender = Ssrc(reader.u32()?);
        Ok(Self { sender, blocks: blocks(reader.rest(), raw.count)? })
    }

    /// What it received.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = ReportBlock> + 'a {
        self.blocks.iter().map(ReportBlock::of_bytes)
    }

    /// Appends a report, which may be empty. Of the blocks the first 31 are written.
    pub fn write(out: &mut Vec<u8>, sender: Ssrc, blocks: &[ReportBlock]) {
        let blocks = &blocks[..blocks.len().min(MAX_BLOCKS)];
        let start = begin(out, blocks.len() as u8, Self::KIND);
        put_u32(out, sender.0);
        blocks.iter().for_each(|block| block.write(out));
        end(out, start);
    }
}
