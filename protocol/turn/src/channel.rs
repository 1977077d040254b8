//! ChannelData: application data with four bytes of overhead (RFC 8656 §12.4).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Channel Number        |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! /                       Application Data                        /
//! ```

use std::fmt;

/// Length of the header, in bytes.
pub const HEADER_LEN: usize = 4;

/// A channel's number, 0x4000 to 0x4FFF (RFC 8656 §12).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber(u16);

impl ChannelNumber {
    /// The lowest number.
    pub const FIRST: Self = Self(0x4000);
    /// The highest number.
    pub const LAST: Self = Self(0x4FFF);

    /// The channel of a number, if it is one that RFC 8656 allows.
    pub const fn new(number: u16) -> Option<Self> {
        if number >= Self::FIRST.0 && number <= Self::LAST.0 { Some(Self(number)) } else { None }
    }

    /// Its number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for ChannelNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// Channel and data of a ChannelData message; `None` when it is malformed or shorter than it claims.
///
/// What follows the claimed length is padding and ignored.
pub fn parse(message: &[u8]) -> Option<(ChannelNumber, &[u8])> {
    let (header, rest) = message.split_first_chunk::<HEADER_LEN>()?;
    let channel = ChannelNumber::new(u16::from_be_bytes([header[0], header[1]]))?;
    Some((channel, rest.get(..usize::from(u16::from_be_bytes([header[2], header[3]])))?))
}

/// The header in front of `length` bytes of data.
pub fn header(channel: ChannelNumber, length: u16) -> [u8; HEADER_LEN] {
    let ([a, b], [c, d]) = (channel.0.to_be_bytes(), length.to_be_bytes());
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_ends_where_the_length_says() {
        let channel = ChannelNumber::new(0x4001).unwrap();
        let message = [&header(channel, 3)[..], b"abc", &[0]].concat();
        assert_eq!(parse(&message), Some((channel, &b"abc"[..])));
        assert_eq!(parse(&message[..6]), None);
        assert_eq!(parse(&[0x50, 0, 0, 0]), None);
        assert_eq!(parse(&[0x4F, 0xFF, 0, 0]), Some((ChannelNumber::LAST, &[][..])));
    }
}
