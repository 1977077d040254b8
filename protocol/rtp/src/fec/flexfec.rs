//! FlexFEC's header (draft-ietf-payload-flexible-fec-scheme-03 §4.2.2), in its form with a mask for one stream.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |R|F|P|X|  CC   |M| PT recovery |        length recovery        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                          TS recovery                          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   SSRCCount   |                    reserved                   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                             SSRC                              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           SN base             |k|          Mask [0-14]        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |k|                   Mask [15-45] (optional)                   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |k|                   Mask [46-108] (optional)                  :
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The mask ends with the part whose k is set.

use wire::Reader;

use super::{FecFault, Repair, mask_bits};
use crate::number::{SequenceNumber, Ssrc};

pub(super) fn parse(payload: &[u8]) -> Result<Repair<'_>, FecFault> {
    let mut reader = Reader::new(payload);
    let head: [u8; 2] = reader.array()?;
    let (len, timestamp) = (reader.u16()?, reader.array()?);
    let streams = reader.u32()? >> 24;
    // R is for retransmissions, F for rows and columns.
    if head[0] & 0xC0 != 0 || streams != 1 {
        return Err(FecFault::Unsupported);
    }
    let ssrc = Some(Ssrc(reader.u32()?));
    let base = SequenceNumber(reader.u16()?);
    let first = reader.u16()?;
    let mut mask = mask_bits(u64::from(first & 0x7FFF), 15, 0);
    if first & 0x8000 == 0 {
        let second = reader.u32()?;
        mask |= mask_bits(u64::from(second & 0x7FFF_FFFF), 31, 15);
        if second & 0x8000_0000 == 0 {
            let third = reader.u64()?;
            if third >> 63 == 0 {
                return Err(FecFault::Mask);
            }
            mask |= mask_bits(third & (u64::MAX >> 1), 63, 46);
        }
    }
    Ok(Repair { ssrc, head, timestamp, len, base, mask, bytes: reader.rest() })
}
