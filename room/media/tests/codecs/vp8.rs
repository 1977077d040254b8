//! VP8.

use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use twocan_media::codec::{CodecError, Vp8Decoder, Vp8Encoder, Vp8Settings};
use twocan_media::picture::Plane;
use twocan_media::{Frame, I420, I420Buffer};

const RATE: u32 = 30;

fn time(number: u32) -> Duration {
    Duration::from_secs(number.into()) / RATE
}

/// From 0 to 127 and back.
fn wave(phase: u32) -> u32 {
    (phase % 256).min(255 - phase % 256)
}

/// A texture that moves.
pub(crate) fn draw(number: u32, width: u32, height: u32) -> I420Buffer {
    let mut picture = I420Buffer::new(width, height).unwrap();
    let sides = [(width, 1), (width.div_ceil(2), 2), (width.div_ceil(2), 3)];
    for (plane, (width, kind)) in picture.planes_mut().into_iter().zip(sides) {
        for (y, row) in (0..).zip(plane.chunks_mut(width as usize)) {
            let height = wave(y * 6 + number * 5);
            for (x, pixel) in (0..).zip(row) {
                *pixel = (64 + wave((x + number * 2) * kind * 5 + y * 6) * height / 127) as u8;
            }
        }
    }
    picture
}

/// Of luma and chroma together, in dB.
pub(crate) fn psnr(one: &I420<'_>, other: &I420<'_>) -> f64 {
    assert_eq!((one.width(), one.height()), (other.width(), other.height()));
    let (mut sum, mut count) = (0.0, 0.0);
    for (a, b) in one.rows().flatten().zip(other.rows().flatten()) {
        sum += f64::from(a.abs_diff(*b)).powi(2);
        count += 1.0;
    }
    10.0 * (255.0_f64.powi(2) * count / f64::max(sum, 1.0)).log10()
}

fn bits(frames: &[Frame]) -> u64 {
    frames.iter().map(|frame| frame.bytes.len() as u64 * 8).sum()
}

#[test]
fn pictures_come_back() {
    // Some are of no whole macroblocks, and some of hardly a pixel.
    for (width, height, least) in
        [(320, 180, 30.0), (177, 99, 30.0), (16, 16, 30.0), (1, 1, 20.0), (2, 33, 20.0)]
    {
        let mut encoder = Vp8Encoder::new(Vp8Settings::new(width, height, 800_000)).unwrap();
        let mut decoder = Vp8Decoder::new(320, 320).unwrap();
        let mut worst = f64::MAX;
        for number in 0..30 {
            let picture = draw(number, width, height);
            let frame = encoder.encode(&picture.picture(), time(number), false).unwrap();
            let frame = frame.expect("there are bits for it");
            assert_eq!((frame.time, frame.key), (time(number), number == 0));
            let decoded = decoder.decode(&frame.bytes).unwrap().expect("it is shown");
            worst = worst.min(psnr(&picture.picture(), &decoded));
        }
        assert!(worst > least, "{width}x{height}: {worst:.1} dB");
    }
}

#[test]
fn what_is_decoded_is_encoded_where_it_lies() {
    let (width, height) = (320, 180);
    let settings = Vp8Settings::new(width, height, 1_000_000);
    let mut encoders = [Vp8Encoder::new(settings).unwrap(), Vp8Encoder::new(settings).unwrap()];
    let mut decoders = [Vp8Decoder::new(width, height).unwrap(), Vp8Decoder::new(width, height).unwrap()];
    let [first, second] = &mut encoders;
    let [near, far] = &mut decoders;
    for number in 0..10 {
        let picture = draw(number, width, height);
        let frame = first.encode(&picture.picture(), time(number), false).unwrap().unwrap();
        let lent = near.decode(&frame.bytes).unwrap().unwrap();
        assert!(lent.planes()[0].stride > width as usize, "it lies among others");
        let frame = second.encode(&lent, time(number), false).unwrap().unwrap();
        let got = far.decode(&frame.bytes).unwrap().unwrap();
        let quality = psnr(&picture.picture(), &got);
        assert!(quality > 28.0, "{quality:.1} dB");
    }
}

