//! Data on its way out (RFC 9147 §4, RFC 6347 §4.1).

use std::fmt;

use super::Dtls;
use crate::core::Gate;
use crate::crypto::aead::TAG_LEN;
use crate::crypto::suite::Aead;
use crate::record::content_type::ContentType;
use crate::record::{MAX_PLAINTEXT_LEN, header13, protection12, protection13};
use crate::writing::Sealers;

/// What a record has beside its plaintext, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overhead {
    /// In front: what the caller leaves free.
    pub header: usize,
    /// Behind: what sealing appends.
    pub trailer: usize,
}

impl Overhead {
    /// Of DTLS 1.3, whatever the cipher suite.
    pub const DTLS13: Self = Self { header: header13::HEADER_LEN, trailer: protection13::TRAILER_LEN };
    /// Of DTLS 1.2 with AES-GCM: the most there is.
    pub const DTLS12_AES_GCM: Self =
        Self { header: protection12::header_len(Aead::Aes128Gcm), trailer: TAG_LEN };
    /// Of DTLS 1.2 with ChaCha20-Poly1305.
    pub const DTLS12_CHACHA20: Self =
        Self { header: protection12::header_len(Aead::ChaCha20Poly1305), trailer: TAG_LEN };

    /// Both together.
    pub const fn total(self) -> usize {
        self.header + self.trailer
    }
}

impl Dtls {
    /// What a record of data has beside its plaintext. `None` as long as there is no connection.
    pub fn overhead(&self) -> Option<Overhead> {
        if !self.is_connected() {
            return None;
        }
        match &self.core.writing.sealers {
            Sealers::None => None,
            Sealers::Dtls13 { .. } => Some(Overhead::DTLS13),
            Sealers::Dtls12(sealer) => Some(Overhead { header: sealer.header_len(), trailer: TAG_LEN }),
        }
    }

    /// Seals the data that lies behind [`Overhead::header`] free bytes from `start` to the end of the buffer: fills in
    /// the header, encrypts in place, appends [`Overhead::trailer`] bytes. At most 16,384 bytes of data. On an error
    /// the buffer is as it was up to `start`.
    #[inline]
    pub fn seal(&mut self, buffer: &mut Vec<u8>, start: usize) -> Result<(), SealError> {
        if !matches!(self.core.gate, Gate::Open) {
            return Err(SealError::NotConnected);
        }
        let check = |header: usize| match buffer
            .len()
            .checked_sub(start)
            .and_then(|length| length.checked_sub(header))
        {
            None => Err(SealError::NoHeader),
            Some(length) if length > MAX_PLAINTEXT_LEN => Err(SealError::TooLong),
            Some(_) => Ok(()),
        };
        let sealed = match &mut self.core.writing.sealers {
            Sealers::Dtls13 { application: Some(sealer), .. } => {
                check(header13::HEADER_LEN)?;
                sealer.seal(ContentType::ApplicationData, buffer, start)
            }
            Sealers::Dtls12(sealer) => {
                check(sealer.header_len())?;
                sealer.seal(ContentType::ApplicationData, buffer, start)
            }
            _ => return Err(SealError::NotConnected),
        };
        sealed.map(|_| ()).map_err(|_| SealError::Exhausted)
    }
}

/// Why nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// There is no connection: wait for [`Event::Connected`](crate::Event::Connected).
    NotConnected,
    /// The buffer has no room for the header behind `start`: leave [`Overhead::header`] bytes free.
    NoHeader,
    /// More than 16,384 bytes: send them in several records.
    TooLong,
    /// The key has sealed as much as it may, and the peer has not acknowledged the next one: wait for it, or connect
    /// anew.
    Exhausted,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "there is no connection yet, or no longer one; wait until it is connected",
            Self::NoHeader => {
                "the buffer has no room for the record's header; leave it free in front of the data"
            }
            Self::TooLong => "a record holds at most 16,384 bytes; send several",
            Self::Exhausted => {
                "the key is used up and the peer has not acknowledged the next; wait, or connect anew"
            }
        })
    }
}

impl std::error::Error for SealError {}
