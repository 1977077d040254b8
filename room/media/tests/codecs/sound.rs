//! Opus.

use std::f32::consts::TAU;

use proptest::prelude::*;
use twocan_media::codec::opus::{Channels, Content, MOST, OpusSettings, SampleRate};
use twocan_media::codec::{CodecError, OpusDecoder, OpusEncoder};

/// 20 ms of a tone, the packet of that number; of the right channel another one.
fn tone(number: usize, rate: SampleRate, channels: Channels) -> Vec<f32> {
    let each = rate.hertz() as usize / 50;
    let value = |at: usize, hertz: f32| {
        ((at % rate.hertz() as usize) as f32 / rate.hertz() as f32 * hertz * TAU).sin() / 2.0
    };
    let samples = number * each..(number + 1) * each;
    match channels {
        Channels::Mono => samples.map(|at| value(at, 500.0)).collect(),
        Channels::Stereo => samples.flat_map(|at| [value(at, 500.0), value(at, 750.0)]).collect(),
    }
}

/// How much of a signal at 48 kHz is a tone of so many hertz, whatever its phase, over all else; in dB.
fn purity(samples: impl Iterator<Item = f32>, hertz: f32) -> f64 {
    let (mut sine, mut cosine, mut power, mut count) = (0.0, 0.0, 0.0, 0.0);
    for (at, sample) in samples.enumerate() {
        let angle = f64::from(hertz) * at as f64 / 48_000.0 * std::f64::consts::TAU;
        let sample = f64::from(sample);
        sine += sample * angle.sin();
        cosine += sample * angle.cos();
        power += sample * sample;
        count += 1.0;
    }
    let tone = (sine * sine + cosine * cosine) * 2.0 / count;
    10.0 * (tone / f64::max(power - tone, 1e-9)).log10()
}

fn loudness(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

#[test]
fn a_tone_comes_back() {
    use SampleRate::{Full, Medium, Narrow, SuperWide, Wide};
    for rate in [Full, SuperWide, Wide, Medium, Narrow] {
        for channels in [Channels::Mono, Channels::Stereo] {
            for settings in [OpusSettings::music(rate, channels), OpusSettings::speech(rate, channels)] {
                // At so few bits both channels become one.
                if (settings.content, channels) == (Content::Speech, Channels::Stereo) {
                    continue;
                }
                let mut encoder = OpusEncoder::new(settings).unwrap();
                let mut decoder = OpusDecoder::new(channels).unwrap();
                let mut out = vec![0.0; MOST * channels.count()];
                let mut got = Vec::new();
                for number in 0..50 {
                    let packet = encoder.encode(&tone(number, rate, channels)).unwrap().unwrap();
                    assert_eq!(decoder.decode(&packet, &mut out), Ok(960));
                    got.extend_from_slice(&out[..960 * channels.count()]);
                }
                // A second in all, of which the first tenth swings in.
                let settled = &got[4800 * channels.count()..];
                let channel = |at: usize| settled.iter().copied().skip(at).step_by(channels.count());
                let snr = purity(channel(0), 500.0);
                let least = if settings.content == Content::Music { 30.0 } else { 15.0 };
                assert!(snr > least, "{settings:?}: {snr:.1} dB");
                if channels == Channels::Stereo {
                    let right = purity(channel(1), 750.0);
                    assert!(right > least, "{settings:?}: {right:.1} dB");
                }
            }
        }
    }
}

#[test]
fn a_changed_bitrate_is_kept_to() {
    let mut encoder = OpusEncoder::new(OpusSettings::music(SampleRate::Full, Channels::Mono)).unwrap();
    let mut seed = 1_u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / 16_777_216.0 - 0.5
    };
    for bitrate in [64_000, 24_000, 128_000] {
        encoder.set_bitrate(bitrate).unwrap();
        let mut bits = 0;
        for _ in 0..100 {
            let samples: Vec<f32> = (0..960).map(|_| noise()).collect();
            bits += encoder.encode(&samples).unwrap().unwrap().len() as u32 * 8;
        }
        let got = bits / 2;
        assert!((bitrate * 3 / 4..bitrate * 5 / 4).contains(&got), "{got} for {bitrate}");
    }
    // There is a least and a most.
    for bitrate in [0, u32::MAX] {
        encoder.set_bitrate(bitrate).unwrap();
    }
}

#[test]
fn a_lost_packet_is_told_by_the_next_one() {
    let rate = SampleRate::Full;
    let settings = OpusSettings { expected_loss: 30, ..OpusSettings::speech(rate, Channels::Mono) };
    let mut encoder = OpusEncoder::new(settings).unwrap();
    let [mut knows, mut guesses] = [(); 2].map(|()| OpusDecoder::new(Channels::Mono).unwrap());
    // One that swells so fast that nobody can guess it.
    let swelling = |number: usize| -> Vec<f32> {
        let mut samples = tone(number, rate, Channels::Mono);
        samples.iter_mut().for_each(|sample| *sample *= if number % 8 == 5 { 1.0 } else { 0.02 });
        samples
    };
    let packets: Vec<_> = (0..40).map(|number| encoder.encode(&swelling(number)).unwrap().unwrap()).collect();
    let mut out = vec![0.0; MOST];
    let (mut known, mut guessed) = (0.0, 0.0);
    for number in 0..39 {
        if number >= 10 && number % 8 == 5 {
            let mut lost = [0.0; 960];
            knows.recover(&packets[number + 1], &mut lost).unwrap();
            known += loudness(&lost);
            guesses.conceal(&mut lost).unwrap();
            guessed += loudness(&lost);
        } else {
            knows.decode(&packets[number], &mut out).unwrap();
            guesses.decode(&packets[number], &mut out).unwrap();
        }
    }
    assert!(known > 3.0 * guessed, "{known} and {guessed}");
}

