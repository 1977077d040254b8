//! UNKNOWN-ATTRIBUTES: which attributes made a server answer 420 (RFC 8489 §14.13).

use super::{Attribute, UNKNOWN_ATTRIBUTES};
use crate::header::TransactionId;

/// At most this many types are reported: a request cannot make its answer longer than that.
const LIMIT: usize = 8;

/// The types that the server did not understand, at most eight of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAttributes {
    kinds: [u16; LIMIT],
    count: usize,
}

impl UnknownAttributes {
    /// The types, in order.
    pub fn kinds(&self) -> &[u16] {
        &self.kinds[..self.count]
    }
}

impl FromIterator<u16> for UnknownAttributes {
    /// Keeps the first eight.
    fn from_iter<I: IntoIterator<Item = u16>>(kinds: I) -> Self {
        let mut unknown = Self { kinds: [0; LIMIT], count: 0 };
        for kind in kinds.into_iter().take(LIMIT) {
            unknown.kinds[unknown.count] = kind;
            unknown.count += 1;
        }
        unknown
    }
}

impl Attribute<'_> for UnknownAttributes {
    const TYPE: u16 = UNKNOWN_ATTRIBUTES;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        let pairs = value.chunks_exact(2);
        pairs
            .remainder()
            .is_empty()
            .then(|| pairs.map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        self.kinds().iter().for_each(|kind| value.extend_from_slice(&kind.to_be_bytes()));
    }
}
