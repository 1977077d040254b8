use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::header::Fields;
use crate::number::{PayloadType, SequenceNumber, Ssrc, Timestamp};
use crate::packet::Packet;

const ALL: [Codec; 9] = [
    Codec::Opus,
    Codec::Pcmu,
    Codec::Pcma,
    Codec::G722,
    Codec::Vp8,
    Codec::Vp9,
    Codec::H264,
    Codec::H265,
    Codec::Av1,
];
const LIMIT: usize = 100_000;

fn fields(number: u16, timestamp: u32, marker: bool) -> Fields {
    Fields {
        marker,
        payload_type: PayloadType::new(96).unwrap(),
        sequence_number: SequenceNumber(number),
        timestamp: Timestamp(timestamp),
        ssrc: Ssrc(1),
    }
}

/// A frame's payloads.
fn cut(packetizer: &mut Packetizer, frame: &EncodedFrame<'_>, max: usize) -> Vec<Vec<u8>> {
    let mut payloads = packetizer.begin(frame, max).unwrap();
    let mut all = Vec::new();
    loop {
        let mut payload = Vec::new();
        let Some(last) = payloads.write_next(&mut payload) else { panic!("the last one said so") };
        all.push(payload);
        if last {
            assert_eq!(payloads.write_next(&mut Vec::new()), None);
            return all;
        }
    }
}

#[test]
fn h264_is_aggregated_and_fragmented() {
    let slice = [&[0x65, 0x88][..], &[0x11; 148]].concat();
    let frame = [&[0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 1][..], &slice].concat();
    let mut packetizer = Packetizer::new(Codec::H264, 0);
    let payloads = cut(&mut packetizer, &EncodedFrame { bytes: &frame, ..EncodedFrame::default() }, 64);
    assert_eq!(payloads[0], [0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3]);
    let heads: Vec<_> = payloads[1..].iter().map(|payload| (payload[0], payload[1], payload.len())).collect();
    assert_eq!(heads, [(0x7C, 0x85, 52), (0x7C, 0x05, 52), (0x7C, 0x45, 51)]);

    let infos: Vec<_> =
        payloads.iter().map(|payload| Codec::H264.describe(payload, false).unwrap()).collect();
    assert!(infos[0].start && infos[0].key && infos[1].key && !infos[2].start && !infos[3].key);
    let delta = Codec::H264.describe(&[0x01, 0x80], true).unwrap();
    assert!(delta.start && delta.end && delta.discardable && !delta.key);
    assert!(!Codec::H264.describe(&[0x41, 0x40], true).unwrap().start, "not the first slice");
    assert_eq!(Codec::H264.describe(&[0x1D, 0, 0, 0], true), Err(PayloadFault::Unsupported), "FU-B");
    assert_eq!(Codec::H264.describe(&[0x18, 0, 9, 1], true), Err(PayloadFault::Truncated));
}

#[test]
fn h265_is_aggregated_and_fragmented() {
    let slice = [&[0x26, 0x01, 0x80][..], &[0x11; 147]].concat();
    let frame = [&[0, 0, 1, 0x40, 0x01, 7, 0, 0, 1, 0x42, 0x01, 8, 0, 0, 1][..], &slice].concat();
    let mut packetizer = Packetizer::new(Codec::H265, 0);
    let payloads = cut(&mut packetizer, &EncodedFrame { bytes: &frame, ..EncodedFrame::default() }, 64);
    assert_eq!(payloads[0], [0x60, 0x01, 0, 3, 0x40, 1, 7, 0, 3, 0x42, 1, 8]);
    let heads: Vec<_> = payloads[1..].iter().map(|payload| (&payload[..3], payload.len())).collect();
    assert_eq!(heads, [(&[0x62, 1, 0x93][..], 53), (&[0x62, 1, 0x13], 52), (&[0x62, 1, 0x53], 52)]);
    let info = Codec::H265.describe(&payloads[1], false).unwrap();
    assert!(info.start && info.key && info.switching_point && !info.discardable);
    // A slice that no other needs, of the second temporal layer.
    let info = Codec::H265.describe(&[0x00, 0x02, 0x80], true).unwrap();
    assert!(info.start && info.discardable && !info.key);
    assert_eq!(info.temporal, Some(1));
    assert_eq!(Codec::H265.describe(&[0x64, 1, 0, 0], true), Err(PayloadFault::Unsupported), "PACI");
}

