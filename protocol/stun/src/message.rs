//! A received message: checked once as a whole, then read attribute by attribute (RFC 8489 §6.3, §14).

use std::error::Error;
use std::fmt;

use wire::Reader;

use crate::attribute::{self, Attribute, BadAttribute};
use crate::header::{Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId, decode_type};

mod owned;
#[cfg(test)]
mod tests;

pub use owned::OwnedMessage;

/// A well-formed STUN message that borrows the datagram it came in.
///
/// Attributes after MESSAGE-INTEGRITY are not seen by [`get`](Self::get), as RFC 8489 §14.5 demands.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    class: Class,
    method: Method,
    transaction: TransactionId,
    /// Where the attributes end that an integrity attribute (or the message's end) covers.
    covered: usize,
    integrity_sha1: Option<usize>,
    integrity_sha256: Option<usize>,
    fingerprint: Option<usize>,
}

/// Why bytes are not a STUN message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Shorter than a header, or than its length field says.
    Truncated,
    /// The first two bits are not zero: another protocol on this port (RFC 7983).
    NotStun,
    /// The magic cookie is not there.
    NoCookie,
    /// The length field is not a multiple of four, or not the length of the datagram.
    BadLength,
    /// An attribute's length reaches past the end.
    AttributeTruncated,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "shorter than a STUN header",
            Self::NotStun => "the first two bits are not zero, as STUN's are",
            Self::NoCookie => "the magic cookie is missing",
            Self::BadLength => "the length field does not fit the datagram",
            Self::AttributeTruncated => "an attribute reaches past the end",
        })
    }
}

impl Error for ParseError {}

/// An attribute as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawAttribute<'a> {
    /// Its type.
    pub kind: u16,
    /// Its value, without padding.
    pub value: &'a [u8],
    offset: usize,
}

impl RawAttribute<'_> {
    /// Where the value lies in the message's bytes.
    pub fn value_range(&self) -> std::ops::Range<usize> {
        let start = self.offset + 4;
        start..start + self.value.len()
    }
}

