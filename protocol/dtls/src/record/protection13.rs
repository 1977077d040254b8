//! Records of DTLS 1.3, sealed and opened where they lie: RFC 9147 §4, RFC 8446 §5.2, §7.3.

use aws_lc_rs::aead::quic::HeaderProtectionKey;
use aws_lc_rs::aead::{Aad, LessSafeKey};
use zeroize::Zeroizing;

use super::content_type::ContentType;
use super::header13::{self, HEADER_LEN, Header};
use super::{Exhausted, NotOpened, ReplayWindow, nonce};
use crate::crypto::CryptoError;
use crate::crypto::aead::{MAX_KEY_LEN, NONCE_LEN, TAG_LEN};
use crate::crypto::hash::Hash;
use crate::crypto::schedule::expand_label;
use crate::crypto::secret::Secret;
use crate::crypto::suite::Aead;

/// Behind the plaintext: its type and the tag.
pub(crate) const TRAILER_LEN: usize = 1 + TAG_LEN;

/// What both directions of an epoch have.
struct Keys {
    aead: LessSafeKey,
    /// Hides sequence numbers.
    mask: HeaderProtectionKey,
    iv: [u8; NONCE_LEN],
    epoch: u64,
}

impl Keys {
    fn new(aead: Aead, hash: Hash, secret: &Secret, epoch: u64) -> Result<Self, CryptoError> {
        let mut bytes = Zeroizing::new([0; MAX_KEY_LEN]);
        let bytes = &mut bytes[..aead.key_len()];
        expand_label(hash, secret.as_ref(), b"key", &[], bytes)?;
        let key = aead.key(bytes)?;
        expand_label(hash, secret.as_ref(), b"sn", &[], bytes)?;
        let mask = aead.mask_key(bytes)?;
        let mut iv = [0; NONCE_LEN];
        expand_label(hash, secret.as_ref(), b"iv", &[], &mut iv)?;
        Ok(Self { aead: key, mask, iv, epoch })
    }
}

/// Seals the records of one epoch.
pub(crate) struct Sealer {
    keys: Keys,
    next: u64,
    limit: u64,
}

impl Sealer {
    pub(crate) fn new(aead: Aead, hash: Hash, secret: &Secret, epoch: u64) -> Result<Self, CryptoError> {
        Ok(Self { keys: Keys::new(aead, hash, secret, epoch)?, next: 0, limit: aead.seal_limit() })
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.keys.epoch
    }

    /// As if so many records had been sealed.
    #[cfg(test)]
    pub(crate) fn wear(&mut self, count: u64) {
        self.next = count;
    }

    /// How many records were sealed.
    pub(crate) fn count(&self) -> u64 {
        self.next
    }

    /// Seals what lies behind [`HEADER_LEN`] bytes from `start` to the end of the buffer. At most 2^14 bytes; returns
    /// the sequence number.
    #[inline]
    pub(crate) fn seal(
        &mut self,
        content_type: ContentType,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> Result<u64, Exhausted> {
        let sequence = self.next;
        if sequence >= self.limit {
            return Err(Exhausted);
        }
        let plaintext_len = buffer.len() - start - HEADER_LEN;
        let length = u16::try_from(plaintext_len + TRAILER_LEN).map_err(|_| Exhausted)?;
        let mut trailer = [0; TRAILER_LEN];
        trailer[0] = content_type.code();
        buffer.extend_from_slice(&trailer);
        let header = header13::bytes(self.keys.epoch, sequence, length);
        let record = &mut buffer[start..];
        let (front, body) = record.split_at_mut(HEADER_LEN);
        let (plaintext, tag) = body.split_at_mut(plaintext_len + 1);
        self.keys
            .aead
            .seal_in_place_scatter(nonce(&self.keys.iv, sequence), Aad::from(&header), plaintext, &[], tag)
            .map_err(|_| Exhausted)?;
        let mask = self.keys.mask.new_mask(&body[..16]).map_err(|_| Exhausted)?;
        front.copy_from_slice(&header);
        front[1] ^= mask[0];
        front[2] ^= mask[1];
        self.next += 1;
        Ok(sequence)
    }
}

/// A record that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) sequence: u64,
    /// The type's number, which may be one that we do not know.
    pub(crate) content_type: u8,
    /// The plaintext lies behind the header and has this many bytes.
    pub(crate) length: usize,
}

/// Opens the records of one epoch.
pub(crate) struct Opener {
    keys: Keys,
    window: ReplayWindow,
}

impl Opener {
    pub(crate) fn new(aead: Aead, hash: Hash, secret: &Secret, epoch: u64) -> Result<Self, CryptoError> {
        Ok(Self { keys: Keys::new(aead, hash, secret, epoch)?, window: ReplayWindow::default() })
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.keys.epoch
    }

    /// As if so many records had come.
    #[cfg(test)]
    pub(crate) fn wear(&mut self, count: u64) {
        self.window.note(count);
    }

    /// Opens the record that `header` describes.
    #[inline]
    pub(crate) fn open(&mut self, header: &Header, record: &mut [u8]) -> Result<Opened, NotOpened> {
        let (front, body) = record[..header.record_len].split_at_mut(header.header_len);
        let mask = self.keys.mask.new_mask(&body[..16]).map_err(|_| NotOpened::Forged)?;
        let low = &mut front[1..=header.sequence_len];
        low.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        let sequence = header13::reconstruct(self.window.next(), low);
        let (ciphertext, tag) = body.split_at_mut(body.len() - TAG_LEN);
        self.keys
            .aead
            .open_in_place_separate_tag(nonce(&self.keys.iv, sequence), Aad::from(front), tag, ciphertext)
            .map_err(|_| NotOpened::Forged)?;
        // Only now, so that nobody learns from the time it takes which number a record has.
        if self.window.is_seen(sequence) {
            return Err(NotOpened::Replayed);
        }
        self.window.note(sequence);
        let end = ciphertext.iter().rposition(|byte| *byte != 0).ok_or(NotOpened::Empty)?;
        Ok(Opened { sequence, content_type: ciphertext[end], length: end })
    }
}

#[cfg(test)]
mod tests;