/// The example of AOM's payload format: a delimiter is dropped, the rest shares packets.
#[test]
fn av1_elements_have_lengths_but_for_the_last() {
    let unit = [0x12, 0, 0x0A, 2, 7, 8, 0x32, 3, 1, 2, 3];
    let mut packetizer = Packetizer::new(Codec::Av1, 0);
    let frame = EncodedFrame { bytes: &unit, key: true, ..EncodedFrame::default() };
    let payloads = cut(&mut packetizer, &frame, 1200);
    assert_eq!(payloads, [[0x28, 3, 0x08, 7, 8, 0x30, 1, 2, 3]]);
    let info = Codec::Av1.describe(&payloads[0], true).unwrap();
    assert!(info.start && info.key && info.end);

    let mut assembler = FrameAssembler::new(Codec::Av1, LIMIT);
    let assembled = assembler.push(&fields(0, 0, true), &payloads[0]).unwrap().unwrap();
    assert_eq!(assembled.bytes, unit);

    // Two spatial layers do not share a packet.
    let unit = [0x36, 0x20, 1, 9, 0x36, 0x28, 1, 9];
    let payloads = cut(&mut packetizer, &EncodedFrame { bytes: &unit, ..EncodedFrame::default() }, 1200);
    assert_eq!(payloads, [[0x10, 0x34, 0x20, 9], [0x10, 0x34, 0x28, 9]]);
    let info = Codec::Av1.describe(&payloads[1], true).unwrap();
    assert_eq!((info.temporal, info.spatial), (Some(1), Some(1)));

    for nothing in [&[0x90][..], &[0x40, 0], &[0x00, 0, 0], &[0x20, 0]] {
        assert_eq!(Codec::Av1.describe(nothing, true), Err(PayloadFault::Truncated), "{nothing:?}");
    }
    let cut_off = EncodedFrame { bytes: &[0x32, 9, 1], ..EncodedFrame::default() };
    assert_eq!(packetizer.begin(&cut_off, 1200).err(), Some(PacketizeError::Malformed));
    let delimiter = EncodedFrame { bytes: &[0x12, 0], ..EncodedFrame::default() };
    assert_eq!(packetizer.begin(&delimiter, 1200).err(), Some(PacketizeError::Empty));
}

#[test]
fn vp8_counts_pictures_and_its_lowest_layer() {
    let mut packetizer = Packetizer::new(Codec::Vp8, 0x7FFF);
    let mut describe = |layer| {
        let frame =
            EncodedFrame { bytes: &[1; 30], temporal: Some((layer, true)), ..EncodedFrame::default() };
        let payload = cut(&mut packetizer, &frame, 1200).remove(0);
        let info = Codec::Vp8.describe(&payload, true).unwrap();
        (info.picture_id.unwrap().value, info.tl0_picture_index, info.temporal)
    };
    assert_eq!(describe(0), (0x7FFF, Some(0), Some(0)));
    assert_eq!(describe(1), (0, Some(0), Some(1)));
    assert_eq!(describe(0), (1, Some(1), Some(0)));
}

#[test]
fn sound_fits_a_packet_or_is_refused() {
    let mut packetizer = Packetizer::new(Codec::Opus, 0);
    let frame = EncodedFrame { bytes: &[0xF8; 65], ..EncodedFrame::default() };
    assert_eq!(packetizer.begin(&frame, 64).err(), Some(PacketizeError::TooLarge));
    assert_eq!(packetizer.begin(&EncodedFrame::default(), 64).err(), Some(PacketizeError::Empty));
    assert_eq!(cut(&mut packetizer, &frame, 65), [frame.bytes]);
    assert_eq!(Codec::Opus.audio_ticks(frame.bytes), Some(960));
    assert_eq!(Codec::G722.audio_ticks(&[0; 160]), Some(160));
}

