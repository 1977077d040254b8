//! A whole RTP packet, as it came (RFC 3550 §5.1).

use crate::header::{Header, HeaderFault};

/// A packet in the clear: a checked view of its header and its payload.
///
/// ```
/// use twocan_rtp::Packet;
///
/// // Four bytes of padding, of which the last one says so.
/// let bytes = [0xA0, 96, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7, b'h', b'i', 0, 0, 0, 4];
/// let packet = Packet::parse(&bytes).unwrap();
/// assert_eq!(packet.payload(), b"hi");
/// assert_eq!(packet.padding(), 4);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    header: Header<'a>,
    payload: &'a [u8],
    padding: u8,
}

impl<'a> Packet<'a> {
    /// Reads `bytes`, which are one packet in the clear.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, HeaderFault> {
        let header = Header::parse(bytes)?;
        let body = bytes.get(header.len()..).unwrap_or_default();
        let (payload, padding) = match (header.has_padding(), body.last()) {
            (false, _) => (body, 0),
            (true, None | Some(0)) => return Err(HeaderFault::Padding),
            (true, Some(&padding)) => {
                let len = body.len().checked_sub(usize::from(padding)).ok_or(HeaderFault::Padding)?;
                (&body[..len], padding)
            }
        };
        Ok(Self { header, payload, padding })
    }

    /// All that comes before the payload.
    #[inline]
    pub fn header(&self) -> Header<'a> {
        self.header
    }

    /// What the codec made; empty in a packet of padding only.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Bytes of padding at the end.
    #[inline]
    pub fn padding(&self) -> u8 {
        self.padding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_beyond_the_payload_is_a_fault() {
        let mut bytes = vec![0xA0, 96, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7];
        assert_eq!(Packet::parse(&bytes).err(), Some(HeaderFault::Padding));
        bytes.extend([0, 0]);
        assert_eq!(Packet::parse(&bytes).err(), Some(HeaderFault::Padding));
        bytes[13] = 3;
        assert_eq!(Packet::parse(&bytes).err(), Some(HeaderFault::Padding));
        bytes[13] = 2;
        assert_eq!(Packet::parse(&bytes).map(|packet| packet.payload().len()), Ok(0));
    }
}
