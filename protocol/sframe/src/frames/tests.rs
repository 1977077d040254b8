use proptest::prelude::*;

use super::*;
use crate::CipherSuite;

const SUITE: CipherSuite = CipherSuite::Aes128GcmSha256_128;
const BASE_KEY: [u8; 16] = [7; 16];

fn ends() -> (Sender, Receiver) {
    let mut receiver = Receiver::new(SUITE);
    receiver.set_shared_key(Some(&BASE_KEY));
    (Sender::new(SUITE, 9, &BASE_KEY).unwrap(), receiver)
}

/// A frame with parameter sets and two slices.
const H264: [u8; 29] =
    [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 4, 0, 0, 1, 0x65, 0x88, 0x84, 0, 0, 9, 9, 0, 0, 1, 0x65, 5, 6];

fn body() -> Vec<u8> {
    (0..40_u8).map(|at| at.wrapping_mul(7)).collect()
}

/// One of each, and how much of it stays.
fn frames() -> Vec<(&'static str, Vec<u8>, usize)> {
    let with = |front: &[u8]| [front, &body()].concat();
    vec![
        ("opus", with(&[0x78]), 1),
        ("audio/opus", vec![0x78], 1),
        ("video/VP8", with(&[0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1]), 10),
        ("video/VP8", with(&[0x11, 2, 0]), 3),
        ("video/VP9", with(&[0x82]), 0),
        ("audio/PCMU", body(), 0),
        ("video/H264", H264.to_vec(), 21),
    ]
}

/// The same hexadecimal numbers stand in `web/tests/frames.test.js`.
const SEALED: [&str; 7] = [
    "7880097aae84b20844a429a235a03d58334bbac73d21a4109d1383783a3854e199ac737b4770b12ff3dfa382\
     921acecb8c0233eb0b8ef8849055c4",
    "7881096c37fb919a98cea43ef6a8383fe51518",
    "1002009d012a8002e0018209558ed28906598a63df7caac0ee2bb86666f9b712564f31a4dbce11cc7c644955\
     39880abec37efd05cf5be1d4423a9c86b60622e6340384f0",
    "1102008309118637330bce68a812be6676cf4ee6a166b54e69f7e268edcb2784256d6771755fb8de69be0f73\
     1f046d169079e26b8950329f283b1d8086",
    "84090661420c1c1949b7f95f3c2c7e15f35f958a6b8a2e14ec76611b8408d7bd39edd15ce3c67ecd7e0aceec\
     e5c18e0d158554dd4ed3044d6adeab",
    "85096dd16fbe590d6197e12cea244edb0639f56487761b49344df885fd58e34a818f8ad9db14284e703dc9a3\
     54cf56999b9d8761c2df368a1024",
    "0000000167010200000168030400000165888400008609558127d5c4ae5dfdba64dfe0dde95b27d5299a7d60\
     7ea50680",
];

#[test]
fn browsers_make_the_same_of_them() {
    let (mut sender, mut receiver) = ends();
    for ((name, frame, clear), expected) in frames().into_iter().zip(SEALED) {
        let format = FrameFormat::of(name).unwrap();
        let mut sealed = frame.clone();
        format.seal(&mut sender, &mut sealed).unwrap();
        assert_eq!(sealed[..clear], frame[..clear], "{name}");
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected, "{name}");
        format.open(&mut receiver, &mut sealed).unwrap();
        assert_eq!(sealed, frame, "{name}");
    }
}

#[test]
fn what_is_in_the_clear_is_authenticated() {
    for (name, frame, clear) in frames() {
        let format = FrameFormat::of(name).unwrap();
        if clear == 0 || format == FrameFormat::H264 {
            continue;
        }
        let (mut sender, mut receiver) = ends();
        let mut sealed = frame;
        format.seal(&mut sender, &mut sealed).unwrap();
        sealed[0] ^= 2;
        assert_eq!(format.open(&mut receiver, &mut sealed), Err(Fault::Forged), "{name}");
    }
}

#[test]
fn what_is_no_frame_is_neither_sealed_nor_opened() {
    let (mut sender, mut receiver) = ends();
    let none: [(&str, &[u8]); 5] = [
        ("opus", &[]),
        ("vp8", &[]),
        ("vp8", &[0x10, 0, 0]),
        ("h264", &[0, 0, 0, 1, 0x67, 1, 2, 3, 4, 5, 6]),
        ("h264", &[0, 0, 0, 1, 0x65, 1]),
    ];
    for (name, frame) in none {
        let format = FrameFormat::of(name).unwrap();
        assert_eq!(format.seal(&mut sender, &mut frame.to_vec()), Err(EncryptError::NoFrame), "{name}");
        assert_eq!(format.open(&mut receiver, &mut frame.to_vec()), Err(Fault::Truncated), "{name}");
    }
    assert_eq!(FrameFormat::of("video/AV1"), None);
}

#[test]
fn longer_start_codes_and_zeros_at_the_end_do_not_matter() {
    let (mut sender, mut receiver) = ends();
    let mut sealed = H264.to_vec();
    FrameFormat::H264.seal(&mut sender, &mut sealed).unwrap();
    let mut longer = [&sealed[..7], &[0], &sealed[7..13], &[0], &sealed[13..], &[0, 0]].concat();
    FrameFormat::H264.open(&mut receiver, &mut longer).unwrap();
    assert_eq!(longer[23..], H264[21..]);
}

proptest! {
    #[test]
    fn no_start_code_comes_up(front in prop::collection::vec(0_u8..4, 0..4), body in prop::collection::vec(0_u8..5, 0..64)) {
        let mut frame = [&[0, 0, 1, 0x65][..], &front].concat();
        let clear = frame.len();
        escape(&mut frame, &body);
        prop_assert_eq!(unescaped(&frame, clear).unwrap(), body);
        let made = frame.windows(3).enumerate().filter(|(_, three)| *three == [0, 0, 1]).map(|(at, _)| at + 3);
        prop_assert!(made.max().is_none_or(|end| end <= clear));
        prop_assert_ne!(frame.last(), Some(&0));
    }

    #[test]
    fn nothing_that_comes_in_panics(bytes in prop::collection::vec(any::<u8>(), 0..80), which in 0_usize..5) {
        let formats = [FrameFormat::Opus, FrameFormat::Vp8, FrameFormat::H264, FrameFormat::Vp9, FrameFormat::Samples];
        let (_, mut receiver) = ends();
        prop_assert!(formats[which].open(&mut receiver, &mut bytes.clone()).is_err());
    }
}
