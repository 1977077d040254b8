//! What is done for each packet takes nothing from the heap.

use twocan_rtp::codec::{Codec, EncodedFrame, FrameAssembler, Packetizer, vp8};
use twocan_rtp::dependency::{
    Descriptor, Differences, Indication, Indications, MAX_DECODE_TARGETS, Reader, Structure, Template,
};
use twocan_rtp::extension::{
    AbsSendTime, AudioLevel, ExtensionMap, Kind, Mid, RtpStreamId, TransportSequenceNumber, VideoOrientation,
};
use twocan_rtp::fec::{Format, Recovery};
use twocan_rtp::rtcp::{
    self, Arrival, FeedbackHead, Nack, ReceiverReport, ReportBlock, RtcpPacket, TransportFeedback,
};
use twocan_rtp::{
    Fields, HeaderMut, HeaderWriter, Packet, PayloadType, SequenceNumber, Ssrc, Timestamp, red, rtx,
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const KINDS: [Kind; 6] = [
    Kind::Mid,
    Kind::RtpStreamId,
    Kind::AbsSendTime,
    Kind::TransportSequenceNumber,
    Kind::VideoOrientation,
    Kind::AudioLevel,
];

fn map(first: u8) -> ExtensionMap {
    let mut map = ExtensionMap::default();
    (first..).zip(KINDS).for_each(|(id, kind)| map.insert(id, kind).unwrap());
    map
}

fn fields(number: u16) -> Fields {
    Fields {
        marker: true,
        payload_type: PayloadType::new(96).unwrap(),
        sequence_number: SequenceNumber(number),
        timestamp: Timestamp(u32::from(number) * 3000),
        ssrc: Ssrc(1),
    }
}

/// Runs something for each of many packets, and checks that after the first few it takes nothing.
fn takes_nothing(name: &str, mut each: impl FnMut(u16)) {
    let mut before = 0;
    for number in 0..1000 {
        each(number);
        if number == 200 {
            before = dhat::HeapStats::get().total_blocks;
        }
    }
    assert_eq!(dhat::HeapStats::get().total_blocks, before, "{name}");
}

fn main() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let payload = [0x10; 1000];
    let (mut received, mut sent) = (Vec::with_capacity(1500), Vec::with_capacity(1500));
    // One end has ids for one byte, the other for two.
    let (from, to) = (map(1), map(20));
    takes_nothing("forwarding", |number| {
        received.clear();
        let mut writer = HeaderWriter::new(&mut received, &fields(number));
        writer.contributing_sources([Ssrc(5)]);
        writer.extension(&from, &Mid(b"0"));
        writer.extension(&from, &RtpStreamId(b"hi"));
        writer.extension(&from, &AbsSendTime(1));
        writer.extension(&from, &AudioLevel { level: 3, voice: true });
        writer.extension(&from, &VideoOrientation::default());
        writer.finish().buffer().extend_from_slice(&payload);

        sent.clear();
        let packet = Packet::parse(&received).unwrap();
        let header = packet.header();
        let mut writer = HeaderWriter::new(&mut sent, &Fields { ssrc: Ssrc(2), ..header.fields() });
        writer.contributing_sources(header.contributing_sources());
        writer.copy_extensions(header, (&from, &to), |kind| !matches!(kind, Kind::Mid | Kind::AbsSendTime));
        writer.extension(&to, &Mid(b"9"));
        let number = SequenceNumber(number);
        writer.extension(&to, &TransportSequenceNumber { number, request: None });
        writer.finish().buffer().extend_from_slice(packet.payload());
        let mut header = HeaderMut::parse(&mut sent).unwrap();
        header.set_sequence_number(number);
        assert!(header.extension_mut(&to, Kind::TransportSequenceNumber).is_some());
        let at = sent.len() - payload.len();
        assert!(vp8::rewrite(&mut sent[at..], 7, 8));
    });

    takes_nothing("retransmission", |number| {
        received.clear();
        HeaderWriter::new(&mut received, &fields(number)).finish().buffer().extend_from_slice(&payload);
        sent.clear();
        let packet = Packet::parse(&received).unwrap();
        rtx::wrap(&packet, (Ssrc(2), PayloadType::new(97).unwrap(), SequenceNumber(number)), &mut sent);
        rtx::unwrap(&mut sent, (Ssrc(1), PayloadType::new(96).unwrap())).unwrap();
    });

    takes_nothing("redundant sound", |_| {
        sent.clear();
        red::write(&mut sent, PayloadType::new(111).unwrap(), [(960, &payload[..100])], &payload[..100]);
        let red = red::Red::parse(&sent).unwrap();
        assert_eq!(red.redundant().map(|block| block.bytes.len()).sum::<usize>(), 100);
    });

    takes_nothing("RTCP", |number| {
        sent.clear();
        ReceiverReport::write(&mut sent, Ssrc(1), &[ReportBlock::default(); 3]);
        Nack::write(
            &mut sent,
            (Ssrc(1), Ssrc(2)),
            (0..9).map(|ahead| SequenceNumber(number).plus(ahead * 3)),
        );
        let arrivals: [_; 40] =
            std::array::from_fn(|index| Arrival { number: index as u64 * 2, ticks: index as i64 });
        let head = FeedbackHead { sender: Ssrc(1), media: Ssrc(2), feedback_count: 0 };
        assert_eq!(TransportFeedback::write(&mut sent, head, 0, &arrivals, 1200), 40);
        let count: usize = rtcp::packets(&sent)
            .map(|packet| match packet.unwrap() {
                RtcpPacket::ReceiverReport(report) => report.blocks().len(),
                RtcpPacket::Nack(nack) => nack.numbers().count(),
                RtcpPacket::TransportFeedback(feedback) => feedback.arrivals().count(),
                _ => 0,
            })
            .sum();
        assert_eq!(count, 3 + 9 + 79);
    });

    let template = |differences: &[u16]| Template {
        indications: Indications::new([Indication::Switch]),
        differences: Differences::new(differences).unwrap(),
        chain_differences: [1; MAX_DECODE_TARGETS],
        ..Template::default()
    };
    let structure = Structure::new(0, &[0], 1, vec![template(&[]), template(&[1])], Vec::new()).unwrap();
    let mut reader = Reader::new();
    let mut descriptor = Descriptor::new(&structure, 0, 0, structure.template(0).unwrap()).unwrap();
    descriptor.structure = Some(Box::new(structure.clone()));
    sent.clear();
    descriptor.write(&structure, &mut sent);
    reader.read(SequenceNumber(0), &sent).unwrap();
    takes_nothing("dependency descriptors", |number| {
        let descriptor = Descriptor::new(&structure, 1, number, &template(&[1, 2])).unwrap();
        sent.clear();
        descriptor.write(&structure, &mut sent);
        assert_eq!(reader.read(SequenceNumber(number), &sent).unwrap().dependencies().count(), 2);
    });

    for codec in [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::H265, Codec::Av1] {
        let frame: &[u8] = match codec {
            Codec::H264 | Codec::H265 => &[&[0, 0, 0, 1, 0x26, 1][..], &[7; 5000]].concat(),
            Codec::Av1 => &[&[0x32, 0x88, 0x27][..], &[7; 5000]].concat(),
            Codec::Opus => &[0xF8; 100],
            _ => &[1; 5000],
        };
        let (mut packetizer, mut assembler) = (Packetizer::new(codec, 0), FrameAssembler::new(codec, 10_000));
        let (mut next, mut whole) = (SequenceNumber(0), 0);
        takes_nothing(&format!("{codec:?}"), |number| {
            let frame = EncodedFrame { bytes: frame, ..EncodedFrame::default() };
            let mut payloads = packetizer.begin(&frame, 1200).unwrap();
            loop {
                sent.clear();
                let Some(last) = payloads.write_next(&mut sent) else { break };
                assert!(codec.describe(&sent, last).is_ok());
                let fields = Fields { marker: last, sequence_number: next, ..fields(number) };
                next = next.plus(1);
                whole += u32::from(matches!(assembler.push(&fields, &sent), Ok(Some(_))));
            }
        });
        // The first frames of some codecs are passed over: nothing says that they begin there.
        assert!(whole >= 999, "{codec:?}: {whole}");
    }

    let mut recovery = Recovery::new(Format::Flexfec03, Ssrc(1));
    let mut repaired = 0;
    takes_nothing("recovery", |number| {
        // Every fourth packet is lost, and comes back with a repair packet of the four: of this payload their exclusive or
        // is zeros.
        let first = number / 4 * 4;
        received.clear();
        let same = Fields { timestamp: Timestamp(0), ..fields(number) };
        HeaderWriter::new(&mut received, &same).finish().buffer().extend_from_slice(&payload);
        if number % 4 != 3 {
            recovery.receive_media(&received, &from);
            return;
        }
        sent.clear();
        sent.extend([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
        sent.extend(first.to_be_bytes());
        sent.extend([0xF8, 0]);
        sent.extend([0; 1000]);
        recovery.receive_repair(&sent).unwrap();
        while let Some(packet) = recovery.poll_recovered() {
            assert_eq!(packet, received);
            repaired += 1;
        }
    });
    assert_eq!(repaired, 250);
}
