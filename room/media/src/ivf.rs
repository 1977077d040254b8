//! IVF: the container of libvpx and libaom, of one track of pictures.
//!
//! ```text
//! "DKIF" version:16 header_length:16 codec:32 width:16 height:16 rate:32 scale:32 frames:32 unused:32
//! length:32 time:64 frame...                                                       all little-endian
//! ```

use std::io::{Read, Seek, SeekFrom, Write};

use rtp::codec::Codec;

use crate::input::{Input, duration, ticks};
use crate::{Frame, FrameSink, FrameSource, ReadError, Track, WriteError, stream};

/// What files begin with.
pub(crate) const SIGNATURE: [u8; 4] = *b"DKIF";
const HEADER_LEN: u16 = 32;
/// Ticks in a second, of what is written: those of RTP, so that nothing is rounded.
const CLOCK_RATE: u32 = 90_000;
/// Where the number of frames stands.
const COUNT_AT: u64 = 24;

const CODECS: [([u8; 4], Codec); 4] =
    [(*b"VP80", Codec::Vp8), (*b"VP90", Codec::Vp9), (*b"AV01", Codec::Av1), (*b"H264", Codec::H264)];

/// Frames out of IVF.
#[derive(Debug)]
pub struct IvfReader<R> {
    input: Input<R>,
    track: Track,
    rate: u64,
    scale: u64,
    first: Option<u64>,
}

impl<R: Read> IvfReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// If it is none, or of another codec than VP8, VP9, AV1 and H.264.
    pub fn new(inner: R) -> Result<Self, ReadError> {
        let mut input = Input::new(inner);
        let header = input.array::<{ HEADER_LEN as usize }>()?;
        let header = header.filter(|header| header.starts_with(&SIGNATURE));
        let header = header.ok_or(ReadError::Malformed("it does not begin as IVF does"))?;
        let [.., w0, w1, h0, h1, r0, r1, r2, r3, s0, s1, s2, s3, _, _, _, _, _, _, _, _] = header;
        let [_, _, _, _, _, _, l0, l1, c0, c1, c2, c3, ..] = header;
        let codec = CODECS.iter().find(|(name, _)| *name == [c0, c1, c2, c3]).map(|(_, codec)| *codec);
        let codec = codec.ok_or_else(|| {
            let name = String::from_utf8_lossy(&[c0, c1, c2, c3]).escape_debug().to_string();
            ReadError::Unsupported(format!("the file is of the codec {name}: give VP8, VP9 or AV1"))
        })?;
        let more = u64::from(u16::from_le_bytes([l0, l1]).saturating_sub(HEADER_LEN));
        input.skip(more)?;
        let size = (u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into());
        let rate = u64::from(u32::from_le_bytes([r0, r1, r2, r3])).max(1);
        let scale = u64::from(u32::from_le_bytes([s0, s1, s2, s3])).max(1);
        let track = Track { size: Some(size).filter(|size| *size != (0, 0)), ..Track::new(codec) };
        Ok(Self { input, track, rate, scale, first: None })
    }
}

impl<R: Read + Send> FrameSource for IvfReader<R> {
    fn tracks(&self) -> &[Track] {
        std::slice::from_ref(&self.track)
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        loop {
            let Some([a, b, c, d, time @ ..]) = self.input.array::<12>()? else { return Ok(None) };
            let Some(bytes) = self.input.bytes(u32::from_le_bytes([a, b, c, d]).into())? else {
                return Ok(None);
            };
            if bytes.is_empty() {
                continue;
            }
            let time = u64::from_le_bytes(time);
            let since = time.saturating_sub(*self.first.get_or_insert(time));
            let time = duration(since.saturating_mul(self.scale), self.rate);
            let key = stream::is_key(self.track.codec, &bytes);
            return Ok(Some(Frame { track: 0, time, key, bytes: bytes.into() }));
        }
    }
}

/// Frames into IVF.
#[derive(Debug)]
pub struct IvfWriter<W> {
    out: W,
    frames: u32,
}

impl<W: Write + Seek> IvfWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// If that is not possible, or the codec has no place there.
    pub fn new(mut out: W, track: &Track) -> Result<Self, WriteError> {
        let name = CODECS.iter().find(|(_, codec)| *codec == track.codec).map(|(name, _)| name);
        let name = name.ok_or_else(|| {
            let codec = track.codec.name();
            WriteError::Unsupported(format!("IVF has no place for {codec}: write .mp4 or .webm"))
        })?;
        let (width, height) = track.size.unwrap_or_default();
        let mut header = Vec::with_capacity(HEADER_LEN.into());
        header.extend(SIGNATURE);
        header.extend([0, 0]);
        header.extend(HEADER_LEN.to_le_bytes());
        header.extend(name);
        header.extend((width as u16).to_le_bytes());
        header.extend((height as u16).to_le_bytes());
        header.extend(CLOCK_RATE.to_le_bytes());
        header.extend(1_u32.to_le_bytes());
        header.extend([0; 8]);
        out.write_all(&header)?;
        Ok(Self { out, frames: 0 })
    }
}

impl<W: Write + Seek + Send> FrameSink for IvfWriter<W> {
    fn write_frame(&mut self, frame: &Frame) -> Result<(), WriteError> {
        let mut head = [0; 12];
        let (len, time) = head.split_at_mut(4);
        len.copy_from_slice(&(frame.bytes.len() as u32).to_le_bytes());
        time.copy_from_slice(&ticks(frame.time, CLOCK_RATE).to_le_bytes());
        self.out.write_all(&head)?;
        self.out.write_all(&frame.bytes)?;
        self.frames = self.frames.saturating_add(1);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        Ok(self.out.flush()?)
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        self.out.flush()?;
        let end = self.out.stream_position()?;
        self.out.seek(SeekFrom::Start(COUNT_AT))?;
        self.out.write_all(&self.frames.to_le_bytes())?;
        self.out.seek(SeekFrom::Start(end))?;
        Ok(self.out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::time::Duration;

    use super::*;

    #[test]
    fn frames_come_back() {
        let frames: Vec<Frame> = (0..50_u64)
            .map(|at| Frame {
                track: 0,
                // To a tick of 90 kHz.
                time: duration(at * 3003, 90_000),
                key: at % 10 == 0,
                bytes: vec![u8::from(at % 10 != 0), at as u8].into(),
            })
            .collect();
        let track = Track { size: Some((320, 180)), ..Track::new(Codec::Vp8) };
        let mut out = Cursor::new(Vec::new());
        let mut writer = IvfWriter::new(&mut out, &track).unwrap();
        frames.iter().for_each(|frame| writer.write_frame(frame).unwrap());
        writer.finish().unwrap();
        let bytes = out.into_inner();
        assert_eq!(bytes[24..28], [50, 0, 0, 0]);
        let read = |bytes: &[u8]| {
            let mut reader = IvfReader::new(bytes).unwrap();
            assert_eq!(reader.tracks(), std::slice::from_ref(&track));
            std::iter::from_fn(|| reader.next_frame().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(read(&bytes), frames);
        assert_eq!(read(&bytes[..bytes.len() - 1]), frames[..49]);
        assert_eq!(frames[1].time, Duration::from_nanos(33_366_667));
    }

    #[test]
    fn other_codecs_are_told_by_name() {
        let mut header = [0; 32];
        header[..12].copy_from_slice(b"DKIF\0\0\x20\0MJPG");
        let error = IvfReader::new(&header[..]).unwrap_err();
        assert!(error.to_string().contains("MJPG"), "{error}");
    }
}
