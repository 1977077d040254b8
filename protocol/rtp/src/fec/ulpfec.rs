//! ULPFEC's header (RFC 5109 §7.3, §7.4), of which the lowest level is read: nobody sends higher ones.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |E|L|P|X|  CC   |M| PT recovery |            SN base            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                          TS recovery                          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |        length recovery        |       Protection Length       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |             mask              |  32 bits more of it if L      :
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use wire::Reader;

use super::{FecFault, Repair, mask_bits};
use crate::number::SequenceNumber;

pub(super) fn parse(payload: &[u8]) -> Result<Repair<'_>, FecFault> {
    let mut reader = Reader::new(payload);
    let head: [u8; 2] = reader.array()?;
    // E is for an extension that nobody defined.
    if head[0] & 0x80 != 0 {
        return Err(FecFault::Unsupported);
    }
    let base = SequenceNumber(reader.u16()?);
    let (timestamp, len) = (reader.array()?, reader.u16()?);
    let protected = usize::from(reader.u16()?);
    let mut mask = mask_bits(u64::from(reader.u16()?), 16, 0);
    if head[0] & 0x40 != 0 {
        mask |= mask_bits(u64::from(reader.u32()?), 32, 16);
    }
    let bytes = reader.bytes(protected)?;
    Ok(Repair { ssrc: None, head, timestamp, len, base, mask, bytes })
}
