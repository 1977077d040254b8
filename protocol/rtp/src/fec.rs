//! Forward error correction: packets that are the exclusive or of others, of which any one may be lost (RFC 5109 and
//! draft-ietf-payload-flexible-fec-scheme-03, which is what browsers call `flexfec-03`; RFC 8627 came of it with another
//! header).
//!
//! A [`Recovery`] keeps the last packets of a stream and what repairs them, and gives back those that were lost. Only
//! recovery is here: what we send is repaired by retransmission.

mod flexfec;
mod recovery;
mod ulpfec;

pub use recovery::{MAX_REPAIRS, Recovery, WINDOW};

use crate::number::{SequenceNumber, Ssrc};

wire::faults! {
    /// Why a repair packet repairs nothing.
    pub enum FecFault {
        /// It ends before its fields do.
        Truncated => "fec_truncated",
        /// It is a retransmission, of a fixed form, for several streams, or of uneven protection: nobody sends it.
        Unsupported => "fec_unsupported",
        /// It is for another stream.
        OtherStream => "fec_other_stream",
        /// It protects no packet, or a mask has no end.
        Mask => "fec_mask",
        /// What comes of it is no packet: those it was made from were others.
        Mismatch => "fec_mismatch",
    }
}

impl From<wire::Truncated> for FecFault {
    fn from(_: wire::Truncated) -> Self {
        Self::Truncated
    }
}

/// How repair packets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 5109, within RED, in the numbers of the stream itself.
    Ulpfec,
    /// draft-ietf-payload-flexible-fec-scheme-03, in a stream of its own.
    Flexfec03,
}

/// A repair packet's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Repair<'a> {
    /// The stream it is for, where it says so.
    ssrc: Option<Ssrc>,
    /// The first two bytes of the header's exclusive or.
    head: [u8; 2],
    timestamp: [u8; 4],
    /// That of the lengths, without the fixed header.
    len: u16,
    /// The packet of the mask's first bit.
    base: SequenceNumber,
    /// The lowest bit is the base, the next the packet behind it: at most 109.
    mask: u128,
    /// What is behind the fixed header.
    bytes: &'a [u8],
}

impl<'a> Repair<'a> {
    fn parse(format: Format, payload: &'a [u8]) -> Result<Self, FecFault> {
        let repair = match format {
            Format::Ulpfec => ulpfec::parse(payload)?,
            Format::Flexfec03 => flexfec::parse(payload)?,
        };
        if repair.mask == 0 { Err(FecFault::Mask) } else { Ok(repair) }
    }
}

/// A mask's bits as the wire has them, the first packet's the highest of `count`, put behind `before` others.
fn mask_bits(value: u64, count: u32, before: u32) -> u128 {
    u128::from(value.reverse_bits() >> (u64::BITS - count)) << before
}

#[cfg(test)]
mod tests;
