//! AES-GCM: RFC 7714 §8, §9.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;

use super::{ENCRYPTED, Place, Portion, RTCP_HEADER_LEN, RTCP_WORD_LEN};
use crate::derive::SessionKeys;

pub(super) const TAG_LEN: usize = 16;

pub(crate) struct Gcm {
    key: LessSafeKey,
    salt: [u8; NONCE_LEN],
}

impl Gcm {
    pub(super) fn new(keys: &SessionKeys) -> Result<Self, Unspecified> {
        let algorithm = if keys.key_len == AES_256_GCM.key_len() { &AES_256_GCM } else { &AES_128_GCM };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, &keys.key[..keys.key_len])?);
        let mut salt = [0; NONCE_LEN];
        salt.copy_from_slice(&keys.salt[..NONCE_LEN]);
        Ok(Self { key, salt })
    }

    #[inline]
    pub(super) fn seal_rtp(
        &self,
        place: Place,
        packet: &mut [u8],
        portion: Portion,
    ) -> Result<(), Unspecified> {
        let (message, tag) = packet.split_at_mut(packet.len() - TAG_LEN);
        portion.arrange(message);
        let (clear, body) = message.split_at_mut(portion.start);
        let done = self.key.seal_in_place_scatter(self.nonce(place), Aad::from(clear), body, &[], tag);
        portion.restore(message);
        done
    }

    #[inline]
    pub(super) fn open_rtp(
        &self,
        place: Place,
        packet: &mut [u8],
        portion: Portion,
    ) -> Result<(), Unspecified> {
        let (message, tag) = packet.split_at_mut(packet.len() - TAG_LEN);
        portion.arrange(message);
        let (clear, body) = message.split_at_mut(portion.start);
        self.key.open_in_place_separate_tag(self.nonce(place), Aad::from(clear), tag, body)?;
        portion.restore(message);
        Ok(())
    }

    #[inline]
    pub(super) fn seal_rtcp(&self, place: Place, packet: &mut [u8]) -> Result<(), Unspecified> {
        let (message, tail) = packet.split_at_mut(packet.len() - TAG_LEN - RTCP_WORD_LEN);
        let (tag, word) = tail.split_at_mut(TAG_LEN);
        word.copy_from_slice(&(ENCRYPTED | place.index as u32).to_be_bytes());
        let (header, body) = message.split_at_mut(RTCP_HEADER_LEN);
        let aad = associated(header, word);
        self.key.seal_in_place_scatter(self.nonce(place), Aad::from(aad), body, &[], tag)
    }

    #[inline]
    pub(super) fn open_rtcp(&self, place: Place, word: u32, packet: &mut [u8]) -> Result<(), Unspecified> {
        if word & ENCRYPTED == 0 {
            return self.open_clear_rtcp(place, packet);
        }
        let (message, tail) = packet.split_at_mut(packet.len() - TAG_LEN - RTCP_WORD_LEN);
        let (tag, word) = tail.split_at(TAG_LEN);
        let (header, body) = message.split_at_mut(RTCP_HEADER_LEN);
        let aad = associated(header, word);
        self.key.open_in_place_separate_tag(self.nonce(place), Aad::from(aad), tag, body)?;
        Ok(())
    }

    /// A packet that is authentic but not encrypted: all of it and the word are associated data, and the tag lies
    /// between them (RFC 7714 §9.3).
    #[cold]
    fn open_clear_rtcp(&self, place: Place, packet: &mut [u8]) -> Result<(), Unspecified> {
        let end = packet.len() - TAG_LEN - RTCP_WORD_LEN;
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(&packet[end..end + TAG_LEN]);
        packet.copy_within(end + TAG_LEN.., end);
        let aad = Aad::from(&packet[..end + RTCP_WORD_LEN]);
        self.key.open_in_place_separate_tag(self.nonce(place), aad, &tag, &mut [])?;
        Ok(())
    }

    /// RFC 7714 §8.1, §9.1.
    #[inline]
    fn nonce(&self, place: Place) -> Nonce {
        let mut nonce = self.salt;
        let [_, _, index @ ..] = place.index.to_be_bytes();
        let number = place.ssrc.to_be_bytes().into_iter().chain(index);
        nonce[2..].iter_mut().zip(number).for_each(|(byte, number)| *byte ^= number);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// RFC 7714 §9.2.
#[inline]
fn associated(header: &[u8], word: &[u8]) -> [u8; RTCP_HEADER_LEN + RTCP_WORD_LEN] {
    let mut aad = [0; RTCP_HEADER_LEN + RTCP_WORD_LEN];
    aad[..RTCP_HEADER_LEN].copy_from_slice(header);
    aad[RTCP_HEADER_LEN..].copy_from_slice(word);
    aad
}
