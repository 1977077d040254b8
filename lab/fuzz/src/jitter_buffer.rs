//! A stream's packets in any order, with any numbers and contents, at any times (RFC 3550 §6.4.1): frames come in the order
//! of their numbers, time does not stand still, and what waits is bounded.

use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use rtp::codec::Codec;
use rtp::jitter::{JitterBuffer, JitterConfig};
use rtp::{Fields, HeaderWriter, PayloadType, SequenceNumber, Ssrc, Timestamp};

const CODECS: [Codec; 6] = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::H265, Codec::Av1, Codec::Opus];
const LIMIT: usize = 2000;

#[derive(Arbitrary)]
enum Step<'a> {
    /// A packet so far from the highest number, with a timestamp so much later.
    Packet {
        ahead: i8,
        later: u8,
        marker: bool,
        is_repair: bool,
        payload: &'a [u8],
    },
    /// One of another codec, or bytes that are no packet.
    Other(&'a [u8]),
    Jump(u32),
    Wait(u8),
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(codec) = input.choose(&CODECS).copied() else { return };
    let own = PayloadType::new(96).expect("below 128");
    let config = JitterConfig { frame_limit: LIMIT, ..JitterConfig::new(codec, own) };
    let mut buffer = JitterBuffer::new(config);
    let mut now = Instant::now();
    let (mut highest, mut time) = (0x1_FFF0_u64, Timestamp(u32::MAX - 500));
    let (mut pushed, mut frames) = (0_u64, 0);
    let mut poll = |buffer: &mut JitterBuffer<Vec<u8>>, now: Instant| {
        while let Some(frame) = buffer.poll_frame(now) {
            assert!(!frame.bytes.is_empty() && frame.bytes.len() <= LIMIT + 4 && frame.arrived <= now);
            frames += 1;
        }
        buffer.poll_key_frame_request(now);
        assert!(!buffer.poll_key_frame_request(now), "asked for twice");
        assert!(buffer.poll_timeout().is_none_or(|at| at > now), "time stands still");
        assert_eq!(buffer.counters().frames, frames);
    };
    while !input.is_empty() {
        match Step::arbitrary(&mut input) {
            Ok(Step::Packet { ahead, later, marker, is_repair, payload }) => {
                let number = highest.saturating_add_signed(i64::from(ahead) / 8);
                highest = highest.max(number);
                time = time.plus(u32::from(later));
                let fields = Fields {
                    marker,
                    payload_type: own,
                    sequence_number: SequenceNumber(number as u16),
                    timestamp: time,
                    ssrc: Ssrc(1),
                };
                let mut packet = Vec::new();
                HeaderWriter::new(&mut packet, &fields).finish().buffer().extend_from_slice(payload);
                pushed += u64::from(buffer.push(now, number, is_repair, packet).is_ok());
            }
            Ok(Step::Other(bytes)) => {
                highest += 1;
                pushed += u64::from(buffer.push(now, highest, false, bytes.to_vec()).is_ok());
            }
            Ok(Step::Jump(count)) => highest += u64::from(count),
            Ok(Step::Wait(millis)) => now += Duration::from_millis(millis.into()),
            Err(_) => break,
        }
        poll(&mut buffer, now);
    }
    // Whatever is missing is given up in the end.
    now += buffer.config().longest;
    poll(&mut buffer, now);
    now += buffer.config().longest;
    poll(&mut buffer, now);
    assert!(buffer.counters().frames <= pushed);
}
