//! Changing a header where it lies (RFC 3550 §5.1): what a forwarder, or a sender at the last moment, sets in it.

use super::{FIXED_LEN, Header, HeaderFault};
use crate::extension::{ExtensionMap, Kind};
use crate::number::{PayloadType, SequenceNumber, Ssrc, Timestamp};

/// The header at the front of a packet, to change. Nothing in it grows or shrinks.
#[derive(Debug)]
pub struct HeaderMut<'a> {
    /// All of the header, and no more.
    bytes: &'a mut [u8],
}

impl<'a> HeaderMut<'a> {
    /// Checks the header at the front of `packet`.
    #[inline]
    pub fn parse(packet: &'a mut [u8]) -> Result<Self, HeaderFault> {
        let len = Header::parse(packet)?.len();
        Ok(Self { bytes: &mut packet[..len] })
    }

    #[inline]
    fn set<const N: usize>(&mut self, at: usize, value: [u8; N]) {
        // `parse` has seen all the fixed fields.
        debug_assert!(at + N <= FIXED_LEN);
        if let Some(field) = self.bytes.get_mut(at..at + N) {
            field.copy_from_slice(&value);
        }
    }

    /// Sets or clears the marker.
    #[inline]
    pub fn set_marker(&mut self, marker: bool) {
        self.set(1, [self.bytes[1] & 0x7F | u8::from(marker) << 7]);
    }

    /// Sets what it holds.
    #[inline]
    pub fn set_payload_type(&mut self, payload_type: PayloadType) {
        self.set(1, [self.bytes[1] & 0x80 | payload_type.number()]);
    }

    /// Sets its place in the stream.
    #[inline]
    pub fn set_sequence_number(&mut self, number: SequenceNumber) {
        self.set(2, number.0.to_be_bytes());
    }

    /// Sets when its first sample was taken.
    #[inline]
    pub fn set_timestamp(&mut self, timestamp: Timestamp) {
        self.set(4, timestamp.0.to_be_bytes());
    }

    /// Sets whose stream it is of.
    #[inline]
    pub fn set_ssrc(&mut self, ssrc: Ssrc) {
        self.set(8, ssrc.0.to_be_bytes());
    }

    /// An extension's value, to change within its length.
    #[inline]
    pub fn extension_mut(&mut self, map: &ExtensionMap, kind: Kind) -> Option<&mut [u8]> {
        let id = map.id(kind)?;
        let header = Header::parse(self.bytes).ok()?;
        let mut elements = header.extensions();
        let (_, value) = elements.find(|(found, _)| *found == id)?;
        // Elements are the header's last part: what is behind the value says where it ends.
        let end = header.len() - elements.rest().len();
        self.bytes.get_mut(end - value.len()..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::{AbsSendTime, Mid, TransportSequenceNumber};
    use crate::{Fields, HeaderWriter, Packet};

    #[test]
    fn fields_change_where_they_lie() {
        let mut map = ExtensionMap::default();
        map.insert(3, Kind::AbsSendTime).unwrap();
        map.insert(4, Kind::Mid).unwrap();
        map.insert(5, Kind::TransportSequenceNumber).unwrap();
        let fields = Fields {
            marker: true,
            payload_type: PayloadType::new(96).unwrap(),
            sequence_number: SequenceNumber(1),
            timestamp: Timestamp(2),
            ssrc: Ssrc(3),
        };
        let mut bytes = Vec::new();
        let mut writer = HeaderWriter::new(&mut bytes, &fields);
        writer.contributing_sources([Ssrc(9)]);
        writer.extension(&map, &Mid(b"video"));
        writer.extension(&map, &AbsSendTime(1));
        writer.finish().buffer().extend(b"payload");

        let mut header = HeaderMut::parse(&mut bytes).unwrap();
        header.set_marker(false);
        header.set_payload_type(PayloadType::new(127).unwrap());
        header.set_sequence_number(SequenceNumber(0xFFFE));
        header.set_timestamp(Timestamp(0xFFFF_FFFD));
        header.set_ssrc(Ssrc(0xFFFF_FFFC));
        let value = header.extension_mut(&map, Kind::AbsSendTime).unwrap();
        value.copy_from_slice(&[0xAB, 0xCD, 0xEF]);
        assert!(header.extension_mut(&map, Kind::TransportSequenceNumber).is_none());

        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(
            packet.header().fields(),
            Fields {
                marker: false,
                payload_type: PayloadType::new(127).unwrap(),
                sequence_number: SequenceNumber(0xFFFE),
                timestamp: Timestamp(0xFFFF_FFFD),
                ssrc: Ssrc(0xFFFF_FFFC),
            }
        );
        assert_eq!(packet.header().read(&map), Some(AbsSendTime(0xAB_CDEF)));
        assert_eq!(packet.header().read(&map), Some(Mid(b"video")));
        assert_eq!(packet.header().read::<TransportSequenceNumber>(&map), None);
        assert_eq!(packet.payload(), b"payload");
    }
}
