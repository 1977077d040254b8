//! Frames on their way out: RFC 9605 §4.4.3.

use std::fmt;

use crate::cipher::Cipher;
use crate::header::Header;
use crate::key::KeyError;
use crate::suite::CipherSuite;

/// The longest metadata, in bytes.
pub const MAX_METADATA_LEN: usize = 1024;

/// Encrypts what one end sends.
pub struct Sender {
    suite: CipherSuite,
    kid: u64,
    cipher: Cipher,
    next: u64,
    /// The header and the metadata, one behind the other.
    associated: Vec<u8>,
}

impl Sender {
    /// A sender whose key has this KID. Nobody else may ever encrypt with both the same `base_key` and the same KID, nor
    /// may this end again after it forgot how many frames it encrypted (RFC 9605 §9.1).
    pub fn new(suite: CipherSuite, kid: u64, base_key: &[u8]) -> Result<Self, KeyError> {
        if base_key.is_empty() {
            return Err(KeyError);
        }
        let cipher = Cipher::new(suite, kid, base_key).map_err(|_| KeyError)?;
        Ok(Self { suite, kid, cipher, next: 0, associated: Vec::new() })
    }

    /// The number of its key. To change the key, make a new sender.
    pub fn kid(&self) -> u64 {
        self.kid
    }

    /// How many frames were encrypted.
    pub fn counter(&self) -> u64 {
        self.next
    }

    /// Encrypts the frame that begins at `start` and ends with the buffer: puts a header in front of it, up to
    /// [`MAX_HEADER_LEN`](crate::MAX_HEADER_LEN) bytes, encrypts in place and appends [`CipherSuite::tag_len`] bytes.
    /// `metadata` is authenticated with it: what is in the clear before `start`, say. On an error the buffer is as it was.
    pub fn encrypt(
        &mut self,
        buffer: &mut Vec<u8>,
        start: usize,
        metadata: &[u8],
    ) -> Result<(), EncryptError> {
        if start > buffer.len() {
            return Err(EncryptError::NoFrame);
        }
        if metadata.len() > MAX_METADATA_LEN {
            return Err(EncryptError::MetadataTooLong);
        }
        if self.next == u64::MAX {
            return Err(EncryptError::Exhausted);
        }
        let header = Header { kid: self.kid, counter: self.next }.encode();
        let header = header.as_ref();
        self.associated.clear();
        self.associated.extend_from_slice(header);
        self.associated.extend_from_slice(metadata);
        let (end, body) = (buffer.len(), start + header.len());
        buffer.resize(end + header.len() + self.suite.tag_len(), 0);
        buffer.copy_within(start..end, body);
        buffer[start..body].copy_from_slice(header);
        let (frame, tag) = buffer[body..].split_at_mut(end - start);
        let sealed = self.cipher.seal(self.next, &self.associated, frame, tag);
        if sealed.is_err() {
            // Only what no memory holds is too long for a cipher.
            buffer.truncate(start);
            return Err(EncryptError::NoFrame);
        }
        self.next += 1;
        Ok(())
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { suite, kid, next, .. } = self;
        f.debug_struct("Sender")
            .field("suite", suite)
            .field("kid", kid)
            .field("next", next)
            .finish_non_exhaustive()
    }
}

/// Why a frame was not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptError {
    /// The buffer ends before the frame begins, or the frame is longer than 64 GiB: give one that is in the buffer.
    NoFrame,
    /// More than [`MAX_METADATA_LEN`] bytes: authenticate a hash of it.
    MetadataTooLong,
    /// The key has encrypted 2^64 - 1 frames: take another.
    Exhausted,
}

impl fmt::Display for EncryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoFrame => "there is no frame at that place of the buffer; give one that is",
            Self::MetadataTooLong => "metadata has at most 1,024 bytes; give a hash of it",
            Self::Exhausted => "the key is used up; take another",
        })
    }
}

impl std::error::Error for EncryptError {}
