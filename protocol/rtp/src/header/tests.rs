use super::*;

const PLAIN: [u8; 14] = [0x80, 0xE0, 0x12, 0x34, 0, 0, 0, 9, 0xCA, 0xFE, 0xBA, 0xBE, 1, 2];

#[test]
fn fields_are_where_the_diagram_has_them() {
    let header = Header::parse(&PLAIN).unwrap();
    assert!(header.marker());
    assert!(!header.has_padding());
    assert_eq!(header.payload_type(), PayloadType::new(96).unwrap());
    assert_eq!(header.sequence_number(), SequenceNumber(0x1234));
    assert_eq!(header.timestamp(), Timestamp(9));
    assert_eq!(header.ssrc(), Ssrc(0xCAFE_BABE));
    assert_eq!(header.contributing_sources().len(), 0);
    assert_eq!(header.extension(), None);
    assert_eq!(header.len(), 12);
}

#[test]
fn sources_and_extension_lie_behind() {
    let mut packet = PLAIN[..12].to_vec();
    packet[0] = 0x92;
    packet.extend([0, 0, 0, 1, 0, 0, 0, 2, 0xBE, 0xDE, 0, 1, 0x10, 0xFF, 0, 0, 7]);
    let header = Header::parse(&packet).unwrap();
    assert_eq!(header.contributing_sources().collect::<Vec<_>>(), [Ssrc(1), Ssrc(2)]);
    let extension = RawExtension { profile: 0xBEDE, bytes: &[0x10, 0xFF, 0, 0] };
    assert_eq!(header.extension(), Some(extension));
    assert_eq!(header.len(), packet.len() - 1);
}

#[test]
fn every_cut_is_found() {
    let mut packet = PLAIN[..12].to_vec();
    packet[0] = 0x91;
    packet.extend([0, 0, 0, 1, 0xBE, 0xDE, 0, 1, 0x10, 0xFF, 0, 0]);
    for end in 0..packet.len() {
        assert_eq!(Header::parse(&packet[..end]).err(), Some(HeaderFault::Truncated), "{end} bytes");
    }
    packet[0] = 0x51;
    assert_eq!(Header::parse(&packet).err(), Some(HeaderFault::Version));
}