#[test]
fn a_frame_with_a_hole_is_dropped() {
    let mut packetizer = Packetizer::new(Codec::Vp8, 0);
    let frame = EncodedFrame { bytes: &[1; 3000], ..EncodedFrame::default() };
    let mut assembler = FrameAssembler::new(Codec::Vp8, 3500);
    let mut number = 65_530;
    let mut whole = 0;
    for round in 0..10_u32 {
        let payloads = cut(&mut packetizer, &frame, 1200);
        for (index, payload) in payloads.iter().enumerate() {
            number = u16::wrapping_add(number, 1);
            if round % 3 == index as u32 && round > 0 {
                continue;
            }
            let fields = fields(number, round * 3000, index == 2);
            if let Ok(Some(assembled)) = assembler.push(&fields, payload) {
                assert_eq!(assembled.bytes, frame.bytes);
                assert_eq!(assembled.info.picture_id.unwrap().value, round as u16);
                whole += 1;
            }
        }
    }
    // In all rounds but the first a packet is missing.
    assert_eq!(whole, 1);

    let mut small = FrameAssembler::new(Codec::Vp8, 1999);
    let results: Vec<_> = (0..)
        .zip(cut(&mut packetizer, &frame, 1200))
        .map(|(number, payload)| {
            small.push(&fields(number, 0, number == 2), &payload).map(|frame| frame.is_some())
        })
        .collect();
    // The rest of it is passed over.
    assert_eq!(results, [Ok(false), Err(PayloadFault::TooLarge), Err(PayloadFault::Orphan)]);
    assert_eq!(small.dropped(), 1);
}

#[test]
fn a_frame_without_an_end_is_dropped_for_the_next() {
    let mut assembler = FrameAssembler::new(Codec::H264, LIMIT);
    assert!(matches!(assembler.push(&fields(0, 0, false), &[0x67, 1]), Ok(None)));
    assert!(matches!(assembler.push(&fields(1, 0, false), &[]), Ok(None)), "padding");
    let frame = assembler.push(&fields(2, 9, true), &[0x41, 0x80]).unwrap().unwrap();
    assert_eq!(frame.bytes, [0, 0, 0, 1, 0x41, 0x80]);
    assert_eq!(assembler.dropped(), 1);
    // A unit stays open at the end.
    assert_eq!(assembler.push(&fields(3, 10, true), &[0x7C, 0x85, 1]).err(), Some(PayloadFault::Unfinished));
    assert!(assembler.push(&fields(4, 11, true), &[0x41, 0x80]).unwrap().is_some());
    // Nothing is known behind a gap, until a frame begins for certain.
    assert_eq!(assembler.push(&fields(6, 12, false), &[0x41, 0x80]).err(), Some(PayloadFault::Orphan));
    assert!(assembler.push(&fields(7, 13, true), &[0x41, 0x80]).unwrap().is_some());
    assert!(assembler.push(&fields(9, 14, true), &[0x67, 0x80]).unwrap().is_some());
}

