//! What Chromium 156 and Firefox 153 sent, as their own logs of packets in the clear have it (`WebRTC-Debugging-RtpDump`,
//! `RtpLogger`): their cameras that are none, in several codecs and scalability modes. A file has the extensions and payload types of the offer, and then packets
//! in the order they were sent; probes and feedback are among them.

use std::collections::{BTreeMap, BTreeSet};

use twocan_rtp::codec::{Codec, EncodedFrame, FrameAssembler, Packetizer};
use twocan_rtp::dependency::{Descriptor, Frame, Indication, Reader};
use twocan_rtp::extension::{
    AbsSendTime, AudioLevel, ColorSpace, Extension, ExtensionMap, Kind, Mid, PlayoutDelay,
    RepairedRtpStreamId, RtpStreamId, TransportSequenceNumber, VideoLayersAllocation, VideoOrientation,
    VideoTiming,
};
use twocan_rtp::fec::{Format, Recovery};
use twocan_rtp::red::{self, Red};
use twocan_rtp::rtcp::{self, Arrival, FeedbackHead, RtcpPacket, TransportFeedback};
use twocan_rtp::{Header, Packet, PayloadType, SequenceNumber, Ssrc, rtx};

struct Recording {
    map: ExtensionMap,
    payloads: BTreeMap<u8, &'static str>,
    rtp: Vec<Vec<u8>>,
    rtcp: Vec<Vec<u8>>,
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn read(text: &'static str) -> Recording {
    let mut recording = Recording {
        map: ExtensionMap::default(),
        payloads: BTreeMap::new(),
        rtp: Vec::new(),
        rtcp: Vec::new(),
    };
    for line in text.lines() {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["extension", id, uri] => {
                let kind = Kind::from_uri(uri).unwrap_or_else(|| panic!("{uri} is not known"));
                recording.map.insert(id.parse().unwrap(), kind).unwrap();
            }
            ["payload", number, name] => _ = recording.payloads.insert(number.parse().unwrap(), name),
            ["rtp", bytes] => recording.rtp.push(hex(bytes)),
            ["rtcp", bytes] => recording.rtcp.push(hex(bytes)),
            _ => panic!("{line}"),
        }
    }
    recording
}

impl Recording {
    fn of(&self, name: &str) -> impl Iterator<Item = Packet<'_>> {
        let packets = self.rtp.iter().map(|bytes| Packet::parse(bytes).unwrap());
        packets.filter(move |packet| self.payloads[&packet.header().payload_type().number()] == name)
    }
}

