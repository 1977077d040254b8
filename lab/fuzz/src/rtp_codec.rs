//! What a payload is, and frames that come of payloads and go into them (RFC 7741, 9628, 6184, 7798, AOM's for AV1).

use arbitrary::{Arbitrary, Unstructured};
use rtp::codec::{Codec, EncodedFrame, FrameAssembler, Packetizer, opus, vp8, vp9};
use rtp::{Fields, PayloadType, SequenceNumber, Ssrc, Timestamp};

const CODECS: [Codec; 6] = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::H265, Codec::Av1, Codec::Opus];
const LIMIT: usize = 2000;

/// A packet, as it comes.
#[derive(Arbitrary)]
struct Piece<'a> {
    /// 0 where the number is the next one.
    lost: u8,
    later: u8,
    marker: bool,
    payload: &'a [u8],
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(codec) = input.choose(&CODECS).copied() else { return };
    let mut assembler = FrameAssembler::new(codec, LIMIT);
    let (mut number, mut timestamp) = (SequenceNumber(0xFFFF), Timestamp(0));
    while !input.is_empty() {
        let Ok(piece) = Piece::arbitrary(&mut input) else { break };
        number = number.plus(u16::from(piece.lost / 64) + 1);
        timestamp = timestamp.plus(u32::from(piece.later / 64));
        payload(codec, piece.payload, piece.marker);
        let fields = Fields {
            marker: piece.marker,
            payload_type: PayloadType::new(96).expect("below 128"),
            sequence_number: number,
            timestamp,
            ssrc: Ssrc(1),
        };
        if let Ok(Some(frame)) = assembler.push(&fields, piece.payload) {
            assert!(frame.bytes.len() <= LIMIT);
            assert_eq!(frame.timestamp, timestamp);
        }
    }
    // The whole input, as a frame.
    cut(codec, bytes);
}

fn payload(codec: Codec, payload: &[u8], marker: bool) {
    let described = codec.describe(payload, marker);
    let _ = codec.audio_ticks(payload).is_none_or(|ticks| ticks <= 5760);
    let _ = (opus::is_stereo(payload), opus::is_discontinuous(payload));
    if let (Codec::Vp8 | Codec::Vp9, Ok(before)) = (codec, described) {
        let mut changed = payload.to_vec();
        let rewrite = if codec == Codec::Vp8 { vp8::rewrite } else { vp9::rewrite };
        assert!(rewrite(&mut changed, 0x1234, 0x56));
        let after = codec.describe(&changed, marker).expect("it still is one");
        let expected = before.picture_id.map(|id| if id.long { 0x1234 } else { 0x34 });
        assert_eq!(after.picture_id.map(|id| id.value), expected);
        assert_eq!(after.tl0_picture_index, before.tl0_picture_index.map(|_| 0x56));
        assert_eq!(
            (after.key, after.temporal, after.resolution),
            (before.key, before.temporal, before.resolution)
        );
    }
}

/// Payloads keep within their bound, and a frame comes of them.
fn cut(codec: Codec, bytes: &[u8]) {
    let max = 64 + bytes.len() % 100;
    let frame = EncodedFrame { bytes, key: true, ..EncodedFrame::default() };
    let mut packetizer = Packetizer::new(codec, 7);
    let Ok(mut payloads) = packetizer.begin(&frame, max) else { return };
    let mut assembler = FrameAssembler::new(codec, usize::MAX / 2);
    // Behind a marker a frame begins.
    let mut number = SequenceNumber(0);
    let fields = |sequence_number, timestamp, marker| Fields {
        marker,
        payload_type: PayloadType::new(96).expect("below 128"),
        sequence_number,
        timestamp: Timestamp(timestamp),
        ssrc: Ssrc(1),
    };
    let _ = assembler.push(&fields(number, 0, true), &[0xFF]);
    loop {
        let mut payload = Vec::new();
        let Some(last) = payloads.write_next(&mut payload) else { panic!("the last one says so") };
        assert!(!payload.is_empty() && payload.len() <= max, "{} bytes", payload.len());
        number = number.plus(1);
        match assembler.push(&fields(number, 1, last), &payload) {
            Ok(frame) => assert_eq!(frame.is_some(), last),
            // An OBU or a unit may be nonsense within.
            Err(_) => return,
        }
        if last {
            return;
        }
    }
}