/// Frames of a codec that are their own assembly.
fn frame_of(codec: Codec, parts: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut frame = Vec::new();
    for (seed, bytes) in parts {
        match codec {
            Codec::H264 => {
                frame.extend([0, 0, 0, 1, (seed % 23 + 1) | 0x60]);
                frame.extend(bytes.iter().map(|byte| byte | 1));
            }
            Codec::H265 => {
                frame.extend([0, 0, 0, 1, (seed % 48) << 1, 1]);
                frame.extend(bytes.iter().map(|byte| byte | 1));
            }
            Codec::Av1 => {
                if frame.is_empty() {
                    frame.extend([0x12, 0]);
                }
                // Frames, with layers or without.
                let layers = if seed % 3 == 0 { vec![0x36, seed & 0xF8] } else { vec![0x32] };
                frame.extend(layers);
                crate::leb128::write(bytes.len() as u32, &mut frame);
                frame.extend(bytes);
            }
            _ => frame.extend(bytes),
        }
    }
    frame
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in(
        codec in proptest::sample::select(&ALL[4..]),
        frames in proptest::collection::vec(
            proptest::collection::vec((any::<u8>(), prop_oneof![
                proptest::collection::vec(any::<u8>(), 1..40),
                proptest::collection::vec(any::<u8>(), 1..2000),
            ]), 1..6),
            1..5,
        ),
        max in MIN_PAYLOAD..1300,
    ) {
        let mut packetizer = Packetizer::new(codec, 77);
        let mut assembler = FrameAssembler::new(codec, LIMIT);
        // What the stream was before: behind its marker a frame begins.
        let _ = assembler.push(&fields(0xFFFF, 0, true), &[0xFF]);
        let mut number = 0;
        for (index, parts) in (1..).zip(&frames) {
            let bytes = frame_of(codec, parts);
            let frame = EncodedFrame { bytes: &bytes, key: index == 1, ..EncodedFrame::default() };
            let payloads = cut(&mut packetizer, &frame, max);
            for (at, payload) in payloads.iter().enumerate() {
                prop_assert!(payload.len() <= max, "{} bytes", payload.len());
                let last = at + 1 == payloads.len();
                let info = codec.describe(payload, last).unwrap();
                prop_assert_eq!(info.end, last);
                let assembled = assembler.push(&fields(number, index, last), payload).unwrap();
                prop_assert_eq!(assembled.is_some(), last);
                if let Some(assembled) = assembled {
                    prop_assert_eq!(assembled.bytes, &bytes[..]);
                    prop_assert_eq!(assembled.timestamp, Timestamp(index));
                }
                number += 1;
            }
        }
        prop_assert_eq!(assembler.dropped(), 0);
    }

    #[test]
    fn any_payloads_are_read_without_harm(
        codec in proptest::sample::select(&ALL[..]),
        payloads in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..40), 0_u16..2, 0_u32..2, any::<bool>()), 1..20,
        ),
    ) {
        let mut assembler = FrameAssembler::new(codec, 200);
        let mut number = 0;
        for (payload, lost, later, marker) in payloads {
            number += 1 + lost / 2;
            let timestamp = u32::from(number) / 3 + later;
            if let Ok(Some(frame)) = assembler.push(&fields(number, timestamp, marker), &payload) {
                prop_assert!(frame.bytes.len() <= 200);
            }
            let mut payload = payload;
            vp8::rewrite(&mut payload, 5, 6);
            vp9::rewrite(&mut payload, 5, 6);
        }
    }
}

/// The streams of a browser that others recorded, as `rtpdump` writes them: a line of text, a header of 16 bytes, and for
/// each packet eight bytes of which the first two are its length with them.
fn recorded(name: &str) -> Option<Vec<Vec<u8>>> {
    let folder = "../../../shared/vectors/libwebrtc-fuzz-corpora/rtpdump-corpus";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: no recording at {}", path.display());
        return None;
    };
    let line = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    let mut rest = bytes.get(line + 16..)?;
    let mut packets = Vec::new();
    while let Some((head, behind)) = rest.split_first_chunk::<8>() {
        let len = usize::from(u16::from_be_bytes([head[0], head[1]])) - 8;
        let (packet, behind) = behind.split_at_checked(len)?;
        packets.push(packet.to_vec());
        rest = behind;
    }
    Some(packets)
}

#[test]
fn recorded_streams_are_read() {
    for (name, codec) in [("vp8/vp8.rtpdump", Codec::Vp8), ("vp9/vp9.rtpdump", Codec::Vp9)] {
        let Some(packets) = recorded(name) else { continue };
        let mut assembler = FrameAssembler::new(codec, 1_000_000);
        let (mut frames, mut keys) = (0, 0);
        for packet in &packets {
            let packet = Packet::parse(packet).unwrap();
            let result = assembler.push(&packet.header().fields(), packet.payload());
            if let Ok(Some(frame)) = result {
                frames += 1;
                keys += u32::from(frame.info.key);
            }
        }
        println!("{name}: {} packets, {frames} frames, {keys} key frames", packets.len());
        assert!(frames > 0 && keys > 0);
    }
}
