//! How fast: CPU time of what is done for each packet, and of copying one, for scale.
//! `cargo run --release -p twocan-rtp --example figures`

use std::hint::black_box;

use twocan_rtp::codec::{Codec, vp8};
use twocan_rtp::dependency::{
    Descriptor, Differences, Indication, Indications, MAX_DECODE_TARGETS, Reader, Structure, Template,
};
use twocan_rtp::extension::{
    AbsSendTime, ExtensionMap, Kind, Mid, TransportSequenceNumber, VideoOrientation,
};
use twocan_rtp::fec::{Format, Recovery};
use twocan_rtp::rtcp::{self, Arrival, FeedbackHead, RtcpPacket, TransportFeedback};
use twocan_rtp::{
    Fields, Header, HeaderMut, HeaderWriter, Packet, PayloadType, SequenceNumber, Ssrc, Timestamp,
};

const ROUNDS: u32 = 1_000_000;
/// Medians of so many runs.
const RUNS: usize = 5;
const KINDS: [Kind; 5] = [
    Kind::Mid,
    Kind::AbsSendTime,
    Kind::TransportSequenceNumber,
    Kind::VideoOrientation,
    Kind::DependencyDescriptor,
];
/// Bytes of a packet's payload.
const PAYLOAD: usize = 1100;
/// Packets that one feedback is about.
const REPORTED: usize = 100;

fn main() {
    let (from, to) = (map(1), map(6));
    let received = packet(&from);
    let mut sent = Vec::with_capacity(1500);
    let show = |what: &str, per: f64, each: &mut dyn FnMut(u32)| {
        println!("{:>8.1}  {what}", median(each) / per);
    };
    println!("ns of CPU time for each packet of {} bytes, or for what stands there", received.len());
    show("copying it", 1.0, &mut |_| {
        sent.clear();
        sent.extend_from_slice(black_box(&received));
    });
    show("reading its header, and all extensions", 1.0, &mut |_| {
        let header = Header::parse(black_box(&received)).unwrap();
        for (id, value) in header.extensions() {
            black_box((from.kind(id), value));
        }
    });
    show("forwarding it: other numbers, other ids, two extensions of its own", 1.0, &mut |round| {
        sent.clear();
        let packet = Packet::parse(black_box(&received)).unwrap();
        let sequence_number = SequenceNumber(round as u16);
        let fields = Fields { sequence_number, ssrc: Ssrc(9), ..packet.header().fields() };
        let mut writer = HeaderWriter::new(&mut sent, &fields);
        writer.extension(&to, &Mid(b"1"));
        writer.extension(&to, &TransportSequenceNumber { number: sequence_number, request: None });
        let ours = [Kind::Mid, Kind::TransportSequenceNumber];
        writer.copy_extensions(packet.header(), (&from, &to), |kind| !ours.contains(&kind));
        writer.finish().buffer().extend_from_slice(packet.payload());
        black_box(&sent);
    });
    let mut changed = received.clone();
    show("setting its numbers, its time of sending and its picture id where they lie", 1.0, &mut |round| {
        let mut header = HeaderMut::parse(black_box(&mut changed)).unwrap();
        header.set_sequence_number(SequenceNumber(round as u16));
        header.set_ssrc(Ssrc(round));
        if let Some([a, b, c]) = header.extension_mut(&from, Kind::AbsSendTime) {
            (*a, *b, *c) = (1, 2, round as u8);
        }
        let at = changed.len() - PAYLOAD;
        vp8::rewrite(&mut changed[at..], round as u16, round as u8);
    });
    let payload = &received[received.len() - PAYLOAD..];
    show("saying what its payload is (VP8)", 1.0, &mut |_| {
        black_box(Codec::Vp8.describe(black_box(payload), true)).unwrap();
    });
    descriptors(&show);
    feedback(&show);
    let mut recovery = Recovery::new(Format::Flexfec03, Ssrc(1));
    let mut media = received.clone();
    show("keeping it for recovery", 1.0, &mut |round| {
        HeaderMut::parse(&mut media).unwrap().set_sequence_number(SequenceNumber(round as u16));
        recovery.receive_media(black_box(&media), &from);
    });
}

/// Measures something and prints it: what, for how many of it a round is, and the round.
type Show<'a> = &'a dyn Fn(&str, f64, &mut dyn FnMut(u32));

