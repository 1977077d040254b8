//! What stands in front of every encrypted frame: RFC 9605 §4.3.
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+------------+------------+
//! |X|  K  |Y|  C  |   KID...   |   CTR...   |
//! +-+-+-+-+-+-+-+-+------------+------------+
//! ```

use wire::{Reader, Truncated};

/// Bytes of the longest header.
pub const MAX_HEADER_LEN: usize = 1 + 2 * NUMBER_LEN;

const NUMBER_LEN: usize = 8;
/// The number itself is not in these three bits, but how many bytes it has, less one.
const EXTENDED: u8 = 8;

/// Which key a frame is encrypted with, and as its how-manieth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The key's number.
    pub kid: u64,
    /// The frame's number under that key.
    pub counter: u64,
}

/// A header's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoded {
    bytes: [u8; MAX_HEADER_LEN],
    len: usize,
}

impl AsRef<[u8]> for Encoded {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Header {
    /// Reads the header at the front of `frame`, and returns how many bytes it has, too. Numbers written longer than they
    /// need be are read all the same: they are authenticated as they came.
    pub fn parse(frame: &[u8]) -> Result<(Self, usize), Truncated> {
        let mut reader = Reader::new(frame);
        let config = reader.u8()?;
        let kid = number(&mut reader, config >> 4)?;
        let counter = number(&mut reader, config & 0x0F)?;
        Ok((Self { kid, counter }, frame.len() - reader.rest().len()))
    }

    pub(crate) fn encode(self) -> Encoded {
        let mut encoded = Encoded { bytes: [0; MAX_HEADER_LEN], len: 1 };
        let (kid, counter) = (encoded.put(self.kid), encoded.put(self.counter));
        encoded.bytes[0] = kid << 4 | counter;
        encoded
    }
}

/// The number that four bits of the first byte are, or announce.
fn number(reader: &mut Reader<'_>, bits: u8) -> Result<u64, Truncated> {
    if bits & EXTENDED == 0 {
        return Ok(bits.into());
    }
    let bytes = reader.bytes(usize::from(bits & !EXTENDED) + 1)?;
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

impl Encoded {
    /// Appends the number, unless it fits into four bits of the first byte, which are returned.
    fn put(&mut self, number: u64) -> u8 {
        if let Ok(small @ 0..EXTENDED) = u8::try_from(number) {
            return small;
        }
        let skipped = number.leading_zeros() as usize / 8;
        let bytes = &number.to_be_bytes()[skipped..];
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        EXTENDED | (bytes.len() - 1) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(kid: u64, counter: u64) -> Vec<u8> {
        let bytes = Header { kid, counter }.encode().as_ref().to_vec();
        assert_eq!(Header::parse(&bytes), Ok((Header { kid, counter }, bytes.len())));
        for len in 0..bytes.len() {
            assert_eq!(Header::parse(&bytes[..len]), Err(Truncated));
        }
        bytes
    }

    /// RFC 9605 appendix C.1 has these and their neighbours.
    #[test]
    fn numbers_take_as_many_bytes_as_they_need() {
        assert_eq!(encoded(0, 0), [0x00]);
        assert_eq!(encoded(7, 7), [0x77]);
        assert_eq!(encoded(0, 8), [0x08, 8]);
        assert_eq!(encoded(8, 0), [0x80, 8]);
        assert_eq!(encoded(0xFF, 0x100), [0x89, 0xFF, 1, 0]);
        assert_eq!(encoded(0x123, 0x4567), [0x99, 0x01, 0x23, 0x45, 0x67]);
        assert_eq!(encoded(u64::MAX, u64::MAX), [&[0xFF][..], &[0xFF; 16]].concat());
        assert_eq!(encoded(1 << 56, 1 << 55).len(), 1 + 8 + 7);
    }
}
