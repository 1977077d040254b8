//! Files that nothing has encoded, as sources of frames.

use std::sync::Arc;
use std::time::Duration;

use twocan_media::codec::opus::{Channels, MOST};
use twocan_media::codec::{EncodedPictures, EncodedSound, OpusDecoder, Vp8Decoder};
use twocan_media::{FrameSource, ReadError, WavReader, Wishes, Y4mReader};

use crate::vp8::{draw, psnr};

fn y4m(pictures: u32, width: u32, height: u32) -> Vec<u8> {
    let mut file = format!("YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\n").into_bytes();
    for number in 0..pictures {
        file.extend(b"FRAME\n");
        draw(number, width, height).picture().rows().for_each(|row| file.extend(row));
    }
    file
}

fn wav(rate: u32, samples: usize) -> Vec<u8> {
    let mut file = b"RIFF\xFF\xFF\xFF\xFFWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend([rate.to_le_bytes(), (rate * 2).to_le_bytes()].concat());
    file.extend(b"\x02\0\x10\0data\xFF\xFF\xFF\xFF");
    let value = |at: usize| (at as f64 / f64::from(rate) * 400.0 * std::f64::consts::TAU).sin() * 10_000.0;
    file.extend((0..samples).flat_map(|at| (value(at) as i16).to_le_bytes()));
    file
}

#[test]
fn pictures_of_a_file_are_encoded_as_they_are_wanted() {
    let file = y4m(150, 160, 96);
    let wishes = Arc::<Wishes>::default();
    let reader = Y4mReader::new(&file[..]).unwrap();
    let mut source = EncodedPictures::new(reader, 400_000, Arc::clone(&wishes)).unwrap();
    assert_eq!(source.tracks()[0].size, Some((160, 96)));
    let mut decoder = Vp8Decoder::new(160, 96).unwrap();
    let mut bits = [0, 0];
    let (mut keys, mut count) = (Vec::new(), 0);
    while let Some(frame) = source.next_frame().unwrap() {
        let number = (frame.time.as_millis() / 40) as u32;
        assert_eq!(frame.time, Duration::from_millis(40) * count);
        count += 1;
        if frame.bytes.is_empty() {
            continue;
        }
        let shown = draw(number, 160, 96);
        let quality = psnr(&shown.picture(), &decoder.decode(&frame.bytes).unwrap().unwrap());
        assert!(quality > 20.0, "{number}: {quality:.1} dB");
        // From its third second on it has to do with a quarter.
        bits[usize::from(number >= 75)] += frame.bytes.len() * 8;
        if number == 49 {
            wishes.set_bitrate(100_000);
        }
        if number == 20 || number == 100 {
            wishes.want_key_frame();
        }
        if frame.key {
            keys.push(number);
        }
    }
    assert_eq!(count, 150);
    assert_eq!(keys.first(), Some(&0));
    assert_eq!(keys.get(1), Some(&21));
    assert!(keys.len() == 3 && (101..110).contains(&keys[2]), "{keys:?}");
    // Two seconds at the one, a second on the way, and three at the other.
    assert!((200_000..420_000).contains(&bits[1]), "{bits:?}");
    assert!(bits[0] > 700_000, "{bits:?}");
}

#[test]
fn sound_of_a_file_is_encoded() {
    for (rate, samples) in [(48_000, 48_000), (8_000, 8_010)] {
        let file = wav(rate, samples);
        let mut source = EncodedSound::new(WavReader::new(&file[..]).unwrap()).unwrap();
        assert_eq!(source.tracks()[0].channels, 1);
        let mut decoder = OpusDecoder::new(Channels::Mono).unwrap();
        let mut out = vec![0.0; MOST];
        let mut times = Vec::new();
        while let Some(frame) = source.next_frame().unwrap() {
            assert_eq!(decoder.decode(&frame.bytes, &mut out), Ok(960));
            times.push(frame.time);
        }
        // A rest that fills no packet is filled up.
        assert_eq!(times.len(), samples.div_ceil(rate as usize / 50));
        assert!(times.windows(2).all(|two| two[1] - two[0] == Duration::from_millis(20)));
    }
    let file = wav(44_101, 100);
    let refusal = EncodedSound::new(WavReader::new(&file[..]).unwrap()).map(drop);
    assert!(matches!(refusal, Err(ReadError::Unsupported(what)) if what.contains("-ar 48000")));
}
