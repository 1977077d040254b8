#![expect(clippy::disallowed_methods, reason = "any instant will do to count from")]

use proptest::prelude::*;

use super::*;
use crate::codec::{EncodedFrame, Packetizer};
use crate::header::{Fields, HeaderWriter};
use crate::number::{SequenceNumber, Ssrc};

/// Numbers and timestamps that are about to wrap around.
const FIRST: u64 = 0x2_FFFC;
const FIRST_TIME: Timestamp = Timestamp(u32::MAX - 10_000);
const STEP: u32 = 3000;

/// A packet of the stream.
#[derive(Clone, Debug)]
struct Sent {
    number: u64,
    bytes: Vec<u8>,
}

fn type_of(codec: Codec) -> PayloadType {
    PayloadType::new(if codec.is_audio() { 111 } else { 96 }).unwrap()
}

/// A frame whose number can be read in it.
fn content(codec: Codec, number: u32, key: bool, len: usize) -> Vec<u8> {
    let mut bytes = match codec {
        Codec::Vp8 => vec![u8::from(!key), 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00],
        // Parameter sets, then a slice.
        Codec::H264 if key => vec![0, 0, 0, 1, 0x67, 1, 2, 3, 0, 0, 0, 1, 0x68, 4, 5, 0, 0, 0, 1, 0x65, 0x88],
        Codec::H264 => vec![0, 0, 0, 1, 0x41, 0x88],
        _ => vec![0xF8],
    };
    bytes.extend([0xFE, 7]);
    bytes.extend(number.to_be_bytes().map(|byte| byte | 0x80));
    bytes.resize(bytes.len() + len, 0x55);
    bytes
}

/// Frames with a key frame every `interval`, as packets, and the frames.
fn stream(codec: Codec, sizes: &[usize], interval: usize) -> (Vec<Vec<Sent>>, Vec<Vec<u8>>) {
    let mut packetizer = Packetizer::new(codec, 0x7FFE);
    let (mut packets, mut frames) = (Vec::new(), Vec::new());
    let mut number = FIRST;
    for (at, size) in sizes.iter().enumerate() {
        let key = at % interval == 0;
        let bytes = content(codec, at as u32, key, *size);
        let frame = EncodedFrame { bytes: &bytes, key, ..EncodedFrame::default() };
        let mut payloads = packetizer.begin(&frame, 300).unwrap();
        let mut of_frame = Vec::new();
        loop {
            let mut payload = Vec::new();
            let Some(marker) = payloads.write_next(&mut payload) else { break };
            let fields = Fields {
                marker,
                payload_type: type_of(codec),
                sequence_number: SequenceNumber(number as u16),
                timestamp: FIRST_TIME.plus(at as u32 * STEP),
                ssrc: Ssrc(7),
            };
            let mut bytes = Vec::new();
            let writer = HeaderWriter::new(&mut bytes, &fields);
            writer.finish().buffer().extend_from_slice(&payload);
            of_frame.push(Sent { number, bytes });
            number += 1;
        }
        packets.push(of_frame);
        frames.push(bytes);
    }
    (packets, frames)
}

struct Receiver {
    buffer: JitterBuffer<Vec<u8>>,
    now: Instant,
    got: Vec<JitterFrame>,
    asked: usize,
}

impl Receiver {
    fn new(codec: Codec) -> Self {
        let buffer = JitterBuffer::new(JitterConfig::new(codec, type_of(codec)));
        Self { buffer, now: Instant::now(), got: Vec::new(), asked: 0 }
    }

    fn take(&mut self, sent: &Sent, is_repair: bool) -> Result<(), JitterFault> {
        let result = self.buffer.push(self.now, sent.number, is_repair, sent.bytes.clone());
        self.poll();
        result
    }

    fn poll(&mut self) {
        self.got.extend(std::iter::from_fn(|| self.buffer.poll_frame(self.now)));
        self.asked += usize::from(self.buffer.poll_key_frame_request(self.now));
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.poll();
    }

    fn bytes(&self) -> Vec<&[u8]> {
        self.got.iter().map(|frame| &frame.bytes[..]).collect()
    }
}

#[test]
fn frames_come_out_as_they_went_in() {
    for codec in [Codec::Vp8, Codec::H264, Codec::Opus] {
        let sizes: Vec<usize> = (0..30).map(|at| if codec.is_audio() { 20 } else { at * 37 }).collect();
        let (packets, frames) = stream(codec, &sizes, 10);
        let mut receiver = Receiver::new(codec);
        for sent in packets.iter().flatten() {
            receiver.take(sent, false).unwrap();
        }
        assert_eq!(receiver.bytes(), frames, "{codec:?}");
        let times: Vec<u64> = receiver.got.iter().map(|frame| frame.timestamp).collect();
        assert!(times.windows(2).all(|two| two[1] == two[0] + u64::from(STEP)), "around the wrap: {times:?}");
        assert!(receiver.got.iter().all(|frame| frame.lost == 0));
        assert_eq!((receiver.asked, receiver.buffer.poll_timeout()), (0, None));
    }
}

