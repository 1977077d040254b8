//! The record header of DTLS 1.2, which DTLS 1.3 has on records in the clear: RFC 6347 §4.1, RFC 9147 §4.
//!
//! ```text
//!  type (1) | version (2) | epoch (2) | sequence number (6) | length (2)
//! ```

use wire::Reader;

use super::MAX_SEQUENCE;
use super::content_type::ContentType;
use crate::codec::Malformed;

/// In bytes.
pub(crate) const HEADER_LEN: usize = 13;

/// DTLS 1.2 on the wire.
pub(crate) const VERSION_12: u16 = 0xfefd;
/// The major version of every DTLS there is.
const MAJOR: u8 = 0xfe;

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) content_type: ContentType,
    pub(crate) epoch: u16,
    /// 48 bits.
    pub(crate) sequence: u64,
    pub(crate) length: u16,
}

impl Header {
    /// The header at the front of `bytes`; its body must be there, too.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let content_type = ContentType::from_code(reader.u8()?).ok_or(Malformed)?;
        // A first ClientHello may say DTLS 1.0; in DTLS 1.3 the version means nothing (RFC 9147 §4).
        if reader.u16()?.to_be_bytes()[0] != MAJOR {
            return Err(Malformed);
        }
        let number = reader.u64()?;
        let length = reader.u16()?;
        reader.bytes(length.into())?;
        let [high, low, ..] = number.to_be_bytes();
        Ok(Self {
            content_type,
            epoch: u16::from_be_bytes([high, low]),
            sequence: number & MAX_SEQUENCE,
            length,
        })
    }

    pub(crate) fn bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = self.content_type.code();
        bytes[1..3].copy_from_slice(&VERSION_12.to_be_bytes());
        bytes[3..11].copy_from_slice(&self.number().to_be_bytes());
        bytes[11..].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    /// Epoch and sequence number as the 64 bits that DTLS 1.2's AEADs take.
    pub(crate) fn number(&self) -> u64 {
        u64::from(self.epoch) << 48 | self.sequence & MAX_SEQUENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back() {
        let header =
            Header { content_type: ContentType::Handshake, epoch: 1, sequence: 0x0102_0304_0506, length: 2 };
        let mut bytes = header.bytes().to_vec();
        assert_eq!(bytes, [22, 0xfe, 0xfd, 0, 1, 1, 2, 3, 4, 5, 6, 0, 2]);
        assert_eq!(Header::parse(&bytes), Err(Malformed));
        bytes.extend([7, 7, 7]);
        assert_eq!(Header::parse(&bytes), Ok(header));
        bytes[1] = 3;
        assert_eq!(Header::parse(&bytes), Err(Malformed));
    }
}