#[test]
fn a_changed_bitrate_is_kept_to() {
    let (width, height) = (320, 180);
    let mut encoder = Vp8Encoder::new(Vp8Settings::new(width, height, 400_000)).unwrap();
    let mut number = 0;
    for bitrate in [400_000, 150_000, 800_000] {
        encoder.set_bitrate(bitrate).unwrap();
        assert_eq!(encoder.bitrate(), bitrate);
        let mut second = || -> Vec<Frame> {
            let frames = (0..RATE).filter_map(|_| {
                let frame =
                    encoder.encode(&draw(number, width, height).picture(), time(number), false).unwrap();
                number += 1;
                frame
            });
            frames.collect()
        };
        // What it has saved, or owes, is gone after a while.
        second();
        second();
        let got = (0..4).map(|_| bits(&second())).sum::<u64>() / 4;
        assert!((bitrate * 3 / 4..bitrate * 5 / 4).contains(&got), "{got} for {bitrate}");
    }
    // There is a least and a most.
    encoder.set_bitrate(0).unwrap();
    assert_eq!(encoder.bitrate(), 10_000);
    encoder.set_bitrate(u64::MAX).unwrap();
    assert_eq!(encoder.bitrate(), 1_000_000_000);
}

#[test]
fn a_key_frame_is_given_to_whoever_asks() {
    let mut encoder = Vp8Encoder::new(Vp8Settings::new(64, 48, 500_000)).unwrap();
    let keys: Vec<u32> = (0..60)
        .filter(|number| {
            let asked = [20, 21, 47].contains(number);
            let frame = encoder.encode(&draw(*number, 64, 48).picture(), time(*number), asked).unwrap();
            let frame = frame.unwrap();
            // A decoder that begins there has all that it needs.
            let alone =
                Vp8Decoder::new(64, 48).unwrap().decode(&frame.bytes).map(|picture| picture.is_some());
            assert_eq!(alone, if frame.key { Ok(true) } else { Err(CodecError::Malformed) });
            frame.key
        })
        .collect();
    assert_eq!(keys, [0, 20, 21, 47]);
    let settings = Vp8Settings { key_interval: 10, ..Vp8Settings::new(64, 48, 500_000) };
    let mut encoder = Vp8Encoder::new(settings).unwrap();
    let is_key =
        |number| encoder.encode(&draw(number, 64, 48).picture(), time(number), false).unwrap().unwrap().key;
    assert!((0..60).map(is_key).filter(|is_key| *is_key).count() >= 6);
}

#[test]
fn a_frame_that_is_lost_costs_no_more_than_the_next_key_frame() {
    let mut encoder = Vp8Encoder::new(Vp8Settings::new(320, 180, 1_000_000)).unwrap();
    let mut decoder = Vp8Decoder::new(320, 180).unwrap();
    for number in 0..20 {
        let picture = draw(number, 320, 180);
        let frame = encoder.encode(&picture.picture(), time(number), number == 15).unwrap().unwrap();
        if number % 5 == 2 {
            continue;
        }
        // Whatever it makes of those that are incomplete, it goes on.
        let decoded = decoder.decode(&frame.bytes);
        if (15..17).contains(&number) {
            assert!(psnr(&picture.picture(), &decoded.unwrap().unwrap()) > 30.0);
        }
    }
}

#[test]
fn what_there_is_no_encoder_for_is_told() {
    let new = |settings| Vp8Encoder::new(settings).map(drop);
    let good = Vp8Settings::new(64, 48, 500_000);
    assert_eq!(new(good), Ok(()));
    for (width, height) in [(0, 48), (64, 0), (16_384, 48), (64, u32::MAX)] {
        assert_eq!(new(Vp8Settings { width, height, ..good }), Err(CodecError::Size { width, height }));
    }
    assert!(matches!(new(Vp8Settings { interval: Duration::ZERO, ..good }), Err(CodecError::Setting(_))));
    assert!(matches!(new(Vp8Settings { speed: 17, ..good }), Err(CodecError::Setting(_))));
    assert!(matches!(new(Vp8Settings { threads: 0, ..good }), Err(CodecError::Setting(_))));
    let other = draw(0, 48, 64);
    let encoded = Vp8Encoder::new(good).unwrap().encode(&other.picture(), Duration::ZERO, false);
    assert_eq!(encoded, Err(CodecError::Size { width: 48, height: 64 }));
}

#[test]
fn time_that_stands_still_or_goes_back_is_borne() {
    let mut encoder = Vp8Encoder::new(Vp8Settings::new(64, 48, 500_000)).unwrap();
    for (number, time) in [0, 1, 1, 0, 5, u64::MAX, u64::MAX, 0].into_iter().enumerate() {
        let picture = draw(number as u32, 64, 48);
        encoder.encode(&picture.picture(), Duration::from_secs(time), false).unwrap();
    }
}

