//! What seals and opens one kind of packets in one direction: RFC 3711 §3, RFC 7714 §8, §9, RFC 9335 §6.

mod cm;
mod gcm;

use aws_lc_rs::error::Unspecified;

use crate::derive::SessionKeys;
use crate::profile::Profile;
use cm::Cm;
use gcm::Gcm;

/// In front of every RTP packet.
const FIXED_HEADER_LEN: usize = 12;
/// What says which extension follows, and how long it is.
const EXTENSION_HEADER_LEN: usize = 4;
/// In front of every RTCP packet, and in the clear (RFC 3711 §3.4).
pub(crate) const RTCP_HEADER_LEN: usize = 8;
/// The flag E and the index, behind every RTCP packet.
pub(crate) const RTCP_WORD_LEN: usize = 4;
/// Whether the packet is encrypted.
pub(crate) const ENCRYPTED: u32 = 1 << 31;

/// Which packet it is: makes every packet's encryption a different one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) ssrc: u32,
    /// 48 bits for RTP, 31 for RTCP.
    pub(crate) index: u64,
}

/// Which part of an RTP packet is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Portion {
    /// Where it begins, once arranged; all before it is in the clear.
    pub(crate) start: usize,
    /// Bytes of contributing sources that are encrypted, too, and lie in front of the extension's header, which is not
    /// (RFC 9335 §6.2).
    pub(crate) sources: usize,
}

impl Portion {
    /// All behind a header of so many bytes.
    pub(crate) fn behind(header_len: usize) -> Self {
        Self { start: header_len, sources: 0 }
    }

    /// Contributing sources, extension and payload: what cryptex encrypts.
    pub(crate) fn cryptex(sources: usize) -> Self {
        Self { start: FIXED_HEADER_LEN + EXTENSION_HEADER_LEN, sources }
    }

    /// Puts the extension's header before the contributing sources, so that what is encrypted is in one piece.
    fn arrange(self, packet: &mut [u8]) {
        if self.sources != 0 {
            packet[FIXED_HEADER_LEN..self.start + self.sources].rotate_right(EXTENSION_HEADER_LEN);
        }
    }

    /// Puts it back.
    fn restore(self, packet: &mut [u8]) {
        if self.sources != 0 {
            packet[FIXED_HEADER_LEN..self.start + self.sources].rotate_left(EXTENSION_HEADER_LEN);
        }
    }
}

/// The transform of one profile, with its keys.
pub(crate) enum Cipher {
    Cm(Box<Cm>),
    Gcm(Gcm),
}

impl Cipher {
    pub(crate) fn new(profile: Profile, keys: &SessionKeys) -> Result<Self, Unspecified> {
        Ok(match profile {
            Profile::Aes128CmSha1_80 => Self::Cm(Box::new(Cm::new(keys)?)),
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => Self::Gcm(Gcm::new(keys)?),
        })
    }

    /// Seals a packet that ends with room for what protection appends.
    #[inline]
    pub(crate) fn seal_rtp(
        &self,
        place: Place,
        packet: &mut [u8],
        portion: Portion,
    ) -> Result<(), Unspecified> {
        match self {
            Self::Cm(cm) => cm.seal_rtp(place, packet, portion),
            Self::Gcm(gcm) => gcm.seal_rtp(place, packet, portion),
        }
    }

    /// Opens a packet that is at least as long as `portion.start` and what protection appends.
    #[inline]
    pub(crate) fn open_rtp(
        &self,
        place: Place,
        packet: &mut [u8],
        portion: Portion,
    ) -> Result<(), Unspecified> {
        match self {
            Self::Cm(cm) => cm.open_rtp(place, packet, portion),
            Self::Gcm(gcm) => gcm.open_rtp(place, packet, portion),
        }
    }

    /// Whether a packet that does not open is lost by the attempt.
    pub(crate) fn spoils(&self) -> bool {
        matches!(self, Self::Gcm(_))
    }

    /// Seals a packet of at least [`RTCP_HEADER_LEN`] bytes that ends with room for what protection appends.
    #[inline]
    pub(crate) fn seal_rtcp(&self, place: Place, packet: &mut [u8]) -> Result<(), Unspecified> {
        match self {
            Self::Cm(cm) => cm.seal_rtcp(place, packet),
            Self::Gcm(gcm) => gcm.seal_rtcp(place, packet),
        }
    }

    /// The flag E and the index of a sealed packet; `None` if it is too short to be one.
    #[inline]
    pub(crate) fn rtcp_word(&self, packet: &[u8]) -> Option<u32> {
        let behind = match self {
            Self::Cm(_) => cm::TAG_LEN,
            Self::Gcm(_) => 0,
        };
        let before = match self {
            Self::Cm(_) => 0,
            Self::Gcm(_) => gcm::TAG_LEN,
        };
        let (front, word) = packet.get(..packet.len().checked_sub(behind)?)?.split_last_chunk()?;
        (front.len() >= RTCP_HEADER_LEN + before).then(|| u32::from_be_bytes(*word))
    }

    /// Opens a packet of which `word` was read.
    #[inline]
    pub(crate) fn open_rtcp(&self, place: Place, word: u32, packet: &mut [u8]) -> Result<(), Unspecified> {
        match self {
            Self::Cm(cm) => cm.open_rtcp(place, word, packet),
            Self::Gcm(gcm) => gcm.open_rtcp(place, word, packet),
        }
    }
}

/// A cipher that is made when the first packet needs it: expanded keys take several times as much as keys, and a direction
/// may have no packets of a kind. Who only watches sends no RTP.
pub(crate) enum Late {
    Keys(Profile, SessionKeys),
    Cipher(Cipher),
}

impl Late {
    #[inline]
    pub(crate) fn get(&mut self) -> Result<&Cipher, Unspecified> {
        if let Self::Keys(profile, keys) = self {
            *self = Self::Cipher(Cipher::new(*profile, keys)?);
        }
        match self {
            Self::Cipher(cipher) => Ok(cipher),
            Self::Keys(..) => Err(Unspecified),
        }
    }
}

#[cfg(test)]
mod tests;
