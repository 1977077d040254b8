//! Files that are almost what they should be: every reader comes to an end, whatever is changed or cut off.

use std::io::Cursor;
use std::time::Duration;

use proptest::prelude::*;
use rtp::codec::Codec;
use twocan_media::{Container, Frame, Track, WavReader, Y4mReader, create, open, open_stream};

const SETS: [u8; 19] =
    [0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x0A, 0xDC, 0x14, 0x42, 0, 0, 0, 1, 0x68, 0xCE, 0x3C, 0x80];

fn picture(codec: Codec, number: u8) -> (Vec<u8>, bool) {
    let key = number.is_multiple_of(5);
    let bytes = match (codec, key) {
        (Codec::H264, true) => [&SETS[..], &[0, 0, 0, 1, 0x65, 0x88, number | 0x80]].concat(),
        (Codec::H264, false) => vec![0, 0, 0, 1, 0x41, 0x88, number | 0x80],
        (_, true) => vec![0x50, 0x42, 0, 0x9D, 0x01, 0x2A, 16, 0, 16, 0, number],
        (_, false) => vec![0x51, number],
    };
    (bytes, key)
}

fn file(container: Container, codecs: &[Codec]) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let track = |codec: &Codec| match codec {
        Codec::Opus => Track::new(*codec),
        _ => Track::of_frame(*codec, &picture(*codec, 0).0),
    };
    let tracks: Vec<Track> = codecs.iter().map(track).collect();
    let mut sink = create(container, &mut out, &tracks).unwrap();
    for number in 0..20_u8 {
        for (track, codec) in codecs.iter().enumerate() {
            let (bytes, key) =
                if *codec == Codec::Opus { (vec![0xFC, number], true) } else { picture(*codec, number) };
            let time = Duration::from_millis(200) * number.into();
            sink.write_frame(&Frame { track, time, key, bytes: bytes.into() }).unwrap();
        }
    }
    sink.finish().unwrap();
    drop(sink);
    out.into_inner()
}

fn files() -> Vec<Vec<u8>> {
    let byte_stream = (0..20).flat_map(|number| picture(Codec::H264, number).0).collect();
    vec![
        file(Container::Ivf, &[Codec::Vp8]),
        file(Container::Ogg, &[Codec::Opus]),
        file(Container::WebM, &[Codec::Vp8, Codec::Opus]),
        file(Container::Matroska, &[Codec::H264, Codec::Opus]),
        file(Container::Mp4, &[Codec::H264, Codec::Opus]),
        byte_stream,
    ]
}

/// Reads all there is, up to a bound that a table's claims may reach without a byte behind them.
fn drain(bytes: &[u8]) -> usize {
    let readers = [open(Cursor::new(bytes)).ok(), open_stream(bytes).ok()];
    let count = |mut source: Box<dyn twocan_media::FrameSource + '_>| {
        (0..10_000).take_while(|_| matches!(source.next_frame(), Ok(Some(_)))).count()
    };
    readers.into_iter().flatten().map(count).max().unwrap_or(0)
}

#[test]
fn files_are_told_by_their_contents() {
    let counts: Vec<usize> = files().iter().map(|file| drain(file)).collect();
    assert_eq!(counts, [20, 20, 40, 40, 40, 20]);
    assert_eq!(drain(b"nothing of the kind"), 0);
}

/// What nothing has encoded: four pictures of 6x4, and a hundred samples of two channels.
fn raw_files() -> [Vec<u8>; 2] {
    let mut pictures = b"YUV4MPEG2 W6 H4 F30000:1001 Ip A1:1 C420jpeg\n".to_vec();
    for number in 0..4 {
        pictures.extend(b"FRAME\n");
        pictures.extend([number; 36]);
    }
    let mut sound =
        b"RIFF\xB4\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x80\xBB\0\0\0\xEE\x02\0\x04\0\x10\0data".to_vec();
    sound.extend(400_u32.to_le_bytes());
    sound.extend([7; 400]);
    [pictures, sound]
}

/// How many pictures, and samples, are in it.
fn drain_raw(bytes: &[u8]) -> [usize; 2] {
    let mut counts = [0, 0];
    if let Ok(mut reader) = Y4mReader::new(bytes) {
        while let Ok(Some((picture, _))) = reader.next_picture() {
            assert!(picture.rows().map(<[u8]>::len).sum::<usize>() <= 3 * bytes.len());
            counts[0] += 1;
        }
    }
    if let Ok(mut reader) = WavReader::new(bytes) {
        let mut samples = [0.0; 64];
        while let Ok(count @ 1..) = reader.read(&mut samples) {
            counts[1] += count;
        }
    }
    counts
}

#[test]
fn what_is_not_encoded_is_read() {
    assert_eq!(raw_files().map(|file| drain_raw(&file)), [[4, 0], [0, 200]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damage_of_what_is_not_encoded_is_borne(
        which in 0..2_usize,
        changes in proptest::collection::vec((0..60_usize, any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut file = raw_files()[which].clone();
        for (place, value) in changes {
            // What stands at the beginning says how all else is read.
            let place = place % file.len();
            file[place] = value;
        }
        if is_cut {
            file.truncate(end.index(file.len()));
        }
        let [pictures, samples] = drain_raw(&file);
        prop_assert!(pictures <= file.len() && samples <= file.len());
    }

    #[test]
    fn damage_is_borne(
        which in 0..6_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut file = files().swap_remove(which);
        for (place, value) in changes {
            let place = place.index(file.len());
            file[place] = value;
        }
        if is_cut {
            file.truncate(end.index(file.len()));
        }
        drain(&file);
    }
}
