//! Handshake messages in pieces: RFC 9147 §5.2, §5.5; the same in DTLS 1.2 (RFC 6347 §4.2.2).
//!
//! ```text
//!  type (1) | length (3) | message sequence (2) | fragment offset (3) | fragment length (3)
//! ```

use wire::Reader;

use crate::codec::{self, Malformed};

/// Of the header, in bytes.
pub(crate) const HEADER_LEN: usize = 12;

/// A piece of a handshake message, which may be all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment<'a> {
    pub(crate) code: u8,
    /// Of the whole message's body, in bytes.
    pub(crate) length: usize,
    pub(crate) sequence: u16,
    pub(crate) offset: usize,
    pub(crate) body: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// The next fragment of a record.
    pub(crate) fn parse(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let code = reader.u8()?;
        let length = codec::uint24(reader)?;
        let sequence = reader.u16()?;
        let offset = codec::uint24(reader)?;
        let body = codec::vector24(reader)?;
        // A message without a body has one empty fragment; no other fragment is empty.
        let is_within = offset + body.len() <= length;
        if !is_within || body.is_empty() && length > 0 {
            return Err(Malformed);
        }
        Ok(Self { code, length, sequence, offset, body })
    }
}

/// The header of `fragment_len` bytes at `offset` of a message.
pub(crate) fn header(
    code: u8,
    length: usize,
    sequence: u16,
    offset: usize,
    fragment_len: usize,
) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[0] = code;
    header[1..4].copy_from_slice(&codec::uint24_bytes(length));
    header[4..6].copy_from_slice(&sequence.to_be_bytes());
    header[6..9].copy_from_slice(&codec::uint24_bytes(offset));
    header[9..].copy_from_slice(&codec::uint24_bytes(fragment_len));
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_come_back() {
        let mut bytes = header(11, 300, 2, 298, 2).to_vec();
        bytes.extend([5, 6]);
        bytes.extend(header(14, 0, 3, 0, 0));
        let mut reader = Reader::new(&bytes);
        let fragment = Fragment { code: 11, length: 300, sequence: 2, offset: 298, body: &[5, 6] };
        assert_eq!(Fragment::parse(&mut reader), Ok(fragment));
        let empty = Fragment { code: 14, length: 0, sequence: 3, offset: 0, body: &[] };
        assert_eq!(Fragment::parse(&mut reader), Ok(empty));
        assert!(reader.is_empty());
    }

    #[test]
    fn fragments_lie_within_their_message() {
        for (length, offset, fragment_len) in [(2, 1, 2), (2, 0, 0), (0, 1, 0), (0, 0, 1)] {
            let mut bytes = header(11, length, 0, offset, fragment_len).to_vec();
            bytes.extend(vec![0; fragment_len]);
            assert_eq!(Fragment::parse(&mut Reader::new(&bytes)), Err(Malformed));
        }
    }
}