#[test]
fn whichever_packet_of_the_first_picture_comes_first_none_is_late() {
    for codec in [Codec::Vp8, Codec::H264] {
        let (packets, frames) = stream(codec, &[1000, 100], 100);
        let first = &packets[0];
        let (last, others) = first.split_last().unwrap();
        for place in 0..others.len() {
            let mut receiver = Receiver::new(codec);
            receiver.take(&others[place], false).unwrap();
            let rest = others.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, sent)| sent);
            for sent in rest.rev().chain([last]).chain(&packets[1]) {
                receiver.take(sent, false).unwrap();
            }
            assert_eq!(receiver.bytes(), frames, "{codec:?}, {place} first");
            assert_eq!((receiver.asked, receiver.buffer.poll_timeout()), (0, None));
            assert_eq!(receiver.take(&others[0], false), Err(JitterFault::Late));
        }
    }
}

#[test]
fn the_first_picture_is_not_waited_for_without_end() {
    let (packets, _) = stream(Codec::Vp8, &[1000], 1);
    let mut receiver = Receiver::new(Codec::Vp8);
    receiver.take(&packets[0][0], false).unwrap();
    assert_eq!(receiver.buffer.poll_timeout(), None, "nothing is missing yet");
    receiver.take(&packets[0][2], false).unwrap();
    let until = receiver.buffer.poll_timeout().unwrap();
    receiver.wait(until - receiver.now);
    assert_eq!(receiver.buffer.counters().lost, 1);
    assert_eq!(receiver.asked, 1);
    assert!(receiver.buffer.poll_timeout().is_some_and(|at| at > receiver.now), "to ask again");
}

#[test]
fn what_is_of_an_earlier_picture_than_the_first_is_late() {
    let (packets, frames) = stream(Codec::Vp8, &[1000, 1000], 1);
    let mut receiver = Receiver::new(Codec::Vp8);
    let (first, others) = packets[1].split_first().unwrap();
    receiver.take(first, false).unwrap();
    assert_eq!(receiver.take(packets[0].last().unwrap(), false), Err(JitterFault::Late));
    for sent in others {
        receiver.take(sent, false).unwrap();
    }
    assert_eq!(receiver.bytes(), frames[1..]);
}

#[test]
fn what_is_missing_is_waited_for() {
    let (packets, frames) = stream(Codec::Vp8, &[700, 100, 100, 100], 100);
    let mut receiver = Receiver::new(Codec::Vp8);
    let all: Vec<Sent> = packets.into_iter().flatten().collect();
    for sent in all.iter().filter(|sent| sent.number != FIRST + 1) {
        receiver.take(sent, false).unwrap();
    }
    assert!(receiver.got.is_empty());
    assert_eq!(receiver.buffer.poll_timeout(), Some(receiver.now + Duration::from_millis(500)));
    receiver.wait(Duration::from_millis(100));
    receiver.take(&all[1], true).unwrap();
    assert_eq!(receiver.bytes(), frames);
    assert_eq!(receiver.take(&all[1], true), Err(JitterFault::Late));
    // A repair takes 100 ms here: two of them, and what may merely be overtaken.
    let patience = receiver.buffer.patience();
    assert!((Duration::from_millis(220)..Duration::from_millis(400)).contains(&patience), "{patience:?}");
}

#[test]
fn what_does_not_come_is_given_up_and_a_key_frame_asked_for() {
    for codec in [Codec::Vp8, Codec::H264] {
        let (packets, frames) = stream(codec, &[100, 700, 100, 100, 100, 100], 4);
        let mut receiver = Receiver::new(codec);
        let lost = packets[1][1].number;
        for sent in packets[..4].iter().flatten().filter(|sent| sent.number != lost) {
            receiver.take(sent, false).unwrap();
        }
        assert_eq!(receiver.bytes(), frames[..1]);
        receiver.wait(Duration::from_millis(499));
        assert_eq!((receiver.got.len(), receiver.asked), (1, 0));
        receiver.wait(Duration::from_millis(1));
        assert_eq!((receiver.got.len(), receiver.asked), (1, 1), "{codec:?}: what follows is of no use");
        receiver.wait(ASK_AGAIN);
        assert_eq!(receiver.asked, 2);
        for sent in packets[4..].iter().flatten() {
            receiver.take(sent, false).unwrap();
        }
        assert_eq!(receiver.bytes(), [&frames[0][..], &frames[4], &frames[5]], "{codec:?}");
        assert_eq!(receiver.got[1].lost, 1);
        receiver.wait(ASK_AGAIN * 2);
        assert_eq!((receiver.asked, receiver.buffer.poll_timeout()), (2, None));
    }
}

#[test]
fn padding_that_is_lost_costs_no_picture() {
    let (packets, frames) = stream(Codec::Vp8, &[100, 100], 100);
    let mut receiver = Receiver::new(Codec::Vp8);
    receiver.take(&packets[0][0], false).unwrap();
    let mut later = packets[1][0].clone();
    later.number += 5;
    later.bytes[2..4].copy_from_slice(&(later.number as u16).to_be_bytes());
    receiver.take(&later, false).unwrap();
    receiver.wait(Duration::from_secs(1));
    assert_eq!((receiver.bytes(), receiver.asked), (vec![&frames[0][..], &frames[1]], 0));
    assert_eq!(receiver.got[1].lost, 5);
}

