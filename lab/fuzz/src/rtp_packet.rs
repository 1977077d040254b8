//! Reading RTP packets and their extensions, and writing them again (RFC 3550 §5.1, RFC 8285): they say the same.

use rtp::extension::{
    AbsCaptureTime, AbsSendTime, AudioLevel, ColorSpace, Extension, ExtensionMap, Kind, Mid, PlayoutDelay,
    RepairedRtpStreamId, RtpStreamId, TransportSequenceNumber, VideoLayersAllocation, VideoOrientation,
    VideoTiming,
};
use rtp::{Header, HeaderMut, HeaderWriter, Packet, PayloadType, SequenceNumber, Ssrc, rtx};

pub(super) fn run(bytes: &[u8]) {
    let map = ids(0);
    let Ok(packet) = Packet::parse(bytes) else { return };
    let header = packet.header();
    assert_eq!(header.len() + packet.payload().len() + usize::from(packet.padding()), bytes.len());
    values(header, &map);
    copy(&packet, &map);
    retransmit(&packet, bytes);

    // What is changed where it lies, and nothing else.
    let mut changed = bytes.to_vec();
    let mut header_mut = HeaderMut::parse(&mut changed).expect("it was a header");
    header_mut.set_sequence_number(SequenceNumber(1));
    header_mut.set_ssrc(Ssrc(2));
    for kind in Kind::ALL {
        let before = map.id(*kind).and_then(|id| header.extensions().find(|(found, _)| *found == id));
        let value = header_mut.extension_mut(&map, *kind).map(|value| value.to_vec());
        assert_eq!(before.map(|(_, value)| value.to_vec()), value);
    }
    let again = Packet::parse(&changed).expect("it still is");
    assert_eq!((again.header().sequence_number(), again.header().ssrc()), (SequenceNumber(1), Ssrc(2)));
    assert_eq!(again.payload(), packet.payload());
}

/// Each kind with an id of its own, from `first` on.
fn ids(first: u8) -> ExtensionMap {
    let mut map = ExtensionMap::default();
    for (id, kind) in (first + 1..).zip(Kind::ALL) {
        map.insert(id, *kind).expect("ids differ");
    }
    map
}

/// Values write themselves as something that reads the same.
fn values(header: Header<'_>, map: &ExtensionMap) {
    fn value<'a, E: Extension<'a>>(header: Header<'a>, map: &ExtensionMap, same: impl Fn(&[u8], &E) -> bool) {
        if let Some(value) = header.read::<E>(map) {
            let mut written = Vec::new();
            value.write(&mut written);
            assert!(same(&written, &value), "{:?}", E::KIND);
        }
    }
    macro_rules! check {
        ($($kind:ident)*) => { $(
            value::<$kind>(header, map, |written, value| $kind::parse(written).as_ref() == Some(value));
        )* };
    }
    check!(AbsCaptureTime AbsSendTime AudioLevel ColorSpace PlayoutDelay TransportSequenceNumber);
    check!(VideoLayersAllocation VideoOrientation VideoTiming);
    value::<Mid<'_>>(header, map, |written, value| written == value.0);
    value::<RtpStreamId<'_>>(header, map, |written, value| written == value.0);
    value::<RepairedRtpStreamId<'_>>(header, map, |written, value| written == value.0);
}

/// As a forwarder does, to ids of another end that need two bytes.
fn copy(packet: &Packet<'_>, map: &ExtensionMap) {
    let (header, to) = (packet.header(), ids(100));
    let mut out = Vec::new();
    let mut writer = HeaderWriter::new(&mut out, &header.fields());
    writer.contributing_sources(header.contributing_sources());
    writer.copy_extensions(header, (map, &to), |_| true);
    let mut body = writer.finish();
    body.buffer().extend_from_slice(packet.payload());
    body.pad(packet.padding());
    let copy = Packet::parse(&out).expect("a packet was written");
    assert_eq!(copy.header().fields(), header.fields());
    assert!(copy.header().contributing_sources().eq(header.contributing_sources()));
    assert_eq!((copy.payload(), copy.padding()), (packet.payload(), packet.padding()));
    let known = header.extensions().filter_map(|(id, value)| Some((map.kind(id)?, value)));
    let copied = copy.header().extensions().filter_map(|(id, value)| Some((to.kind(id)?, value)));
    assert!(known.eq(copied));
}

/// RFC 4588: what is sent again comes out as it went in.
fn retransmit(packet: &Packet<'_>, bytes: &[u8]) {
    let fields = packet.header().fields();
    let payload_type = PayloadType::new(97).expect("below 128");
    let mut sent = Vec::new();
    rtx::wrap(packet, (Ssrc(9), payload_type, SequenceNumber(9)), &mut sent);
    let original = rtx::unwrap(&mut sent, (fields.ssrc, fields.payload_type)).expect("it was sent again");
    assert_eq!(original[1..], bytes[1..bytes.len() - usize::from(packet.padding())]);
}