fn descriptors(show: Show<'_>) {
    let template = |temporal, differences: &[u16]| Template {
        temporal,
        indications: Indications::new([Indication::Switch; 3]),
        differences: Differences::new(differences).unwrap(),
        chain_differences: [1; MAX_DECODE_TARGETS],
        ..Template::default()
    };
    let templates = vec![template(0, &[]), template(0, &[4]), template(1, &[2]), template(2, &[1])];
    let structure = Structure::new(0, &[0; 3], 1, templates, Vec::new()).unwrap();
    let mut first = Descriptor::new(&structure, 0, 0, structure.template(0).unwrap()).unwrap();
    first.structure = Some(Box::new(structure.clone()));
    let mut reader = Reader::new();
    let mut bytes = Vec::new();
    first.write(&structure, &mut bytes);
    reader.read(SequenceNumber(0), &bytes).unwrap();
    let plain = Descriptor::new(&structure, 2, 2, structure.template(2).unwrap()).unwrap();
    bytes.clear();
    plain.write(&structure, &mut bytes);
    show("reading its dependency descriptor", 1.0, &mut |round| {
        black_box(reader.read(SequenceNumber(round as u16), black_box(&bytes))).unwrap();
    });
}

fn feedback(show: Show<'_>) {
    // Every tenth packet is lost; the others come in bursts.
    let arrivals: Vec<_> = (0..REPORTED as u64)
        .filter(|number| number % 10 != 3)
        .map(|number| Arrival { number, ticks: (number as i64 / 5) * 20 })
        .collect();
    let head = FeedbackHead { sender: Ssrc(1), media: Ssrc(2), feedback_count: 0 };
    let mut out = Vec::with_capacity(1500);
    show("writing transport-wide feedback about it, 100 in one", REPORTED as f64, &mut |_| {
        out.clear();
        TransportFeedback::write(&mut out, head, 0, black_box(&arrivals), 1200);
    });
    show("reading that", REPORTED as f64, &mut |_| {
        for packet in rtcp::packets(black_box(&out)) {
            if let Ok(RtcpPacket::TransportFeedback(feedback)) = packet {
                feedback.arrivals().for_each(|arrival| _ = black_box(arrival));
            }
        }
    });
}

fn map(first: u8) -> ExtensionMap {
    let mut map = ExtensionMap::default();
    (first..).zip(KINDS).for_each(|(id, kind)| map.insert(id, kind).unwrap());
    map
}

/// With what browsers put into most packets of video.
fn packet(map: &ExtensionMap) -> Vec<u8> {
    let fields = Fields {
        marker: false,
        payload_type: PayloadType::new(96).unwrap(),
        sequence_number: SequenceNumber(1),
        timestamp: Timestamp(3000),
        ssrc: Ssrc(1),
    };
    let mut out = Vec::new();
    let mut writer = HeaderWriter::new(&mut out, &fields);
    writer.extension(map, &Mid(b"0"));
    writer.extension(map, &AbsSendTime(5));
    writer.extension(map, &TransportSequenceNumber { number: SequenceNumber(5), request: None });
    writer.extension(map, &VideoOrientation::default());
    writer.raw_extension(map, Kind::DependencyDescriptor, &[0x82, 0, 2]);
    let mut body = writer.finish();
    let descriptor = vp8::Descriptor {
        start: true,
        picture_id: Some(twocan_rtp::codec::PictureId { value: 5, long: true }),
        tl0_picture_index: Some(5),
        temporal: Some((0, false)),
        ..vp8::Descriptor::default()
    };
    let before = body.buffer().len();
    descriptor.write(body.buffer());
    body.buffer().resize(before + PAYLOAD, 0x51);
    out
}

/// CPU time of one round, in ns.
fn median(each: &mut dyn FnMut(u32)) -> f64 {
    let mut runs: Vec<_> = (0..RUNS)
        .map(|_| {
            let before = cpu();
            (0..ROUNDS).for_each(&mut *each);
            (cpu() - before) / f64::from(ROUNDS)
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    runs[RUNS / 2]
}

/// CPU time of this thread, in ns.
fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "hours at most")]
    let ns = (time.tv_sec * 1_000_000_000 + time.tv_nsec) as f64;
    ns
}
