use proptest::prelude::*;

use super::*;
use crate::extension::{AbsSendTime, ExtensionMap, Kind, VideoTiming};
use crate::header::{Fields, Header, HeaderWriter};
use crate::number::{PayloadType, Timestamp};

const MEDIA: Ssrc = Ssrc(0xAABB_CCDD);

fn map() -> ExtensionMap {
    let mut map = ExtensionMap::default();
    map.insert(3, Kind::AbsSendTime).unwrap();
    map.insert(5, Kind::VideoTiming).unwrap();
    map
}

fn packet(number: u16, payload: &[u8], send_time: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let fields = Fields {
        marker: number.is_multiple_of(3),
        payload_type: PayloadType::new(96 + (number % 4) as u8).unwrap(),
        sequence_number: SequenceNumber(number),
        timestamp: Timestamp(u32::from(number) * 3000),
        ssrc: MEDIA,
    };
    let mut writer = HeaderWriter::new(&mut out, &fields);
    if number.is_multiple_of(2) {
        writer.contributing_sources([Ssrc(1)]);
        writer.extension(&map(), &AbsSendTime(send_time));
    }
    let mut body = writer.finish();
    body.buffer().extend_from_slice(payload);
    body.pad((number % 5) as u8);
    out
}

/// The exclusive or of packets, by a mask of those behind `base`.
fn repair(format: Format, base: u16, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut head = [0_u8; 12];
    let mut rest = vec![0; packets.iter().map(|packet| packet.len() - 12).max().unwrap()];
    let mut mask = 0_u128;
    for packet in packets {
        let number = u16::from_be_bytes([packet[2], packet[3]]);
        mask |= 1 << number.wrapping_sub(base);
        head.iter_mut().zip(packet).for_each(|(byte, other)| *byte ^= other);
        let len = ((packet.len() - 12) as u16).to_be_bytes();
        // Where the source would be.
        head[8..10].iter_mut().zip(len).for_each(|(byte, other)| *byte ^= other);
        head[8] ^= packet[8];
        head[9] ^= packet[9];
        rest.iter_mut().zip(&packet[12..]).for_each(|(byte, other)| *byte ^= other);
    }
    head[0] &= 0x3F;
    let part = |from: u32, count: u32| (mask >> from) as u64 & ((1 << count) - 1);
    let turned = |from, count: u32| part(from, count).reverse_bits() >> (64 - count);
    let mut out = Vec::new();
    match format {
        Format::Ulpfec => {
            let long = mask >> 16 != 0;
            out.extend([head[0] | u8::from(long) << 6, head[1]]);
            out.extend(base.to_be_bytes());
            out.extend(&head[4..10]);
            out.extend((rest.len() as u16).to_be_bytes());
            out.extend((turned(0, 16) as u16).to_be_bytes());
            if long {
                out.extend((turned(16, 32) as u32).to_be_bytes());
            }
        }
        Format::Flexfec03 => {
            out.extend([head[0], head[1], head[8], head[9]]);
            out.extend(&head[4..8]);
            out.extend([1, 0, 0, 0]);
            out.extend(MEDIA.0.to_be_bytes());
            out.extend(base.to_be_bytes());
            let (second, third) = (mask >> 15 != 0, mask >> 46 != 0);
            out.extend((turned(0, 15) as u16 | u16::from(!second) << 15).to_be_bytes());
            if second {
                out.extend((turned(15, 31) as u32 | u32::from(!third) << 31).to_be_bytes());
            }
            if third {
                out.extend((turned(46, 63) | 1 << 63).to_be_bytes());
            }
        }
    }
    out.extend(rest);
    out
}

fn recovered(recovery: &mut Recovery) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| recovery.poll_recovered().map(<[u8]>::to_vec)).collect()
}

