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

mod rewrite;
mod writer;

pub use rewrite::HeaderMut;
pub use writer::{Body, HeaderWriter, MAX_SOURCES};

use crate::extension::{Elements, Extension, ExtensionMap};
use crate::number::{PayloadType, SequenceNumber, Ssrc, Timestamp};

/// Bytes of a header without contributing sources and extension.
pub const FIXED_LEN: usize = 12;

const VERSION: u8 = 2;
const WORD: usize = 4;
/// What "defined by profile" says where elements have a header of one byte (RFC 8285 §4.2).
const ONE_BYTE: u16 = 0xBEDE;
/// The same for two bytes, without application bits (RFC 8285 §4.3).
const TWO_BYTE: u16 = 0x1000;
/// Those bits.
const APPLICATION_BITS: u16 = 0x000F;

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

/// The fields that every header has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// See [`Header::marker`].
    pub marker: bool,
    /// What it holds.
    pub payload_type: PayloadType,
    /// Its place in the stream.
    pub sequence_number: SequenceNumber,
    /// When its first sample was taken.
    pub timestamp: Timestamp,
    /// Whose stream it is of.
    pub ssrc: Ssrc,
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

    /// The header as it lies.
    #[inline]
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
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

    /// All the fixed fields.
    #[inline]
    pub fn fields(self) -> Fields {
        Fields {
            marker: self.marker(),
            payload_type: self.payload_type(),
            sequence_number: self.sequence_number(),
            timestamp: self.timestamp(),
            ssrc: self.ssrc(),
        }
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

    /// The elements of its extension, by their local ids; none where it is in no form of RFC 8285.
    #[inline]
    pub fn extensions(self) -> Elements<'a> {
        match self.extension() {
            Some(RawExtension { profile: ONE_BYTE, bytes }) => Elements::one_byte(bytes),
            Some(RawExtension { profile, bytes }) if profile & !APPLICATION_BITS == TWO_BYTE => {
                Elements::two_byte(bytes)
            }
            _ => Elements::one_byte(&[]),
        }
    }

    /// The value of one extension: of several with its id, the first.
    #[inline]
    pub fn read<E: Extension<'a>>(self, map: &ExtensionMap) -> Option<E> {
        let id = map.id(E::KIND)?;
        let (_, value) = self.extensions().find(|(found, _)| *found == id)?;
        E::parse(value)
    }
}

#[cfg(test)]
mod tests;
