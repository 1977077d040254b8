//! Records of DTLS 1.2, sealed and opened where they lie: RFC 6347 §4.1.2, RFC 5246 §6.2.3.3, RFC 5288 §3,
//! RFC 7905 §2.
//!
//! There is one epoch with keys, and no way to new ones: renegotiation is refused. RFC 8446's limits on an AEAD's
//! use are not DTLS 1.2's; the only end is that of the sequence numbers.

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};

use super::content_type::ContentType;
use super::header12::{HEADER_LEN, Header, VERSION_12};
use super::{Exhausted, MAX_SEQUENCE, NotOpened, ReplayWindow, nonce};
use crate::crypto::CryptoError;
use crate::crypto::aead::{NONCE_LEN, TAG_LEN};
use crate::crypto::suite::Aead;

/// The epoch of everything that is protected.
pub(crate) const EPOCH: u16 = 1;

/// What both directions have.
struct Keys {
    aead: LessSafeKey,
    /// Four bytes of it for AES-GCM, all for ChaCha20-Poly1305.
    iv: [u8; NONCE_LEN],
    explicit_nonce_len: usize,
}

impl Keys {
    fn new(aead: Aead, key: &[u8], fixed_iv: &[u8]) -> Result<Self, CryptoError> {
        let mut iv = [0; NONCE_LEN];
        iv.get_mut(..fixed_iv.len()).ok_or(CryptoError)?.copy_from_slice(fixed_iv);
        Ok(Self { aead: aead.key(key)?, iv, explicit_nonce_len: aead.explicit_nonce_len() })
    }