/// The example of RFC 5109 §10.1: four packets, of which the marker bits, lengths and times are as there.
#[test]
fn the_standards_example_has_its_header() {
    let example = [(8, true, 200, 3), (9, false, 140, 5), (10, true, 100, 7), (11, false, 340, 9)];
    let packets: Vec<_> = example
        .iter()
        .map(|&(number, marker, len, timestamp)| {
            let mut out = vec![0x80, u8::from(marker) << 7 | if number % 2 == 1 { 18 } else { 11 }];
            out.extend(u16::to_be_bytes(number));
            out.extend(u32::to_be_bytes(timestamp));
            out.extend(MEDIA.0.to_be_bytes());
            out.extend(vec![number as u8; len]);
            out
        })
        .collect();
    let payload = repair(Format::Ulpfec, 8, &packets);
    // Figures 8 and 9.
    assert_eq!(payload[..14], [0, 0, 0, 8, 0, 0, 0, 8, 0x01, 0x74, 0x01, 0x54, 0xF0, 0x00]);
    for lost in 0..4 {
        let mut recovery = Recovery::new(Format::Ulpfec, MEDIA);
        recovery.receive_repair(&payload).unwrap();
        for (index, packet) in packets.iter().enumerate().filter(|(index, _)| *index != lost) {
            assert!(recovery.poll_recovered().is_none(), "before {index}");
            recovery.receive_media(packet, &map());
        }
        assert_eq!(recovered(&mut recovery), [packets[lost].clone()]);
    }
}

#[test]
fn one_recovered_packet_lets_another_be() {
    let packets: Vec<_> = (0..4).map(|number| packet(number, &[number as u8; 50], 0)).collect();
    let pick = |numbers: &[usize]| numbers.iter().map(|number| packets[*number].clone()).collect::<Vec<_>>();
    let mut recovery = Recovery::new(Format::Flexfec03, MEDIA);
    recovery.receive_media(&packets[0], &map());
    recovery.receive_repair(&repair(Format::Flexfec03, 0, &pick(&[1, 2, 3]))).unwrap();
    recovery.receive_repair(&repair(Format::Flexfec03, 0, &pick(&[2, 3]))).unwrap();
    assert_eq!(recovered(&mut recovery).len(), 0);
    recovery.receive_repair(&repair(Format::Flexfec03, 0, &pick(&[0, 2]))).unwrap();
    assert_eq!(recovered(&mut recovery), pick(&[2, 3, 1]));
    // What came twice is not recovered, and a repair packet that nobody needs is not kept.
    recovery.receive_media(&packets[1], &map());
    recovery.receive_repair(&repair(Format::Flexfec03, 0, &pick(&[0, 1]))).unwrap();
    assert_eq!(recovered(&mut recovery).len(), 0);
}

#[test]
fn an_old_repair_packet_makes_nothing_of_new_packets() {
    let packets: Vec<_> = (0..3).map(|number| packet(number, b"payload", 0)).collect();
    let mut recovery = Recovery::new(Format::Flexfec03, MEDIA);
    recovery.receive_repair(&repair(Format::Flexfec03, 0, &packets)).unwrap();
    // The numbers come round, two of the three with another content.
    for number in (3..=u16::MAX).step_by(50) {
        recovery.receive_media(&packet(number, b"other", 0), &map());
    }
    recovery.receive_media(&packet(0, b"other", 0), &map());
    recovery.receive_media(&packet(1, b"other", 0), &map());
    assert_eq!(recovered(&mut recovery).len(), 0);
    // A packet that comes late takes no newer one's place.
    recovery.receive_media(&packet(u16::MAX - 126, b"late", 0), &map());
    assert!(recovery.held(SequenceNumber(1)).is_some());
}

#[test]
fn extensions_set_on_the_way_count_as_zeros() {
    let made: Vec<_> = [10, 12, 14].map(|number| packet(number, b"payload", 0)).to_vec();
    let payload = repair(Format::Flexfec03, 10, &made);
    let mut recovery = Recovery::new(Format::Flexfec03, MEDIA);
    recovery.receive_media(&packet(10, b"payload", 0x12_3456), &map());
    recovery.receive_media(&packet(14, b"payload", 0x65_4321), &map());
    recovery.receive_repair(&payload).unwrap();
    assert_eq!(recovered(&mut recovery), [made[1].clone()]);

    let mut out = Vec::new();
    let fields = Header::parse(&made[0]).unwrap().fields();
    let mut writer = HeaderWriter::new(&mut out, &fields);
    let timing = VideoTiming { encode_start: 5, paced: 6, network: [7, 8], ..VideoTiming::default() };
    writer.extension(&map(), &timing);
    writer.finish();
    let mut recovery = Recovery::new(Format::Flexfec03, MEDIA);
    recovery.receive_media(&out, &map());
    let kept = VideoTiming { encode_start: 5, ..VideoTiming::default() };
    assert_eq!(Header::parse(recovery.held(SequenceNumber(10)).unwrap()).unwrap().read(&map()), Some(kept));
}