impl<'a> Message<'a> {
    /// Checks header and attribute lengths. `bytes` is one whole datagram, or one frame of a stream.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let mut header = || Ok((reader.u16()?, reader.u16()?, reader.u32()?, reader.array()?));
        let (kind, length, cookie, transaction) =
            header().map_err(|_: wire::Truncated| ParseError::Truncated)?;
        if kind & 0xC000 != 0 {
            return Err(ParseError::NotStun);
        }
        if cookie != MAGIC_COOKIE {
            return Err(ParseError::NoCookie);
        }
        if length % 4 != 0 || HEADER_LEN + usize::from(length) != bytes.len() {
            return Err(ParseError::BadLength);
        }
        let (class, method) = decode_type(kind);
        let mut message = Self {
            bytes,
            class,
            method,
            transaction: TransactionId(transaction),
            covered: bytes.len(),
            integrity_sha1: None,
            integrity_sha256: None,
            fingerprint: None,
        };
        message.index()?;
        Ok(message)
    }

    /// Walks over all attributes once: every length must fit, and the ones that end the covered part are noted.
    fn index(&mut self) -> Result<(), ParseError> {
        let mut walk = Attributes::new(self.bytes, self.bytes.len());
        let mut covered = None;
        while let Some(attribute) = walk.next_checked()? {
            let offset = attribute.offset;
            match attribute.kind {
                // After MESSAGE-INTEGRITY only its SHA-256 sibling and FINGERPRINT count; after that one,
                // only FINGERPRINT (RFC 8489 §14.5, §14.6); after FINGERPRINT, nothing (§14.7).
                _ if self.fingerprint.is_some() => {}
                attribute::MESSAGE_INTEGRITY
                    if self.integrity_sha1.is_none() && self.integrity_sha256.is_none() =>
                {
                    self.integrity_sha1 = Some(offset);
                    covered.get_or_insert(offset);
                }
                attribute::MESSAGE_INTEGRITY_SHA256 if self.integrity_sha256.is_none() => {
                    self.integrity_sha256 = Some(offset);
                    covered.get_or_insert(offset);
                }
                attribute::FINGERPRINT => {
                    self.fingerprint = Some(offset);
                    covered.get_or_insert(offset);
                }
                _ => {}
            }
        }
        self.covered = covered.unwrap_or(self.bytes.len());
        Ok(())
    }

    /// What kind of message it is.
    pub fn class(&self) -> Class {
        self.class
    }

    /// What it is about.
    pub fn method(&self) -> Method {
        self.method
    }

    /// What links it to its request or answer.
    pub fn transaction(&self) -> TransactionId {
        self.transaction
    }

    /// The whole message as it was received.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The attributes that count, in order: those before any integrity attribute or FINGERPRINT.
    pub fn attributes(&self) -> impl Iterator<Item = RawAttribute<'a>> + use<'a> {
        Attributes::new(self.bytes, self.covered)
    }

    /// The first attribute of type `A`; `None` when there is none, an error when its value is malformed.
    pub fn get<A: Attribute<'a>>(&self) -> Result<Option<A>, BadAttribute> {
        self.all::<A>().next().transpose()
    }

    /// Every attribute of type `A`, in order.
    pub fn all<A: Attribute<'a>>(&self) -> impl Iterator<Item = Result<A, BadAttribute>> + use<'a, A> {
        let transaction = self.transaction;
        self.attributes()
            .filter(|attribute| attribute.kind == A::TYPE)
            .map(move |attribute| A::parse(attribute.value, &transaction).ok_or(BadAttribute(A::TYPE)))
    }

    /// Whether there is an attribute of type `A`, whatever its value.
    pub fn has<A: Attribute<'a>>(&self) -> bool {
        self.attributes().any(|attribute| attribute.kind == A::TYPE)
    }

    /// The comprehension-required attribute types that are neither STUN's own (RFC 8489) nor in `known`, in order.
    pub fn unknown<'k>(&self, known: &'k [u16]) -> impl Iterator<Item = u16> + use<'a, 'k> {
        self.attributes()
            .map(|attribute| attribute.kind)
            .filter(|kind| *kind < 0x8000 && !attribute::is_base(*kind) && !known.contains(kind))
    }

    /// Whether it carries MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256.
    pub fn has_integrity(&self) -> bool {
        self.integrity_sha1.is_some() || self.integrity_sha256.is_some()
    }

    /// Offset of MESSAGE-INTEGRITY-SHA256, which a receiver must prefer.
    pub(crate) fn integrity_sha256_offset(&self) -> Option<usize> {
        self.integrity_sha256
    }

    pub(crate) fn integrity_sha1_offset(&self) -> Option<usize> {
        self.integrity_sha1
    }

    pub(crate) fn value_at(&self, offset: usize) -> &'a [u8] {
        Attributes { bytes: self.bytes, position: offset, end: self.bytes.len() }
            .next()
            .map_or(&[], |attribute| attribute.value)
    }

    /// Whether it carries a FINGERPRINT.
    pub fn has_fingerprint(&self) -> bool {
        self.fingerprint.is_some()
    }

    /// Whether it carries a FINGERPRINT that is right (RFC 8489 §14.7).
    pub fn has_valid_fingerprint(&self) -> bool {
        self.fingerprint.is_some_and(|offset| {
            // It must be the last attribute, so the length field already counts it.
            offset + 8 == self.bytes.len()
                && self.value_at(offset) == crate::integrity::fingerprint(&self.bytes[..offset]).to_be_bytes()
        })
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("class", &self.class)
            .field("method", &self.method)
            .field("transaction", &self.transaction)
            .field("attributes", &self.attributes().map(|attribute| attribute.kind).collect::<Vec<_>>())
            .finish()
    }
}

struct Attributes<'a> {
    bytes: &'a [u8],
    position: usize,
    end: usize,
}

impl<'a> Attributes<'a> {
    fn new(bytes: &'a [u8], end: usize) -> Self {
        Self { bytes, position: HEADER_LEN, end }
    }

    fn next_checked(&mut self) -> Result<Option<RawAttribute<'a>>, ParseError> {
        if self.position >= self.end {
            return Ok(None);
        }
        let offset = self.position;
        let mut reader = Reader::new(&self.bytes[offset..self.end]);
        let mut read = || {
            let kind = reader.u16()?;
            let length = usize::from(reader.u16()?);
            let value = reader.bytes(length)?;
            // Padding up to the next multiple of four must be there; what it holds does not matter.
            reader.bytes(length.wrapping_neg() % 4)?;
            Ok((kind, value, 4 + length.next_multiple_of(4)))
        };
        let (kind, value, length) = read().map_err(|_: wire::Truncated| ParseError::AttributeTruncated)?;
        self.position += length;
        Ok(Some(RawAttribute { kind, value, offset }))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = RawAttribute<'a>;

    fn next(&mut self) -> Option<RawAttribute<'a>> {
        // Every length was checked when the message was parsed.
        self.next_checked().ok().flatten()
    }
}
