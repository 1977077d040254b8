//! An RTP packet's header, as it came (RFC 3550 §5.1, §5.3.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                           timestamp                           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           synchronization source (SSRC) identifier            |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |            contributing source (CSRC) identifiers, CC of them |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  defined by profile, if X     |    length in 32-bit words     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                       header extension                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::number::{PayloadType, SequenceNumber, Ssrc, Timestamp};

/// Bytes of a header without contributing sources and extension.
pub const FIXED_LEN: usize = 12;

const VERSION: u8 = 2;
const WORD: usize = 4;

wire::faults! {
    /// Why a datagram is no RTP packet.
    pub enum HeaderFault {
        /// It ends before its header does.
        Truncated => "rtp_truncated",
        /// Its version is not 2.
        Version => "rtp_version",
        /// Its last byte says more padding than there is payload.
        Padding => "rtp_padding",
    }
}

/// The header of a packet: a view that was checked, so that no field lies beyond it.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    fixed: &'a [u8; FIXED_LEN],
    /// All of it, contributing sources and extension included.
    bytes: &'a [u8],
}

/// A header's extension, not yet taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawExtension<'a> {
    /// What "defined by profile" says: 0xBEDE, for one (RFC 8285 §4.2).
    pub profile: u16,
    /// What follows the length.
    pub bytes: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the header at the front of `packet`. What comes after is not looked at, so that this serves before a
    /// packet is decrypted, too.
    #[inline]
    pub fn parse(packet: &'a [u8]) -> Result<Self, HeaderFault> {
        let fixed = packet.first_chunk::<FIXED_LEN>().ok_or(HeaderFault::Truncated)?;
        if fixed[0] >> 6 != VERSION {
            return Err(HeaderFault::Version);
        }
        let mut len = FIXED_LEN + usize::from(fixed[0] & 0x0F) * WORD;
        if fixed[0] & 0x10 != 0 {
            let [_, _, high, low] =
                *packet[len.min(packet.len())..].first_chunk::<WORD>().ok_or(HeaderFault::Truncated)?;
            len += WORD + usize::from(u16::from_be_bytes([high, low])) * WORD;
        }
        let bytes = packet.get(..len).ok_or(HeaderFault::Truncated)?;
        Ok(Self { fixed, bytes })
    }

    /// Bytes of the header: the payload begins there.
    #[inline]
    pub fn len(self) -> usize {
        self.bytes.len()
    }

    /// Never: a header has at least [`FIXED_LEN`] bytes.
    pub fn is_empty(self) -> bool {
        false
    }

    /// Whether the packet's last byte says how many bytes of padding it ends with.
    #[inline]
    pub fn has_padding(self) -> bool {
        self.fixed[0] & 0x20 != 0
    }

    /// For video, the last packet of a frame; for audio, the first after silence (RFC 3551 §4.1, §5).
    #[inline]
    pub fn marker(self) -> bool {
        self.fixed[1] & 0x80 != 0
    }

    /// What it holds.
    #[inline]
    pub fn payload_type(self) -> PayloadType {
        PayloadType::of_byte(self.fixed[1])
    }

    /// Its place in the stream.
    #[inline]
    pub fn sequence_number(self) -> SequenceNumber {
        SequenceNumber(u16::from_be_bytes([self.fixed[2], self.fixed[3]]))
    }

    /// When its first sample was taken.
    #[inline]
    pub fn timestamp(self) -> Timestamp {
        let [_, _, _, _, a, b, c, d, ..] = *self.fixed;
        Timestamp(u32::from_be_bytes([a, b, c, d]))
    }

    /// Whose stream it is of.
    #[inline]
    pub fn ssrc(self) -> Ssrc {
        let [.., a, b, c, d] = *self.fixed;
        Ssrc(u32::from_be_bytes([a, b, c, d]))
    }

    /// Where its contributing sources end.
    #[inline]
    fn sources_end(self) -> usize {
        FIXED_LEN + usize::from(self.fixed[0] & 0x0F) * WORD
    }

    /// Those whose sound or picture a mixer put into it: up to 15.
    pub fn contributing_sources(self) -> impl ExactSizeIterator<Item = Ssrc> + 'a {
        let sources = self.bytes.get(FIXED_LEN..self.sources_end()).unwrap_or_default();
        sources.as_chunks::<WORD>().0.iter().map(|source| Ssrc(u32::from_be_bytes(*source)))
    }

    /// Its extension, if it has one.
    #[inline]
    pub fn extension(self) -> Option<RawExtension<'a>> {
        let ([a, b, _, _], bytes) = self.bytes.get(self.sources_end()..)?.split_first_chunk::<WORD>()?;
        Some(RawExtension { profile: u16::from_be_bytes([*a, *b]), bytes })
    }
}

#[cfg(test)]
mod tests;