#[test]
fn what_repairs_nothing_is_a_fault() {
    let packets: Vec<_> = (0..2).map(|number| packet(number, b"payload", 0)).collect();
    let mut recovery = Recovery::new(Format::Flexfec03, MEDIA);
    let good = repair(Format::Flexfec03, 0, &packets);
    let mut with = |at: usize, value: u8| {
        let mut payload = good.clone();
        payload[at] = value;
        recovery.receive_repair(&payload)
    };
    assert_eq!(with(0, 0x80), Err(FecFault::Unsupported));
    assert_eq!(with(0, 0x40), Err(FecFault::Unsupported));
    assert_eq!(with(8, 2), Err(FecFault::Unsupported));
    assert_eq!(with(15, 0), Err(FecFault::OtherStream));
    assert_eq!(with(18, 0x80), Err(FecFault::Mask));
    for end in 0..20 {
        assert_eq!(recovery.receive_repair(&good[..end]), Err(FecFault::Truncated), "{end}");
    }
    // A length beyond what is protected: no packet comes of it.
    let mut payload = good;
    payload[2] ^= 0xFF;
    recovery.receive_repair(&payload).unwrap();
    recovery.receive_media(&packets[0], &map());
    assert_eq!(recovered(&mut recovery).len(), 0);
    assert_eq!(Recovery::new(Format::Ulpfec, MEDIA).receive_repair(&[0x80; 40]), Err(FecFault::Unsupported));
}

proptest! {
    #[test]
    fn any_one_of_a_group_is_recovered(
        format in proptest::sample::select(&[Format::Ulpfec, Format::Flexfec03][..]),
        base in any::<u16>(),
        offsets in proptest::collection::btree_set(0_u16..109, 1..20),
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 20),
        lost in any::<proptest::sample::Index>(),
        repair_first in any::<bool>(),
    ) {
        let span = if format == Format::Ulpfec { 48 } else { 109 };
        let offsets: std::collections::BTreeSet<_> = offsets.iter().map(|offset| offset % span).collect();
        let packets: Vec<_> =
            offsets.iter().zip(&payloads).map(|(ahead, payload)| packet(base.wrapping_add(*ahead), payload, 0)).collect();
        let payload = repair(format, base, &packets);
        let lost = lost.index(packets.len());
        let mut recovery = Recovery::new(format, MEDIA);
        if repair_first {
            recovery.receive_repair(&payload).unwrap();
        }
        for (_, packet) in packets.iter().enumerate().filter(|(index, _)| *index != lost) {
            recovery.receive_media(packet, &map());
        }
        if !repair_first {
            recovery.receive_repair(&payload).unwrap();
        }
        prop_assert_eq!(recovered(&mut recovery), vec![packets[lost].clone()]);
    }

    #[test]
    fn any_bytes_are_read_without_harm(
        format in proptest::sample::select(&[Format::Ulpfec, Format::Flexfec03][..]),
        repairs in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..50),
        numbers in proptest::collection::vec(0_u16..256, 1..50),
    ) {
        let mut recovery = Recovery::new(format, MEDIA);
        for (mut repair, number) in repairs.into_iter().zip(numbers) {
            if format == Format::Flexfec03 && repair.len() > 20 {
                repair[0] &= 0x3F;
                repair[8] = 1;
                repair[12..16].copy_from_slice(&MEDIA.0.to_be_bytes());
                repair[16] = 0;
                repair[18] |= 0x80;
            }
            let _ = recovery.receive_repair(&repair);
            recovery.receive_media(&packet(number, b"payload", 0), &map());
            for packet in recovered(&mut recovery) {
                prop_assert_eq!(Header::parse(&packet).unwrap().ssrc(), MEDIA);
            }
        }
    }
}
