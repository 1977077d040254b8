use proptest::prelude::*;

use super::*;
use crate::extension::{AbsSendTime, AudioLevel, Mid, RtpStreamId, TransportSequenceNumber};
use crate::number::{PayloadType, SequenceNumber, Timestamp};
use crate::packet::Packet;

const FIELDS: Fields = Fields {
    marker: true,
    payload_type: PayloadType::new(96).unwrap(),
    sequence_number: SequenceNumber(0x0102),
    timestamp: Timestamp(0x0304_0506),
    ssrc: Ssrc(0x0708_090A),
};
const FIXED: [u8; 12] = [0x90, 0xE0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

fn map(ids: &[(u8, Kind)]) -> ExtensionMap {
    let mut map = ExtensionMap::default();
    ids.iter().for_each(|(id, kind)| map.insert(*id, *kind).unwrap());
    map
}

#[test]
fn short_values_take_the_one_byte_form() {
    let map = map(&[(1, Kind::AudioLevel), (14, Kind::Mid)]);
    let mut out = vec![9; 3];
    let mut writer = HeaderWriter::new(&mut out, &FIELDS);
    assert!(writer.extension(&map, &AudioLevel { level: 1, voice: false }));
    assert!(writer.extension(&map, &Mid(b"abcd")));
    assert!(!writer.extension(&map, &AbsSendTime(1)), "it has no id");
    writer.finish().pad(2);
    let mut expected = vec![9; 3];
    expected.extend(FIXED);
    expected[3] |= 0x20;
    expected.extend([0xBE, 0xDE, 0, 2, 0x10, 1, 0xE3, b'a', b'b', b'c', b'd', 0, 0, 2]);
    assert_eq!(out, expected);
}

#[test]
fn one_long_value_has_all_take_the_two_byte_form() {
    let mut map = map(&[(1, Kind::AudioLevel), (2, Kind::Mid), (3, Kind::RtpStreamId)]);
    let write = |map: &ExtensionMap| {
        let mut out = Vec::new();
        let mut writer = HeaderWriter::new(&mut out, &FIELDS);
        writer.contributing_sources([Ssrc(1)]);
        let added = [
            writer.extension(map, &AudioLevel { level: 1, voice: false }),
            writer.extension(map, &Mid(b"a")),
            writer.extension(map, &RtpStreamId(b"seventeen-letters")),
        ];
        writer.finish();
        (out, added)
    };
    let (out, added) = write(&map);
    let mut expected = FIXED.to_vec();
    expected[0] |= 1;
    expected.extend([0, 0, 0, 1, 0x10, 0, 0, 7, 1, 1, 1, 2, 1, b'a', 3, 17]);
    expected.extend(b"seventeen-letters\0\0\0");
    assert_eq!((out, added), (expected, [true; 3]));

    map.set_mixed(false);
    let (out, added) = write(&map);
    assert_eq!(added, [true, true, false]);
    assert_eq!(out[16..], [0xBE, 0xDE, 0, 1, 0x10, 1, 0x20, b'a']);
}

#[test]
fn a_value_that_fits_nowhere_leaves_nothing_behind() {
    let map = map(&[(1, Kind::VideoTiming)]);
    let mut out = Vec::new();
    let mut writer = HeaderWriter::new(&mut out, &FIELDS);
    assert!(!writer.raw_extension(&map, Kind::VideoTiming, &[0; 256]));
    writer.finish();
    assert_eq!(out[0], 0x80);
    assert_eq!(out.len(), FIXED_LEN);
}

#[test]
fn no_more_sources_than_the_count_can_say() {
    let mut out = Vec::new();
    let mut writer = HeaderWriter::new(&mut out, &FIELDS);
    writer.contributing_sources((0..40).map(Ssrc));
    writer.finish();
    let header = Header::parse(&out).unwrap();
    assert_eq!(header.contributing_sources().len(), MAX_SOURCES);
}

/// What a forwarder does: other numbers, other ids, one extension fewer, one of its own.
#[test]
fn a_header_goes_on_to_another_leg() {
    let from = map(&[(1, Kind::AudioLevel), (2, Kind::Mid), (3, Kind::AbsSendTime)]);
    let to = map(&[(7, Kind::Mid), (20, Kind::AudioLevel), (9, Kind::TransportSequenceNumber)]);
    let mut received = Vec::new();
    let mut writer = HeaderWriter::new(&mut received, &FIELDS);
    writer.contributing_sources([Ssrc(5), Ssrc(6)]);
    writer.extension(&from, &AudioLevel { level: 9, voice: true });
    writer.extension(&from, &AbsSendTime(9));
    writer.extension(&from, &Mid(b"theirs"));
    writer.finish().buffer().push(0xFF);

    let packet = Packet::parse(&received).unwrap();
    let header = packet.header();
    let mut sent = Vec::with_capacity(100);
    let capacity = sent.capacity();
    let fields = Fields { sequence_number: SequenceNumber(77), ssrc: Ssrc(99), ..header.fields() };
    let mut writer = HeaderWriter::new(&mut sent, &fields);
    writer.contributing_sources(header.contributing_sources());
    writer.extension(&to, &Mid(b"ours"));
    writer.copy_extensions(header, (&from, &to), |kind| kind != Kind::Mid);
    writer.extension(&to, &TransportSequenceNumber { number: SequenceNumber(1), request: None });
    writer.finish().buffer().extend_from_slice(packet.payload());
    assert_eq!(sent.capacity(), capacity, "nothing is taken from the heap");

    let packet = Packet::parse(&sent).unwrap();
    assert_eq!(packet.header().fields(), fields);
    assert_eq!(packet.header().contributing_sources().collect::<Vec<_>>(), [Ssrc(5), Ssrc(6)]);
    let ids: Vec<_> = packet.header().extensions().map(|(id, value)| (id, value.to_vec())).collect();
    assert_eq!(ids, [(7, b"ours".to_vec()), (20, vec![0x89]), (9, vec![0, 1])]);
    assert_eq!(packet.payload(), [0xFF]);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        values in proptest::collection::vec((1_u8..40, proptest::collection::vec(any::<u8>(), 0..40)), 0..17),
        sources in proptest::collection::vec(any::<u32>().prop_map(Ssrc), 0..15),
        padding in any::<u8>(),
        payload in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        // Each value has a kind of its own; ids that are taken are left out.
        let mut map = ExtensionMap::default();
        let mut expected = Vec::new();
        let mut out = Vec::new();
        let mut writer = HeaderWriter::new(&mut out, &FIELDS);
        writer.contributing_sources(sources.iter().copied());
        for ((id, value), kind) in values.iter().zip(Kind::ALL) {
            if map.insert(*id, *kind).is_ok() {
                prop_assert!(writer.raw_extension(&map, *kind, value));
                expected.push((*id, &value[..]));
            }
        }
        let mut body = writer.finish();
        body.buffer().extend_from_slice(&payload);
        body.pad(padding);
        let packet = Packet::parse(&out).unwrap();
        prop_assert_eq!(packet.header().fields(), FIELDS);
        prop_assert_eq!(packet.header().contributing_sources().collect::<Vec<_>>(), sources);
        prop_assert_eq!(packet.header().extensions().collect::<Vec<_>>(), &expected[..]);
        prop_assert_eq!((packet.payload(), packet.padding()), (&payload[..], padding));
        let small = |(id, value): &(u8, &[u8])| *id <= 14 && (1..=16).contains(&value.len());
        if let Some(extension) = packet.header().extension() {
            prop_assert_eq!(extension.profile == ONE_BYTE, expected.iter().all(small));
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 12..200), profile in 0_usize..3) {
        let mut bytes = bytes;
        bytes[0] = 0x90;
        if bytes.len() > 16 {
            bytes[12..14].copy_from_slice([&[0xBE, 0xDE], &[0x10, 0x05], &[0, 0]][profile]);
            bytes[14] = 0;
        }
        if let Ok(header) = Header::parse(&bytes) {
            let total: usize = header.extensions().map(|(_, value)| value.len() + 1).sum();
            prop_assert!(total <= header.len());
        }
    }
}