fn all() -> [(&'static str, Codec, Recording); 5] {
    [
        ("VP8", Codec::Vp8, read(include_str!("browser/vp8.txt"))),
        ("VP9", Codec::Vp9, read(include_str!("browser/vp9-l3t3-key.txt"))),
        ("AV1", Codec::Av1, read(include_str!("browser/av1-l1t3.txt"))),
        ("H264", Codec::H264, read(include_str!("browser/h264.txt"))),
        ("VP8", Codec::Vp8, read(include_str!("browser/firefox-vp8.txt"))),
    ]
}

#[test]
fn every_extension_is_read_and_written_as_it_was() {
    fn check<'a, E: Extension<'a>>(header: Header<'a>, map: &ExtensionMap) -> usize {
        let id = map.id(E::KIND);
        let Some((_, value)) = header.extensions().find(|(found, _)| Some(*found) == id) else { return 0 };
        let mut written = Vec::new();
        E::parse(value).unwrap_or_else(|| panic!("{:?}: {value:?}", E::KIND)).write(&mut written);
        assert_eq!(written, value, "{:?}", E::KIND);
        1
    }
    let mut counts = [0; 11];
    let simulcast = read(include_str!("browser/simulcast-red.txt"));
    for recording in all().into_iter().map(|(_, _, recording)| recording).chain([simulcast]) {
        for bytes in &recording.rtp {
            let (header, map) = (Packet::parse(bytes).unwrap().header(), &recording.map);
            assert!(header.extensions().all(|(id, _)| map.kind(id).is_some()));
            counts[0] += check::<Mid<'_>>(header, map);
            counts[1] += check::<AbsSendTime>(header, map);
            counts[2] += check::<TransportSequenceNumber>(header, map);
            counts[3] += check::<AudioLevel>(header, map);
            counts[4] += check::<VideoTiming>(header, map);
            counts[5] += check::<VideoLayersAllocation>(header, map);
            counts[6] += check::<PlayoutDelay>(header, map);
            counts[7] += check::<ColorSpace>(header, map);
            counts[8] += check::<VideoOrientation>(header, map);
            counts[9] += check::<RtpStreamId<'_>>(header, map);
            counts[10] += check::<RepairedRtpStreamId<'_>>(header, map);
        }
    }
    println!("{counts:?}");
    assert!(counts.iter().enumerate().all(|(kind, count)| *count > 0 || kind == 6), "{counts:?}");
}

/// Without the zeros that Chromium's units of H.264 end with: they belong to the start codes.
fn trimmed(frame: &[u8]) -> Vec<u8> {
    let mut trimmed = frame.to_vec();
    while let Some(at) = trimmed.windows(5).position(|window| window == [0, 0, 0, 0, 1]) {
        trimmed.remove(at);
    }
    trimmed
}

#[test]
fn frames_are_put_together_and_cut_anew() {
    for (name, codec, recording) in all() {
        let mut assembler = FrameAssembler::new(codec, 1_000_000);
        let mut again = FrameAssembler::new(codec, 1_000_000);
        let mut packetizer = Packetizer::new(codec, 0);
        let (mut frames, mut keys, mut number) = (0, 0, SequenceNumber(0));
        for packet in recording.of(name) {
            let fields = packet.header().fields();
            let Some(frame) = assembler.push(&fields, packet.payload()).unwrap() else { continue };
            frames += 1;
            keys += u32::from(frame.info.key);
            let encoded = EncodedFrame { bytes: frame.bytes, key: frame.info.key, ..EncodedFrame::default() };
            let mut payloads = packetizer.begin(&encoded, 500).unwrap();
            let mut payload = Vec::new();
            while let Some(last) = payloads.write_next(&mut payload) {
                let fields = twocan_rtp::Fields { sequence_number: number, marker: last, ..fields };
                number = number.plus(1);
                if let Some(other) = again.push(&fields, &payload).unwrap() {
                    assert_eq!(trimmed(other.bytes), trimmed(frame.bytes));
                }
                payload.clear();
            }
        }
        println!("{name}: {frames} frames, {keys} key frames");
        assert_eq!((assembler.dropped(), again.dropped()), (0, 0));
        assert!(frames > 10 && keys > 0, "{name}: {frames} frames, {keys} key frames");
    }
}

/// Descriptors agree with what payloads say, and are written just as Chromium does.
#[test]
fn dependency_descriptors_agree_with_payloads() {
    for (name, codec, recording) in all() {
        let mut reader = Reader::new();
        let mut seen: Vec<Frame> = Vec::new();
        for packet in recording.of(name) {
            let Some(id) = recording.map.id(Kind::DependencyDescriptor) else { continue };
            let Some((_, bytes)) = packet.header().extensions().find(|(found, _)| *found == id) else {
                continue;
            };
            let info = codec.describe(packet.payload(), packet.header().marker()).unwrap();
            let before = reader.structure().cloned();
            let frame = reader.read(packet.header().sequence_number(), bytes).unwrap();
            let structure = reader.structure().unwrap();

            let descriptor = Descriptor::parse(bytes, before.as_ref()).unwrap();
            let mut written = Vec::new();
            descriptor.write(before.as_ref().unwrap_or(structure), &mut written);
            assert_eq!(written, bytes);

            if matches!(codec, Codec::Vp8 | Codec::Vp9) {
                assert_eq!(frame.start, info.start);
            }
            // Of VP8's own fields Chromium leaves out what the descriptor says.
            assert_eq!(info.temporal.unwrap_or(frame.temporal), frame.temporal);
            assert_eq!(info.spatial.unwrap_or(frame.spatial), frame.spatial);
            assert!(!packet.header().marker() || frame.end);
            assert_eq!(frame.new_structure, info.key && frame.start);
            // What it depends on came before, and whoever is at the highest layer gets all of them.
            for dependency in frame.dependencies() {
                assert!(seen.iter().any(|earlier| earlier.number == dependency), "{name}: {dependency}");
            }
            assert!(
                (0..structure.decode_targets()).any(|t| frame.indications.get(t) != Indication::NotPresent)
            );
            for chain in 0..structure.chains() {
                let last = frame.last_in_chain(chain);
                assert!(last.is_none_or(|last| seen.iter().any(|earlier| earlier.number == last)));
            }
            if frame.end {
                seen.push(frame);
            }
        }
        let layers = seen.iter().map(|frame| (frame.spatial, frame.temporal)).collect::<BTreeSet<_>>();
        println!("{name}: {} frames with descriptors, layers {layers:?}", seen.len());
        assert_eq!(
            seen.is_empty(),
            codec == Codec::H264 || recording.map.id(Kind::DependencyDescriptor).is_none()
        );
    }
}

#[test]
fn retransmissions_are_what_was_sent_before() {
    let (mut again, mut probes) = (0, 0);
    for (name, _, recording) in all() {
        for packet in recording.of("rtx") {
            let Some(number) = rtx::original_number(&packet) else {
                probes += 1;
                continue;
            };
            let original = recording.of(name).find(|packet| packet.header().sequence_number() == number);
            let Some(original) = original else { continue };
            let fields = original.header().fields();
            let mut bytes = [packet.header().as_bytes(), packet.payload()].concat();
            bytes[0] &= !0x20;
            let unwrapped = rtx::unwrap(&mut bytes, (fields.ssrc, fields.payload_type)).unwrap();
            let unwrapped = Packet::parse(unwrapped).unwrap();
            assert_eq!(unwrapped.header().fields(), fields);
            assert_eq!(unwrapped.payload(), original.payload());

            let mut wrapped = Vec::new();
            let (ssrc, kind) = (packet.header().ssrc(), packet.header().payload_type());
            rtx::wrap(&original, (ssrc, kind, packet.header().sequence_number()), &mut wrapped);
            assert_eq!(Packet::parse(&wrapped).unwrap().payload(), packet.payload());
            again += 1;
        }
    }
    println!("{again} packets were sent again, {probes} were probes");
    assert!(again + probes > 0);
}

#[test]
fn feedback_is_read_and_packed_as_well() {
    let mut kinds = BTreeMap::<&str, u32>::new();
    let (mut theirs, mut ours) = (0, 0);
    for (_, _, recording) in all() {
        for bytes in &recording.rtcp {
            assert!(rtcp::is_rtcp(bytes));
            for packet in rtcp::packets(bytes) {
                let kind = match packet.unwrap() {
                    RtcpPacket::SenderReport(report) => {
                        assert!(report.info.ntp.0 > 0);
                        "SR"
                    }
                    RtcpPacket::ReceiverReport(_) => "RR",
                    RtcpPacket::SourceDescription(description) => {
                        assert!(description.chunks().all(|chunk| chunk.cname().is_some()));
                        "SDES"
                    }
                    RtcpPacket::ExtendedReport(report) => {
                        assert!(report.blocks().count() > 0);
                        "XR"
                    }
                    RtcpPacket::TransportFeedback(feedback) => {
                        let arrivals: Vec<_> = (0..)
                            .zip(feedback.arrivals())
                            .filter_map(|(number, (_, ticks))| {
                                Some(Arrival { number, ticks: i64::from(ticks?) })
                            })
                            .collect();
                        let mut out = Vec::new();
                        let head = FeedbackHead { sender: Ssrc(1), media: Ssrc(2), feedback_count: 0 };
                        let taken = TransportFeedback::write(&mut out, head, 0, &arrivals, 1200);
                        assert_eq!(taken, arrivals.len());
                        theirs += bytes.len();
                        ours += out.len();
                        "transport-wide"
                    }
                    other => panic!("{other:?}"),
                };
                *kinds.entry(kind).or_default() += 1;
            }
        }
    }
    println!("{kinds:?}; theirs takes {theirs} bytes, ours {ours}");
    assert_eq!(kinds.len(), 5);
    assert!(ours <= theirs);
}

#[test]
fn sound_lasts_as_long_as_timestamps_say() {
    for (_, _, recording) in all() {
        let packets: Vec<_> = recording.of("opus").collect();
        for pair in packets.windows(2) {
            let [one, next] = [pair[0].header(), pair[1].header()];
            if next.sequence_number().ahead_of(one.sequence_number()) == 1 && !next.marker() {
                let ticks = Codec::Opus.audio_ticks(pair[0].payload()).unwrap();
                assert_eq!(next.timestamp().ahead_of(one.timestamp()), ticks.cast_signed());
            }
        }
        assert!(packets.len() > 2);
    }
}

/// Each packet of the stream is lost once, and comes back as it was sent, but for what was set in it after its repair packets
/// were made.
#[test]
fn lost_packets_come_back() {
    let ulpfec = read(include_str!("browser/ulpfec.txt"));
    let flexfec = read(include_str!("browser/flexfec.txt"));
    for (format, recording) in [(Format::Ulpfec, ulpfec), (Format::Flexfec03, flexfec)] {
        let kind = |packet: &Packet<'_>| recording.payloads[&packet.header().payload_type().number()];
        // What comes out of RED, and is media or repairs it.
        let packets: Vec<_> = recording
            .rtp
            .iter()
            .map(|bytes| {
                let mut bytes = bytes.clone();
                match kind(&Packet::parse(&bytes).unwrap()) {
                    "red" => red::unwrap_single(&mut bytes).unwrap().to_vec(),
                    _ => bytes,
                }
            })
            .collect();
        let packets: Vec<_> = packets.iter().map(|bytes| (bytes, Packet::parse(bytes).unwrap())).collect();
        let is_media = |packet: &Packet<'_>| kind(packet) == "VP8";
        let media: Vec<_> = packets.iter().filter(|(_, packet)| is_media(packet)).collect();
        let mut back = 0;
        for (_, lost) in &media {
            let header = lost.header();
            let mut recovery = Recovery::new(format, header.ssrc());
            for (bytes, packet) in &packets {
                if !is_media(packet) {
                    recovery.receive_repair(packet.payload()).unwrap();
                } else if packet.header().sequence_number() != header.sequence_number() {
                    recovery.receive_media(bytes, &recording.map);
                }
            }
            while let Some(recovered) = recovery.poll_recovered() {
                let recovered = Packet::parse(recovered).unwrap();
                assert_eq!(recovered.header().fields(), header.fields());
                assert_eq!((recovered.payload(), recovered.padding()), (lost.payload(), lost.padding()));
                for ((id, value), (other, original)) in
                    recovered.header().extensions().zip(header.extensions())
                {
                    assert_eq!(id, other);
                    match recording.map.kind(id).unwrap() {
                        Kind::AbsSendTime | Kind::TransmissionOffset | Kind::TransportSequenceNumber => {
                            assert!(value.iter().all(|byte| *byte == 0));
                        }
                        Kind::VideoTiming => assert_eq!(value[..7], original[..7]),
                        _ => assert_eq!(value, original),
                    }
                }
                back += 1;
            }
        }
        println!("{format:?}: {back} of {} packets came back", media.len());
        assert!(back * 2 > media.len());
    }
}

/// Three layers of one track, each with its id in its first packets and in what repairs it; all say what each layer has. Of
/// video, payloads were cut after 24 bytes for this file.
#[test]
fn layers_of_simulcast_are_told_apart() {
    let recording = read(include_str!("browser/simulcast-red.txt"));
    let map = &recording.map;
    let mut streams = BTreeMap::<Ssrc, &[u8]>::new();
    let mut repairs = BTreeMap::<Ssrc, &[u8]>::new();
    for (name, layers) in [("VP8", &mut streams), ("rtx", &mut repairs)] {
        for packet in recording.of(name) {
            let header = packet.header();
            let layer = match name {
                "VP8" => header.read::<RtpStreamId<'_>>(map).map(|id| id.0),
                _ => header.read::<RepairedRtpStreamId<'_>>(map).map(|id| id.0),
            };
            if let Some(layer) = layer {
                assert_eq!(header.read(map), Some(Mid(b"0")));
                assert_eq!(*layers.entry(header.ssrc()).or_insert(layer), layer);
            }
            let Some(all) = header.read::<VideoLayersAllocation>(map) else { continue };
            assert!((1..=3).contains(&all.streams) && all.active().count() > 0);
            let layer = [&b"q"[..], b"h", b"f"][usize::from(all.stream)];
            assert_eq!(layers[&header.ssrc()], layer);
            for (_, _, layer) in all.active() {
                assert!(layer.size.is_none_or(|size| size.width * 9 == size.height * 16));
                assert!(layer.bitrates[..usize::from(layer.temporal_layers)].is_sorted());
            }
        }
    }
    let ids = |layers: &BTreeMap<Ssrc, &[u8]>| layers.values().map(|id| id[0]).collect::<BTreeSet<_>>();
    assert_eq!(ids(&streams), BTreeSet::from(*b"qhf"));
    assert_eq!(ids(&repairs), BTreeSet::from(*b"qhf"));
    assert!(streams.keys().all(|ssrc| !repairs.contains_key(ssrc)));
}

#[test]
fn earlier_sound_is_what_came_before() {
    let recording = read(include_str!("browser/simulcast-red.txt"));
    let mut before = BTreeMap::new();
    let mut repeated = 0;
    for packet in recording.of("red") {
        let red = Red::parse(packet.payload()).unwrap();
        let timestamp = packet.header().timestamp();
        let opus = PayloadType::new(111).unwrap();
        assert_eq!(red.primary.payload_type, opus);
        for block in red.redundant() {
            // The first packet has one that was never sent alone.
            if let Some(earlier) = before.get(&block.timestamp(timestamp).0) {
                assert_eq!(block.bytes, *earlier);
                repeated += 1;
            }
        }
        before.insert(timestamp.0, red.primary.bytes);
        let mut written = Vec::new();
        let blocks: Vec<_> = red.redundant().collect();
        let earlier = blocks.iter().map(|block| (u32::from(block.offset), block.bytes));
        red::write(&mut written, opus, earlier, red.primary.bytes);
        assert_eq!(written, packet.payload());
    }
    assert!(repeated > 20, "{repeated}");
}