#[test]
fn claims_beyond_what_is_allowed_take_no_memory() {
    let mut claim = vec![0x50, 0x42, 0, 0x9D, 0x01, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F];
    claim.resize(200, 0);
    let mut decoder = Vp8Decoder::new(1920, 1920).unwrap();
    let refusal = CodecError::Size { width: 16_383, height: 16_383 };
    assert_eq!(decoder.decode(&claim).map(drop), Err(refusal));
    assert_eq!(decoder.decode(&[]).map(drop), Err(CodecError::Malformed));
    assert_eq!(decoder.decode(&claim[..9]).map(drop), Err(CodecError::Malformed));
    // Before any key frame there is nothing to go on from.
    assert_eq!(decoder.decode(&[0x51, 0, 0, 0]).map(drop), Err(CodecError::Malformed));
}

#[test]
fn encoders_go_from_thread_to_thread() {
    let mut encoder =
        Vp8Encoder::new(Vp8Settings { threads: 2, ..Vp8Settings::new(640, 480, 500_000) }).unwrap();
    let first = encoder.encode(&draw(0, 640, 480).picture(), time(0), false).unwrap().unwrap();
    let second = std::thread::scope(|scope| {
        let there = scope.spawn(move || {
            let mut decoder = Vp8Decoder::new(640, 480).unwrap();
            assert!(decoder.decode(&first.bytes).unwrap().is_some());
            encoder.encode(&draw(1, 640, 480).picture(), time(1), true).unwrap()
        });
        there.join().unwrap()
    });
    assert!(second.unwrap().key);
}

#[test]
fn rows_may_lie_apart() {
    let (width, height) = (33, 21);
    let plain = draw(3, width, height);
    let planes = plain.picture().planes().map(|plane| {
        let rows = plane.bytes.chunks(plane.stride);
        let apart: Vec<u8> = rows.flat_map(|row| [row, &[0xEE; 15][..]].concat()).collect();
        (apart, plane.stride + 15)
    });
    let planes = [&planes[0], &planes[1], &planes[2]].map(|(bytes, stride)| Plane {
        // What lies behind the last row is not there.
        bytes: &bytes[..bytes.len() - 15],
        stride: *stride,
    });
    let apart = I420::new(width, height, planes).unwrap();
    let encode = |picture: &I420<'_>| {
        let mut encoder = Vp8Encoder::new(Vp8Settings::new(width, height, 500_000)).unwrap();
        encoder.encode(picture, Duration::ZERO, false).unwrap().unwrap().bytes
    };
    assert_eq!(encode(&plain.picture()), encode(&apart));
}

/// Ten frames of a small film.
static FILM: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut encoder = Vp8Encoder::new(Vp8Settings::new(48, 32, 100_000)).unwrap();
    let frame = |number| encoder.encode(&draw(number, 48, 32).picture(), time(number), number == 5).unwrap();
    (0..10).filter_map(frame).map(|frame| frame.bytes.to_vec()).collect()
});

/// Decodes it; all that is told is one of the errors that there are, and all that is shown has its pixels.
fn bear(decoder: &mut Vp8Decoder, frame: &[u8]) {
    match decoder.decode(frame) {
        Ok(Some(picture)) => {
            assert!((1..=256).contains(&picture.width()) && (1..=256).contains(&picture.height()));
            let pixels: usize = picture.rows().map(<[u8]>::len).sum();
            assert_eq!(Some(pixels), I420Buffer::len(picture.width(), picture.height()));
        }
        Ok(None) => {}
        Err(error) => assert!(!matches!(error, CodecError::Setting(_) | CodecError::Length(_)), "{error:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damage_is_borne(
        changes in proptest::collection::vec((0..10_usize, any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cuts in proptest::collection::vec((0..10_usize, any::<prop::sample::Index>()), 0..3),
        order in proptest::collection::vec(0..10_usize, 1..20),
    ) {
        let mut film = FILM.clone();
        let count = film.len();
        for (frame, place, value) in changes {
            let frame = &mut film[frame % count];
            let place = place.index(frame.len());
            frame[place] = value;
        }
        for (frame, end) in cuts {
            let frame = &mut film[frame % count];
            frame.truncate(end.index(frame.len()).max(1));
        }
        let mut decoder = Vp8Decoder::new(256, 256).unwrap();
        for at in order {
            bear(&mut decoder, &film[at % count]);
        }
        // And it goes on with what is whole.
        prop_assert!(decoder.decode(&FILM[0]).unwrap().is_some());
    }

    #[test]
    fn noise_is_borne(mut frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..6)) {
        let mut decoder = Vp8Decoder::new(256, 256).unwrap();
        for frame in &mut frames {
            bear(&mut decoder, frame);
            // With a header of a key frame before it, more is looked at.
            frame.splice(..0, [0x10, 2, 0, 0x9D, 0x01, 0x2A, 40, 0, 24, 0]);
            bear(&mut decoder, frame);
        }
    }
}
