//! Retransmission: a packet sent again in a stream of its own (RFC 4588 §4).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          header: SSRC, number and type of its own             :
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            OSN                |   the original payload        :
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::header::{HeaderFault, HeaderMut};
use crate::number::{PayloadType, SequenceNumber, Ssrc};
use crate::packet::Packet;

/// Bytes of the original sequence number.
pub const OSN_LEN: usize = 2;

wire::faults! {
    /// Why a packet is no retransmission.
    pub enum RtxFault {
        /// It is no RTP packet.
        Header => "rtx_header",
        /// There is nothing in it: a sender asks with such packets how much fits the path.
        Empty => "rtx_empty",
    }
}

impl From<HeaderFault> for RtxFault {
    fn from(_: HeaderFault) -> Self {
        Self::Header
    }
}

/// Appends a retransmission of a packet: its header with extensions and sources, but for the numbers of the stream for
/// retransmissions, and its payload without padding. Where extensions are to differ, write a header with
/// [`crate::HeaderWriter`], the original number's two bytes, and the payload.
pub fn wrap(
    original: &Packet<'_>,
    (ssrc, payload_type, number): (Ssrc, PayloadType, SequenceNumber),
    out: &mut Vec<u8>,
) {
    let header = original.header();
    let start = out.len();
    out.extend_from_slice(header.as_bytes());
    // Padding, which this bit announces, is not sent again.
    out[start] &= !0x20;
    if let Ok(mut header) = HeaderMut::parse(&mut out[start..]) {
        header.set_ssrc(ssrc);
        header.set_payload_type(payload_type);
        header.set_sequence_number(number);
    }
    out.extend_from_slice(&header.sequence_number().0.to_be_bytes());
    out.extend_from_slice(original.payload());
}

/// Makes a retransmission, where it lies, the original that it was: its header moves over the original number. `ssrc` and
/// `payload_type` are those of the original stream.
pub fn unwrap(packet: &mut [u8], (ssrc, payload_type): (Ssrc, PayloadType)) -> Result<&mut [u8], RtxFault> {
    let parsed = Packet::parse(packet)?;
    let header_len = parsed.header().len();
    let number = original_number(&parsed).ok_or(RtxFault::Empty)?;
    packet.copy_within(..header_len, OSN_LEN);
    let packet = &mut packet[OSN_LEN..];
    let mut header = HeaderMut::parse(packet)?;
    header.set_ssrc(ssrc);
    header.set_payload_type(payload_type);
    header.set_sequence_number(number);
    Ok(packet)
}

/// The number of the packet that is sent again; none where the packet is too short to be one.
pub fn original_number(packet: &Packet<'_>) -> Option<SequenceNumber> {
    let (number, _) = packet.payload().split_first_chunk::<OSN_LEN>()?;
    Some(SequenceNumber(u16::from_be_bytes(*number)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::{ExtensionMap, Kind, Mid};
    use crate::header::{Fields, HeaderWriter};
    use crate::number::Timestamp;

    #[test]
    fn a_packet_comes_out_as_it_went_in() {
        let mut map = ExtensionMap::default();
        map.insert(1, Kind::Mid).unwrap();
        let payload_type = PayloadType::new(96).unwrap();
        let fields = Fields {
            marker: true,
            payload_type,
            sequence_number: SequenceNumber(0xABCD),
            timestamp: Timestamp(5),
            ssrc: Ssrc(6),
        };
        let mut original = Vec::new();
        let mut writer = HeaderWriter::new(&mut original, &fields);
        writer.contributing_sources([Ssrc(7)]);
        writer.extension(&map, &Mid(b"0"));
        let mut body = writer.finish();
        body.buffer().extend(b"payload");
        let unpadded = body.buffer().clone();
        body.pad(3);

        let rtx_type = PayloadType::new(97).unwrap();
        let mut sent = vec![1];
        wrap(&Packet::parse(&original).unwrap(), (Ssrc(8), rtx_type, SequenceNumber(9)), &mut sent);
        let packet = Packet::parse(&sent[1..]).unwrap();
        let expected =
            Fields { payload_type: rtx_type, sequence_number: SequenceNumber(9), ssrc: Ssrc(8), ..fields };
        assert_eq!(packet.header().fields(), expected);
        assert_eq!(packet.payload(), b"\xAB\xCDpayload");
        assert_eq!(unwrap(&mut sent[1..], (Ssrc(6), payload_type)).unwrap(), unpadded);
    }

    #[test]
    fn a_probe_is_none() {
        let mut probe = vec![0xA0, 97, 0, 1, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 3];
        assert_eq!(unwrap(&mut probe, (Ssrc(6), PayloadType::new(96).unwrap())), Err(RtxFault::Empty));
        assert_eq!(unwrap(&mut [0; 12], (Ssrc(6), PayloadType::new(96).unwrap())), Err(RtxFault::Header));
    }
}