#[test]
fn a_tone_goes_on_over_a_lost_packet() {
    let (rate, channels) = (SampleRate::Full, Channels::Stereo);
    let mut encoder = OpusEncoder::new(OpusSettings::music(rate, channels)).unwrap();
    let mut decoder = OpusDecoder::new(channels).unwrap();
    let mut out = vec![0.0; MOST * 2];
    for number in 0..20 {
        let packet = encoder.encode(&tone(number, rate, channels)).unwrap().unwrap();
        decoder.decode(&packet, &mut out).unwrap();
    }
    let mut lost = [0.0; 1920];
    decoder.conceal(&mut lost).unwrap();
    assert!(loudness(&lost) > loudness(&out[..1920]) / 2.0);
    // For ever it does not.
    let before = loudness(&lost);
    for _ in 0..50 {
        decoder.conceal(&mut lost).unwrap();
    }
    assert!(loudness(&lost) < before / 10.0, "{}", loudness(&lost));
}

#[test]
fn silence_needs_no_packets_where_that_is_wanted() {
    let count = |dtx| {
        let settings = OpusSettings { dtx, ..OpusSettings::speech(SampleRate::Wide, Channels::Mono) };
        let mut encoder = OpusEncoder::new(settings).unwrap();
        (0..100).filter(|_| encoder.encode(&[0.0; 320]).unwrap().is_some()).count()
    };
    assert_eq!(count(false), 100);
    assert!(count(true) < 50, "{}", count(true));
}

#[test]
fn lengths_that_no_packet_has_are_told() {
    let mut encoder = OpusEncoder::new(OpusSettings::music(SampleRate::Full, Channels::Stereo)).unwrap();
    for each in [120, 240, 480, 960, 1920, 2880] {
        assert!(encoder.encode(&vec![0.1; each * 2]).unwrap().is_some());
    }
    for length in [0, 1, 119, 240 * 2 + 1, 961 * 2, 96_000] {
        assert_eq!(encoder.encode(&vec![0.1; length]), Err(CodecError::Length(length)));
    }
    // What is no number is heard as nothing.
    assert!(encoder.encode(&[f32::NAN; 1920]).unwrap().is_some());
    let packet = encoder.encode(&[0.1; 1920]).unwrap().unwrap();
    let mut decoder = OpusDecoder::new(Channels::Stereo).unwrap();
    for place in [0, 1, 2, 1918] {
        assert_eq!(decoder.decode(&packet, &mut vec![0.0; place]), Err(CodecError::Length(place)));
    }
    assert_eq!(decoder.decode(&packet, &mut [0.0; 1920]), Ok(960));
    for place in [0, 1, 241, 242, 2 * 5761, 2 * 5880] {
        assert_eq!(decoder.conceal(&mut vec![0.0; place]), Err(CodecError::Length(place)));
        assert_eq!(decoder.recover(&packet, &mut vec![0.0; place]), Err(CodecError::Length(place)));
    }
    assert_eq!(decoder.decode(&[], &mut [0.0; 1920]), Err(CodecError::Malformed));
    assert_eq!(decoder.recover(&[], &mut [0.0; 1920]), Err(CodecError::Malformed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn noise_and_damage_are_borne(
        packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 1..8),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        is_stereo in any::<bool>(),
    ) {
        let channels = if is_stereo { Channels::Stereo } else { Channels::Mono };
        let mut encoder = OpusEncoder::new(OpusSettings::speech(SampleRate::Full, channels)).unwrap();
        let mut decoder = OpusDecoder::new(channels).unwrap();
        let mut out = vec![0.0; MOST * channels.count()];
        for (number, noise) in packets.iter().enumerate() {
            let mut damaged = encoder.encode(&tone(number, SampleRate::Full, channels)).unwrap().unwrap().to_vec();
            for (place, value) in &changes {
                let place = place.index(damaged.len());
                damaged[place] = *value;
            }
            for packet in [noise, &damaged] {
                match decoder.decode(packet, &mut out) {
                    Ok(count) => prop_assert!((1..=MOST).contains(&count)),
                    Err(error) => prop_assert_eq!(error, CodecError::Malformed),
                }
                if let Err(error) = decoder.recover(packet, &mut out[..960 * channels.count()]) {
                    prop_assert_eq!(error, CodecError::Malformed);
                }
            }
        }
    }
}
