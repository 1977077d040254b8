//! Writing a message: header first, then attributes, then proof (RFC 8489 §6.1, §14.5 to §14.7).

use crate::attribute::{self, Attribute};
use crate::credentials::Key;
use crate::header::{Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId, encode_type};
use crate::integrity;

/// Appends one message to a buffer. After each call the buffer holds a valid message.
///
/// Call order: [`add`](Self::add) any number of times, then one of the `integrity` calls or none, then
/// [`fingerprint`](Self::fingerprint) or not.
pub struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
    start: usize,
    transaction: TransactionId,
}

impl<'b> Writer<'b> {
    /// Appends the header.
    pub fn new(buffer: &'b mut Vec<u8>, class: Class, method: Method, transaction: TransactionId) -> Self {
        let start = buffer.len();
        buffer.extend_from_slice(&encode_type(class, method).to_be_bytes());
        buffer.extend_from_slice(&[0, 0]);
        buffer.extend_from_slice(&MAGIC_COOKIE.to_be_bytes());
        buffer.extend_from_slice(&transaction.0);
        Self { buffer, start, transaction }
    }

    /// Appends an attribute, padded with zeros.
    ///
    /// A message holds at most 65,532 bytes of attributes; one that would not fit is left out.
    pub fn add<'a, A: Attribute<'a>>(&mut self, attribute: &A) -> &mut Self {
        let transaction = self.transaction;
        self.append(A::TYPE, |value| attribute.write(&transaction, value))
    }

    /// Appends an attribute of any type by its bytes.
    pub fn add_raw(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.append(kind, |buffer| buffer.extend_from_slice(value))
    }

    /// Appends MESSAGE-INTEGRITY (HMAC-SHA1, RFC 8489 §14.5).
    pub fn integrity_sha1(&mut self, key: &Key) -> &mut Self {
        self.set_length(4 + integrity::SHA1_LEN);
        let proof = integrity::sha1(key, &self.buffer[self.start..]);
        self.add_raw(attribute::MESSAGE_INTEGRITY, proof.as_ref())
    }

    /// Appends MESSAGE-INTEGRITY-SHA256, not truncated (RFC 8489 §14.6).
    pub fn integrity_sha256(&mut self, key: &Key) -> &mut Self {
        self.set_length(4 + integrity::SHA256_LEN);
        let proof = integrity::sha256(key, &self.buffer[self.start..]);
        self.add_raw(attribute::MESSAGE_INTEGRITY_SHA256, proof.as_ref())
    }

    /// Appends FINGERPRINT (RFC 8489 §14.7).
    pub fn fingerprint(&mut self) {
        self.set_length(8);
        let fingerprint = integrity::fingerprint(&self.buffer[self.start..]);
        self.add_raw(attribute::FINGERPRINT, &fingerprint.to_be_bytes());
    }

    /// Length of the message so far, header included, in bytes.
    pub fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Never: a message has at least its header.
    pub fn is_empty(&self) -> bool {
        false
    }

    fn append(&mut self, kind: u16, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        let before = self.buffer.len();
        self.buffer.extend_from_slice(&kind.to_be_bytes());
        self.buffer.extend_from_slice(&[0, 0]);
        write(self.buffer);
        let length = self.buffer.len() - before - 4;
        let padded = before + 4 + length.next_multiple_of(4);
        if padded - self.start - HEADER_LEN > usize::from(u16::MAX) {
            self.buffer.truncate(before);
        } else {
            self.buffer[before + 2..before + 4].copy_from_slice(&(length as u16).to_be_bytes());
            self.buffer.resize(padded, 0);
        }
        self.set_length(0);
        self
    }

    /// Sets the length field as if `more` bytes followed, as integrity and fingerprint want it.
    fn set_length(&mut self, more: usize) {
        let length = self.buffer.len() - self.start - HEADER_LEN + more;
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        self.buffer[self.start + 2..self.start + 4].copy_from_slice(&length.to_be_bytes());
    }
}