    fn explicit(&self, explicit: &[u8]) -> Nonce {
        let mut nonce = self.iv;
        let at = NONCE_LEN - explicit.len();
        nonce[at..].copy_from_slice(explicit);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Of what the key block gives each direction for its nonces, in bytes.
pub(crate) const fn fixed_iv_len(aead: Aead) -> usize {
    NONCE_LEN - aead.explicit_nonce_len()
}

/// What comes before the plaintext, in bytes.
pub(crate) const fn header_len(aead: Aead) -> usize {
    HEADER_LEN + aead.explicit_nonce_len()
}

/// The additional data: number, type, version, length of the plaintext.
fn additional_data(number: u64, content_type: u8, length: usize) -> [u8; 13] {
    let mut data = [0; 13];
    data[..8].copy_from_slice(&number.to_be_bytes());
    data[8] = content_type;
    data[9..11].copy_from_slice(&VERSION_12.to_be_bytes());
    let [.., high, low] = length.to_be_bytes();
    data[11] = high;
    data[12] = low;
    data
}

/// Seals our records.
pub(crate) struct Sealer {
    keys: Keys,
    next: u64,
}

impl Sealer {
    pub(crate) fn new(aead: Aead, key: &[u8], fixed_iv: &[u8]) -> Result<Self, CryptoError> {
        Ok(Self { keys: Keys::new(aead, key, fixed_iv)?, next: 0 })
    }

    /// What comes before the plaintext, in bytes.
    pub(crate) fn header_len(&self) -> usize {
        HEADER_LEN + self.keys.explicit_nonce_len
    }

    /// Seals what lies behind [`Self::header_len`] bytes from `start` to the end of the buffer. At most 2^14 bytes;
    /// returns the sequence number.
    #[inline]
    pub(crate) fn seal(
        &mut self,
        content_type: ContentType,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> Result<u64, Exhausted> {
        let sequence = self.next;
        if sequence > MAX_SEQUENCE {
            return Err(Exhausted);
        }
        let header_len = self.header_len();
        let plaintext_len = buffer.len() - start - header_len;
        let length = self.keys.explicit_nonce_len + plaintext_len + TAG_LEN;
        let length = u16::try_from(length).map_err(|_| Exhausted)?;
        let header = Header { content_type, epoch: EPOCH, sequence, length };
        let number = header.number();
        buffer.extend_from_slice(&[0; TAG_LEN]);
        let (front, body) = buffer[start..].split_at_mut(header_len);
        front[..HEADER_LEN].copy_from_slice(&header.bytes());
        let explicit = &mut front[HEADER_LEN..];
        let nonce = if explicit.is_empty() {
            nonce(&self.keys.iv, number)
        } else {
            explicit.copy_from_slice(&number.to_be_bytes());
            self.keys.explicit(explicit)
        };
        let data = additional_data(number, content_type.code(), plaintext_len);
        let (plaintext, tag) = body.split_at_mut(plaintext_len);
        self.keys
            .aead
            .seal_in_place_scatter(nonce, Aad::from(&data), plaintext, &[], tag)
            .map_err(|_| Exhausted)?;
        self.next += 1;
        Ok(sequence)
    }
}

/// Opens the peer's records.
pub(crate) struct Opener {
    keys: Keys,
    window: ReplayWindow,
}

impl Opener {
    pub(crate) fn new(aead: Aead, key: &[u8], fixed_iv: &[u8]) -> Result<Self, CryptoError> {
        Ok(Self { keys: Keys::new(aead, key, fixed_iv)?, window: ReplayWindow::default() })
    }

    /// What comes before the plaintext, in bytes.
    pub(crate) fn header_len(&self) -> usize {
        HEADER_LEN + self.keys.explicit_nonce_len
    }

    /// Opens the record at the front of `record`, whose plaintext then lies behind [`Self::header_len`] bytes and has
    /// as many bytes as returned.
    #[inline]
    pub(crate) fn open(&mut self, header: &Header, record: &mut [u8]) -> Result<usize, NotOpened> {
        // The number is in the clear here, so that a replay need not be decrypted.
        if self.window.is_seen(header.sequence) {
            return Err(NotOpened::Replayed);
        }
        let body = &mut record[HEADER_LEN..HEADER_LEN + usize::from(header.length)];
        let plaintext_len =
            body.len().checked_sub(self.keys.explicit_nonce_len + TAG_LEN).ok_or(NotOpened::Forged)?;
        let (explicit, body) = body.split_at_mut(self.keys.explicit_nonce_len);
        let number = header.number();
        let nonce =
            if explicit.is_empty() { nonce(&self.keys.iv, number) } else { self.keys.explicit(explicit) };
        let data = additional_data(number, header.content_type.code(), plaintext_len);
        let (ciphertext, tag) = body.split_at_mut(plaintext_len);
        self.keys
            .aead
            .open_in_place_separate_tag(nonce, Aad::from(&data), tag, ciphertext)
            .map_err(|_| NotOpened::Forged)?;
        self.window.note(header.sequence);
        Ok(plaintext_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(aead: Aead) -> (Sealer, Opener) {
        let (key, iv) = (vec![7; aead.key_len()], vec![8; fixed_iv_len(aead)]);
        (Sealer::new(aead, &key, &iv).unwrap(), Opener::new(aead, &key, &iv).unwrap())
    }

    fn sealed(sealer: &mut Sealer, plaintext: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; sealer.header_len()];
        buffer.extend(plaintext);
        sealer.seal(ContentType::ApplicationData, &mut buffer, 0).unwrap();
        buffer
    }

    fn open(opener: &mut Opener, record: &mut [u8]) -> Result<Vec<u8>, NotOpened> {
        let header = Header::parse(record).unwrap();
        let length = opener.open(&header, record)?;
        Ok(record[opener.header_len()..][..length].to_vec())
    }

    #[test]
    fn what_is_sealed_is_opened_once() {
        for aead in [Aead::Aes128Gcm, Aead::Aes256Gcm, Aead::ChaCha20Poly1305] {
            let (mut sealer, mut opener) = pair(aead);
            for length in [0, 1, 1200] {
                let plaintext = vec![3; length];
                let record = sealed(&mut sealer, &plaintext);
                assert_eq!(record.len(), header_len(aead) + length + TAG_LEN);
                assert_eq!(open(&mut opener, &mut record.clone()).unwrap(), plaintext);
                assert_eq!(open(&mut opener, &mut record.clone()), Err(NotOpened::Replayed));
            }
        }
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        for aead in [Aead::Aes128Gcm, Aead::ChaCha20Poly1305] {
            let (mut sealer, mut opener) = pair(aead);
            let record = sealed(&mut sealer, b"hello");
            for bit in 0..8 * record.len() {
                let mut changed = record.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                // The version is not covered: it is not what the additional data has.
                let Ok(header) = Header::parse(&changed) else { continue };
                if (16..24).contains(&bit) || header.epoch != EPOCH {
                    continue;
                }
                assert_eq!(opener.open(&header, &mut changed), Err(NotOpened::Forged), "{aead:?} bit {bit}");
            }
        }
    }

    #[test]
    fn short_records_are_refused() {
        let (_, mut opener) = pair(Aead::Aes128Gcm);
        let mut record = vec![23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23];
        record.extend([0; 23]);
        assert_eq!(open(&mut opener, &mut record), Err(NotOpened::Forged));
    }
}
