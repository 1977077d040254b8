//! AES in counter mode with HMAC-SHA1: RFC 3711 §4.1.1, §4.2.1. The tag is cut to 80 bits (RFC 5764 §4.1.2).

use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;

use super::{ENCRYPTED, Place, Portion, RTCP_HEADER_LEN, RTCP_WORD_LEN};
use crate::derive::SessionKeys;
use crate::keys::MAX_SALT_LEN;

pub(super) const TAG_LEN: usize = 10;
const ROLLOVER_LEN: usize = 4;

pub(crate) struct Cm {
    cipher: EncryptingKey,
    auth: hmac::Key,
    salt: [u8; MAX_SALT_LEN],
}

impl Cm {
    pub(super) fn new(keys: &SessionKeys) -> Result<Self, Unspecified> {
        Ok(Self {
            cipher: EncryptingKey::ctr(UnboundCipherKey::new(&AES_128, &keys.key[..keys.key_len])?)?,
            auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &keys.auth[..]),
            salt: keys.salt,
        })
    }

    #[inline]
    pub(super) fn seal_rtp(
        &self,
        place: Place,
        packet: &mut [u8],
        portion: Portion,
    ) -> Result<(), Unspecified> {
        let end = packet.len() - TAG_LEN;
        self.crypt_rtp(place, &mut packet[..end], portion)?;
        let tag = self.rtp_tag(place, packet);
        packet[end..].copy_from_slice(&tag);
        Ok(())
    }

    /// Leaves the packet as it was when it does not open.
    #[inline]
    pub(super) fn open_rtp(
        &self,
        place: Place,
        packet: &mut [u8],
        portion: Portion,
    ) -> Result<(), Unspecified> {
        let end = packet.len() - TAG_LEN;
        let mut received = [0; TAG_LEN];
        received.copy_from_slice(&packet[end..]);
        let tag = self.rtp_tag(place, packet);
        packet[end..].copy_from_slice(&received);
        verify_slices_are_equal(&tag, &received)?;
        self.crypt_rtp(place, &mut packet[..end], portion)
    }

    #[inline]
    pub(super) fn seal_rtcp(&self, place: Place, packet: &mut [u8]) -> Result<(), Unspecified> {
        let end = packet.len() - TAG_LEN;
        let word_at = end - RTCP_WORD_LEN;
        self.crypt(place, &mut packet[RTCP_HEADER_LEN..word_at])?;
        let word = ENCRYPTED | place.index as u32;
        packet[word_at..end].copy_from_slice(&word.to_be_bytes());
        let tag = self.tag(&packet[..end]);
        packet[end..].copy_from_slice(&tag);
        Ok(())
    }

    #[inline]
    pub(super) fn open_rtcp(&self, place: Place, word: u32, packet: &mut [u8]) -> Result<(), Unspecified> {
        let end = packet.len() - TAG_LEN;
        verify_slices_are_equal(&self.tag(&packet[..end]), &packet[end..])?;
        if word & ENCRYPTED == 0 {
            return Ok(());
        }
        self.crypt(place, &mut packet[RTCP_HEADER_LEN..end - RTCP_WORD_LEN])
    }

    fn crypt_rtp(&self, place: Place, message: &mut [u8], portion: Portion) -> Result<(), Unspecified> {
        portion.arrange(message);
        let done = self.crypt(place, &mut message[portion.start..]);
        portion.restore(message);
        done
    }

    /// RFC 3711 §4.1.1. Encrypting and decrypting are the same.
    #[inline]
    fn crypt(&self, place: Place, bytes: &mut [u8]) -> Result<(), Unspecified> {
        let mut iv = [0; 16];
        iv[..MAX_SALT_LEN].copy_from_slice(&self.salt);
        xor(&mut iv[4..8], &place.ssrc.to_be_bytes());
        xor(&mut iv[8..14], &place.index.to_be_bytes()[2..]);
        self.cipher.less_safe_encrypt(bytes, EncryptionContext::Iv128(FixedLength::from(iv)))?;
        Ok(())
    }

    /// Of the packet and the rollover counter (RFC 3711 §4.2), which is written where the tag belongs: one call for
    /// both is cheaper than two.
    #[inline]
    fn rtp_tag(&self, place: Place, packet: &mut [u8]) -> [u8; TAG_LEN] {
        let end = packet.len() - TAG_LEN;
        let rollover = (place.index >> 16) as u32;
        packet[end..end + ROLLOVER_LEN].copy_from_slice(&rollover.to_be_bytes());
        self.tag(&packet[..end + ROLLOVER_LEN])
    }

    #[inline]
    fn tag(&self, bytes: &[u8]) -> [u8; TAG_LEN] {
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(&hmac::sign(&self.auth, bytes).as_ref()[..TAG_LEN]);
        tag
    }
}

#[inline]
fn xor(bytes: &mut [u8], with: &[u8]) {
    bytes.iter_mut().zip(with).for_each(|(byte, with)| *byte ^= with);
}
