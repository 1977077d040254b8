//! Files of media that anybody may have made (RFC 3533, 7845, 8794, 9559; IVF, MP4, H.264's byte stream; Y4M, WAV): each reader
//! ends, and gives no more than it was given.

use std::io::Cursor;

use media::{
    AnnexBReader, Container, Frame, FrameSource, IvfReader, Mp4Reader, OggReader, ReadError, WavReader,
    WebMReader, Y4mReader, create, open,
};

/// Frames that are looked at: tables may claim millions of them without a byte.
const FRAMES: usize = 2000;

type Opens = fn(&[u8]) -> Result<Box<dyn FrameSource + '_>, ReadError>;

pub(super) fn run(bytes: &[u8]) {
    let Some((&which, rest)) = bytes.split_first() else { return };
    let readers: [Opens; 6] = [
        |file| Ok(Box::new(IvfReader::new(file)?)),
        |file| Ok(Box::new(OggReader::new(file)?)),
        |file| Ok(Box::new(WebMReader::new(file)?)),
        |file| Ok(Box::new(Mp4Reader::new(Cursor::new(file))?)),
        |file| Ok(Box::new(AnnexBReader::new(file)?)),
        |file| open(Cursor::new(file)),
    ];
    let beginnings: [&[u8]; 6] = [
        b"DKIF\0\0\x20\0VP80",
        &[],
        // A header of EBML, a segment, tracks of VP8, a cluster.
        &[
            0x1A, 0x45, 0xDF, 0xA3, 0x80, 0x18, 0x53, 0x80, 0x67, 0xFF, 0x16, 0x54, 0xAE, 0x6B, 0x8C, 0xAE,
            0x8A, 0xD7, 0x81, 1, 0x86, 0x85, b'V', b'_', b'V', b'P', b'8', 0x1F, 0x43, 0xB6, 0x75, 0xFF,
        ],
        &[],
        &[0, 0, 0, 1, 0x67, 0x42],
        &[],
    ];
    let which = usize::from(which);
    let at = which % (readers.len() + 2);
    if at >= readers.len() {
        let read = if at == readers.len() { pictures } else { sound };
        return read(rest, which & 0x80 != 0);
    }
    // Some begin as they should, so that there is something behind it.
    let file = if which & 0x80 != 0 { [beginnings[at], rest].concat() } else { rest.to_vec() };
    let Ok(mut source) = readers[at](&file) else { return };
    assert!(!source.tracks().is_empty() && source.tracks().len() <= 2);
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = source.next_frame() {
        assert!(frame.track < source.tracks().len() && !frame.bytes.is_empty());
        if at != 3 && at != 5 {
            // MP4's tables may name the same bytes again and again; others may not, parameter sets apart.
            assert!(frame.bytes.len() <= 4 * file.len() + 64);
        }
        frames.push(frame);
        if frames.len() >= FRAMES {
            break;
        }
    }
    write(source.as_ref(), &frames);
}

/// Pictures that nothing has encoded: each as large as the first line says, and of bytes that were there.
fn pictures(rest: &[u8], has_beginning: bool) {
    let beginning: &[u8] = if has_beginning { b"YUV4MPEG2 W3 H2 F30:1\nFRAME\n" } else { &[] };
    let file = [beginning, rest].concat();
    let Ok(mut reader) = Y4mReader::new(&file[..]) else { return };
    let header = reader.header();
    let luma = header.width as usize * header.height as usize;
    let (mut taken, mut last) = (0, None);
    while let Ok(Some((picture, time))) = reader.next_picture() {
        assert_eq!((picture.width(), picture.height()), (header.width, header.height));
        let count: usize = picture.rows().map(<[u8]>::len).sum();
        assert!(count > luma && count <= 3 * luma);
        taken += luma;
        assert!(taken <= file.len() && last.is_none_or(|last| last < time));
        last = Some(time);
    }
}

/// Sound that nothing has encoded: no more of it than was there, and none too loud to be a number.
fn sound(rest: &[u8], has_beginning: bool) {
    let beginning: &[u8] = if has_beginning {
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x03\0\x02\0\x80\xBB\0\0\0\0\0\0\x08\0\x20\0data"
    } else {
        &[]
    };
    let file = [beginning, rest].concat();
    let Ok(mut reader) = WavReader::new(&file[..]) else { return };
    let mut samples = [0.0; 60];
    let mut taken = 0;
    while let Ok(count @ 1..) = reader.read(&mut samples) {
        assert!(count.is_multiple_of(reader.channels().into()));
        assert!(samples.iter().take(count).all(|sample| sample.is_finite()));
        taken += count;
        assert!(taken * 2 <= file.len());
    }
}

/// What was read can be written wherever it has a place, and reading it again gives as many frames.
fn write(source: &dyn FrameSource, frames: &[Frame]) {
    for container in [Container::Ivf, Container::Ogg, Container::WebM, Container::Matroska, Container::Mp4] {
        let mut out = Cursor::new(Vec::new());
        let Ok(mut sink) = create(container, &mut out, source.tracks()) else { continue };
        for frame in frames {
            sink.write_frame(frame).expect("memory can be written");
        }
        sink.finish().expect("memory can be written");
        drop(sink);
        let file = out.into_inner();
        let Ok(mut again) = open(Cursor::new(&file)) else { continue };
        let mut count = 0;
        while let Ok(Some(_)) = again.next_frame() {
            count += 1;
        }
        assert!(count <= frames.len(), "{count} of {}", frames.len());
    }
}
