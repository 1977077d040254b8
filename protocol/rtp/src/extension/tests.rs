use std::fmt::Debug;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::number::SequenceNumber;
use crate::time::NtpTime;

/// Writes a value, checks its bytes, and reads it back.
fn check<'a, E: Extension<'a> + PartialEq + Debug>(value: &E, bytes: &'a [u8]) {
    let mut written = Vec::new();
    value.write(&mut written);
    assert_eq!(written, bytes);
    assert_eq!(E::parse(bytes).as_ref(), Some(value));
}

#[test]
fn values_are_where_their_diagrams_have_them() {
    check(&AudioLevel { level: 127, voice: false }, &[0x7F]);
    check(&AudioLevel { level: 5, voice: true }, &[0x85]);
    check(&Mid(b"audio"), b"audio");
    check(&RtpStreamId(b"hi"), b"hi");
    check(&RepairedRtpStreamId(b"lo_1"), b"lo_1");
    check(&AbsSendTime(0x01_0203), &[1, 2, 3]);
    let number = SequenceNumber(0x1234);
    check(&TransportSequenceNumber { number, request: None }, &[0x12, 0x34]);
    let request = Some(FeedbackRequest { timing: true, count: 0x0102 });
    check(&TransportSequenceNumber { number, request }, &[0x12, 0x34, 0x81, 0x02]);
    let timestamp = NtpTime(0x0102_0304_0506_0708);
    check(&AbsCaptureTime { timestamp, clock_offset: None }, &[1, 2, 3, 4, 5, 6, 7, 8]);
    check(
        &AbsCaptureTime { timestamp, clock_offset: Some(-2) },
        &[1, 2, 3, 4, 5, 6, 7, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE],
    );
    check(&VideoOrientation { back_camera: true, flip: false, rotation: Rotation::Degrees270 }, &[0x0B]);
    let timing = VideoTiming {
        by_timer: false,
        by_size: true,
        encode_start: 1,
        encode_finish: 2,
        packetized: 3,
        paced: 4,
        network: [5, 6],
    };
    check(&timing, &[2, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]);
    let mut space = ColorSpace { primaries: 1, transfer: 2, matrix: 3, range_and_siting: 0x1A, hdr: None };
    check(&space, &[1, 2, 3, 0x1A]);
    let color = |x, y| Chromaticity { x, y };
    space.hdr = Some(HdrMetadata {
        luminance_max: 1000,
        luminance_min: 50,
        red: color(1, 2),
        green: color(3, 4),
        blue: color(5, 6),
        white: color(7, 8),
        max_content_light: 9,
        max_frame_average_light: 10,
    });
    check(
        &space,
        &[1, 2, 3, 0x1A, 3, 0xE8, 0, 50, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9, 0, 10],
    );
}

#[test]
fn what_is_no_value_is_none() {
    assert_eq!(AudioLevel::parse(&[]), None);
    assert_eq!(Mid::parse(&[]), None);
    assert_eq!(RtpStreamId::parse(b"a b"), None);
    assert_eq!(RepairedRtpStreamId::parse(&[0xC3, 0xA4]), None);
    assert_eq!(AbsSendTime::parse(&[1, 2]), None);
    assert_eq!(TransportSequenceNumber::parse(&[1, 2, 3]), None);
    assert_eq!(AbsCaptureTime::parse(&[0; 12]), None);
    assert_eq!(VideoOrientation::parse(&[0, 0]), None);
    assert_eq!(VideoTiming::parse(&[0; 14]), None);
    assert_eq!(ColorSpace::parse(&[0; 27]), None);
    // A count of zero asks for nothing.
    let number = SequenceNumber(1);
    let plain = TransportSequenceNumber { number, request: None };
    assert_eq!(TransportSequenceNumber::parse(&[0, 1, 0x80, 0]), Some(plain));
}

proptest! {
    #[test]
    fn any_bytes_are_read_as_they_are_written_again(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        fn again<'a, E: Extension<'a>>(bytes: &'a [u8], parse: impl Fn(&[u8]) -> bool) -> bool {
            E::parse(bytes).is_none_or(|value| {
                let mut written = Vec::new();
                value.write(&mut written);
                parse(&written)
            })
        }
        macro_rules! check {
            ($($kind:ident)*) => {
                $(prop_assert!(again::<$kind>(&bytes, |written| $kind::parse(written) == $kind::parse(&bytes)));)*
            };
        }
        check!(AudioLevel AbsSendTime TransportSequenceNumber AbsCaptureTime PlayoutDelay VideoOrientation
            VideoTiming ColorSpace VideoLayersAllocation);
    }

    #[test]
    fn playout_delays_are_in_order(a in 0_u64..50_000, b in 0_u64..50_000) {
        let (a, b) = (Duration::from_millis(a), Duration::from_millis(b));
        if let Some(delay) = PlayoutDelay::new(a, b) {
            prop_assert!(delay.min() <= delay.max() && delay.min() <= a && delay.max() <= b);
        }
    }
}
