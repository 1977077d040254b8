//! Numbers that a level may give one meaning only (RFC 8866 §6.6, RFC 8285 §5).

use crate::attribute::{Attribute, Attributes};
use crate::error::Reason;
use crate::limits::MAX_LINES;

/// Where a level has named its payload types and extension numbers, counted from 1; 0 where it has not.
pub(super) struct Unique {
    payload_types: [u16; 128],
    extensions: [u16; 257],
}

const _: () = assert!(MAX_LINES < u16::MAX as usize, "a place fits 16 bits");

impl Default for Unique {
    fn default() -> Self {
        Self { payload_types: [0; 128], extensions: [0; 257] }
    }
}

impl Unique {
    /// Refuses an attribute whose number means something else in an earlier one. The same line twice is harmless.
    pub(super) fn admit(&mut self, attribute: &Attribute, earlier: &Attributes) -> Result<(), Reason> {
        let (place, what) = match attribute {
            Attribute::Rtpmap(rtpmap) => {
                (&mut self.payload_types[usize::from(rtpmap.payload_type.get())], "a payload type's a=rtpmap")
            }
            // Those from 4096 may be offered for several extensions, of which one is chosen (RFC 8285 §7).
            Attribute::Extmap(extmap) if extmap.id.is_valid() => {
                (&mut self.extensions[usize::from(extmap.id.get())], "a number's a=extmap")
            }
            _ => return Ok(()),
        };
        match usize::from(*place).checked_sub(1) {
            Some(index) if earlier.0.get(index) != Some(attribute) => Err(Reason::Repeated(what)),
            Some(_) => Ok(()),
            None => {
                *place = u16::try_from(earlier.len() + 1).unwrap_or(u16::MAX);
                Ok(())
            }
        }
    }
}