#[test]
fn sound_goes_on_behind_a_gap() {
    let (packets, frames) = stream(Codec::Opus, &[9; 5], 1);
    let mut receiver = Receiver::new(Codec::Opus);
    for at in [0, 2, 3] {
        receiver.take(&packets[at][0], false).unwrap();
    }
    assert_eq!(receiver.got.len(), 1);
    receiver.wait(receiver.buffer.patience());
    assert_eq!(receiver.bytes(), [&frames[0][..], &frames[2], &frames[3]]);
    assert_eq!(receiver.take(&packets[1][0], false), Err(JitterFault::Late));
    assert_eq!(receiver.asked, 0);
}

#[test]
fn whoever_joins_late_asks_for_a_key_frame() {
    for codec in [Codec::Vp8, Codec::H264] {
        let (packets, _) = stream(codec, &[700, 700, 100], 100);
        let mut receiver = Receiver::new(codec);
        for sent in packets.iter().flatten().skip(1) {
            receiver.take(sent, false).unwrap();
        }
        assert!(receiver.got.is_empty(), "{codec:?}");
        assert_eq!(receiver.asked, 1, "{codec:?}");
    }
}

#[test]
fn packets_of_other_codecs_are_passed_over() {
    let (packets, frames) = stream(Codec::Opus, &[9; 3], 1);
    let mut receiver = Receiver::new(Codec::Opus);
    let mut tone = packets[1][0].clone();
    tone.bytes[1] = 110;
    for sent in [&packets[0][0], &tone, &packets[2][0]] {
        receiver.take(sent, false).unwrap();
    }
    assert_eq!(receiver.bytes(), [&frames[0][..], &frames[2]]);
    assert_eq!(receiver.got[1].lost, 0);
}

#[test]
fn a_jump_gives_up_what_waits() {
    let (packets, _) = stream(Codec::Opus, &[9; 3], 1);
    let mut receiver = Receiver::new(Codec::Opus);
    receiver.take(&packets[0][0], false).unwrap();
    receiver.take(&packets[2][0], false).unwrap();
    let mut far = packets[1][0].clone();
    far.number += 1 << 16;
    receiver.take(&far, false).unwrap();
    assert_eq!(receiver.got.len(), 2, "the one that waited is gone");
    assert_eq!(receiver.buffer.counters().lost, 1 << 16);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever a network does: frames come in order, each as it was sent, none twice, and none that depends on one that
    /// did not come; and where everything comes in time, all do.
    #[test]
    fn a_network_costs_no_more_than_it_loses(
        codec in prop_oneof![Just(Codec::Vp8), Just(Codec::H264), Just(Codec::Opus)],
        sizes in proptest::collection::vec(0usize..1500, 1..60),
        fates in proptest::collection::vec((0u8..20, 0u64..120), 400),
        loses in any::<bool>(),
    ) {
        let sizes: Vec<usize> = if codec.is_audio() { sizes.iter().map(|size| size / 8).collect() } else { sizes };
        let (packets, frames) = stream(codec, &sizes, 12);
        // When each comes: a tick for each packet, later for some; and some twice, or never.
        let mut arrivals = Vec::new();
        for (at, sent) in packets.iter().flatten().enumerate() {
            let (fate, delay) = fates[at % fates.len()];
            let first = at as u64 * 5;
            // What comes first is what counts begin with.
            match fate {
                0 if loses && at > 0 => {}
                1 if at > 0 => arrivals.push((first + delay, sent)),
                2 => arrivals.extend([(first, sent), (first + delay, sent)]),
                _ => arrivals.push((first, sent)),
            }
        }
        arrivals.sort_by_key(|(when, sent)| (*when, sent.number));
        let mut receiver = Receiver::new(codec);
        receiver.buffer.config.shortest = Duration::from_millis(150);
        let start = receiver.now;
        for (when, sent) in arrivals {
            receiver.now = start + Duration::from_millis(when);
            receiver.poll();
            let _ = receiver.take(sent, false);
        }
        receiver.wait(Duration::from_secs(2));
        let places: Vec<usize> = receiver
            .got
            .iter()
            // Parameter sets that are known are not needed again.
            .map(|got| frames.iter().position(|frame| frame.ends_with(&got.bytes)).expect("one that was sent"))
            .collect();
        prop_assert!(places.windows(2).all(|two| two[0] < two[1]), "{places:?}");
        for (at, place) in places.iter().enumerate() {
            let since = receiver.got[at].timestamp - receiver.got[0].timestamp;
            prop_assert_eq!(since, (place - places[0]) as u64 * u64::from(STEP));
            let follows = codec.is_audio() || place % 12 == 0 || (at > 0 && places[at - 1] + 1 == *place);
            prop_assert!(follows, "{places:?}");
        }
        if !loses {
            prop_assert_eq!(places.len(), frames.len());
            prop_assert_eq!(receiver.buffer.counters().lost, 0);
        }
    }
}
