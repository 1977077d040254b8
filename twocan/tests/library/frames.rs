//! Whole frames between connections on this machine.

use std::time::{Duration, SystemTime};

use twocan::{
    Direction, FrameCodec, FrameReceiver, FrameSender, MediaFrame, MediaKind, PeerConnection, PeerEvent,
    ReceivedFrame, Transceiver, TransceiverInit,
};

use crate::media::{answer, connect, connection, offer};

const PATIENCE: Duration = Duration::from_secs(30);

/// Of a codec with a picture number in it, so large that it takes several packets.
fn frame(codec: FrameCodec, number: u32, key: bool, captured: Option<SystemTime>) -> MediaFrame {
    let mut bytes = match codec {
        FrameCodec::Vp8 => vec![u8::from(!key), 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00],
        FrameCodec::H264 if key => {
            vec![0, 0, 0, 1, 0x67, 1, 2, 3, 0, 0, 0, 1, 0x68, 4, 5, 0, 0, 0, 1, 0x65, 0x88]
        }
        FrameCodec::H264 => vec![0, 0, 0, 1, 0x41, 0x88],
        _ => vec![0xF8],
    };
    bytes.extend(number.to_be_bytes().map(|byte| byte | 0x80));
    bytes.resize(if codec.is_audio() { 80 } else { 3000 }, 0x55);
    MediaFrame { bytes: bytes.into(), time: Duration::from_millis(20) * number, key, captured }
}

struct Pair {
    ada: PeerConnection,
    _bob: PeerConnection,
    sender: FrameSender,
    receiver: FrameReceiver,
}

async fn pair(kind: MediaKind, codec: FrameCodec) -> Pair {
    let (mut ada, mut bob) = (connection().await, connection().await);
    let init = TransceiverInit { direction: Direction::SendOnly, ..TransceiverInit::default() };
    let mut ours = ada.add_transceiver(kind, init).await.expect("made");
    offer(&ada, &bob).await;
    let theirs: Transceiver = bob.take_transceivers().await.expect("there").pop().expect("one");
    answer(&bob, &ada).await;
    connect(&mut ada, &mut bob).await;
    let sender = FrameSender::with_codec(&mut ours, codec).await.expect("agreed");
    Pair { ada, _bob: bob, sender, receiver: FrameReceiver::new(theirs) }
}

async fn next(receiver: &mut FrameReceiver) -> ReceivedFrame {
    tokio::time::timeout(PATIENCE, receiver.recv_frame()).await.expect("in time").expect("a frame")
}

#[tokio::test]
async fn frames_come_as_they_were_sent() {
    for (kind, codec) in [
        (MediaKind::Video, FrameCodec::Vp8),
        (MediaKind::Video, FrameCodec::H264),
        (MediaKind::Audio, FrameCodec::Opus),
    ] {
        let mut pair = pair(kind, codec).await;
        let start = SystemTime::now();
        let mut first = None;
        for number in 0..40 {
            let sent =
                frame(codec, number, number % 20 == 0, Some(start + Duration::from_millis(20) * number));
            pair.sender.send(&sent).await.expect("sent");
            let came = next(&mut pair.receiver).await;
            assert_eq!((&came.bytes, came.codec, came.lost), (&sent.bytes, codec, 0));
            assert!(came.key == (sent.key || codec.is_audio()), "{number}");
            let first = first.get_or_insert(came.timestamp);
            assert_eq!(came.timestamp - *first, u64::from(number * codec.clock_rate() / 50));
            assert!(came.is_captured_exact);
            let captured = came.captured.expect("told").to_duration();
            let unix = start.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970") + sent.time;
            let off = captured.abs_diff(unix + Duration::from_secs(2_208_988_800));
            assert!(off < Duration::from_micros(50), "{off:?}");
        }
        assert_eq!(pair.receiver.counters().frames, 40);
    }
}

#[tokio::test]
async fn who_comes_late_has_a_key_frame_asked_for() {
    let mut pair = pair(MediaKind::Video, FrameCodec::Vp8).await;
    let mut number = 0;
    let mut key = false;
    let came = loop {
        number += 1;
        // Sent again and again until it is asked for.
        pair.sender
            .send(&frame(FrameCodec::Vp8, number, std::mem::take(&mut key), None))
            .await
            .expect("sent");
        tokio::select! {
            Some(event) = pair.ada.next_event() => {
                key = matches!(event, PeerEvent::KeyFrameRequested { .. });
            }
            came = pair.receiver.recv_frame() => break came.expect("a frame"),
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
        assert!(number < 1000, "nobody asks for a key frame");
    };
    assert!(came.key && !came.is_captured_exact);
    // Sender reports say when it was taken, before long.
    let start = tokio::time::Instant::now();
    loop {
        number += 1;
        pair.sender.send(&frame(FrameCodec::Vp8, number, false, None)).await.expect("sent");
        if next(&mut pair.receiver).await.captured.is_some() {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "no sender report");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_codec_that_nobody_agreed_on_is_refused() {
    let (mut ada, mut bob) = (connection().await, connection().await);
    let mut ours = ada.add_transceiver(MediaKind::Audio, TransceiverInit::default()).await.expect("made");
    offer(&ada, &bob).await;
    answer(&bob, &ada).await;
    connect(&mut ada, &mut bob).await;
    let error = FrameSender::with_codec(&mut ours, FrameCodec::Vp8).await.expect_err("no sound");
    assert!(error.to_string().contains("codec"), "{error}");
    assert_eq!(FrameSender::new(&mut ours).await.expect("one").codec(), FrameCodec::Opus);
}
