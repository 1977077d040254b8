//! H.264 as encoders write it: NAL units behind start codes (H.264 appendix B). When frames are shown is not said there: they
//! are taken to come 30 times in a second, unless somebody says otherwise.

use std::io::Read;
use std::time::Duration;

use rtp::codec::{Codec, NalUnits};

use crate::input::{Input, MOST};
use crate::{Frame, FrameSource, ReadError, Track, stream};

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;
/// In a second, unless somebody says otherwise.
const FRAME_RATE: u32 = 30;

/// Whether a file may be one, by its beginning.
pub(crate) fn is_one(head: &[u8]) -> bool {
    let unit = head.strip_prefix(&[0, 0, 0, 1]).or_else(|| head.strip_prefix(&[0, 0, 1]));
    // A parameter set, a delimiter, or what an encoder says of itself, with its forbidden bit clear.
    unit.and_then(|unit| unit.first()).is_some_and(|first| first & 0x80 == 0 && matches!(first & 0x1F, 6..=9))
}

/// Frames out of a byte stream.
#[derive(Debug)]
pub struct AnnexBReader<R> {
    input: Input<R>,
    /// Begins with a start code, once there is one.
    buffer: Vec<u8>,
    is_over: bool,
    track: Track,
    frame_rate: u32,
    frames: u32,
}

impl<R: Read> AnnexBReader<R> {
    /// Reads up to the end of the first frame.
    ///
    /// # Errors
    /// If it is no such stream.
    pub fn new(inner: R) -> Result<Self, ReadError> {
        let mut reader = Self {
            input: Input::new(inner),
            buffer: Vec::new(),
            is_over: false,
            track: Track::new(Codec::H264),
            frame_rate: FRAME_RATE,
            frames: 0,
        };
        let first = reader.boundary()?.ok_or(ReadError::Malformed("there is no picture in it"))?;
        reader.track = Track::of_frame(Codec::H264, reader.buffer.get(..first).unwrap_or_default());
        Ok(reader)
    }

    /// Has frames come so often in a second.
    #[must_use]
    pub fn frame_rate(mut self, frame_rate: u32) -> Self {
        self.frame_rate = frame_rate.max(1);
        self
    }

    /// Where the first frame of the buffer ends; reads as much as that takes.
    fn boundary(&mut self) -> Result<Option<usize>, ReadError> {
        let mut has_picture = false;
        let mut from = 0;
        loop {
            match next_start_code(&self.buffer, from) {
                // What is behind a start code says whether a frame begins there: two bytes of it.
                Some(at) if at + 5 <= self.buffer.len() || self.is_over => {
                    let header = self.buffer.get(at + 3).copied().unwrap_or(0);
                    let first = self.buffer.get(at + 4).copied().unwrap_or(0);
                    let kind = header & 0x1F;
                    let is_slice = matches!(kind, 1 | 2 | 5);
                    // `first_mb_in_slice` is 0 in a frame's first slice, which is written as one set bit.
                    let begins = (is_slice && first & 0x80 != 0) || matches!(kind, 6..=9 | 14..=18);
                    if has_picture && begins {
                        // A zero before the start code belongs to it.
                        let zero = self.buffer.get(at.wrapping_sub(1)) == Some(&0);
                        return Ok(Some(at - usize::from(zero)));
                    }
                    has_picture |= is_slice;
                    from = at + 3;
                }
                _ if self.is_over => return Ok(has_picture.then_some(self.buffer.len())),
                _ => {
                    if self.buffer.len() as u64 > MOST {
                        return Err(ReadError::Malformed("a picture of it has more than 16 MiB"));
                    }
                    from = from.max(self.buffer.len().saturating_sub(5));
                    self.more()?;
                }
            }
        }
    }

    fn more(&mut self) -> Result<(), ReadError> {
        let start = self.buffer.len();
        self.buffer.resize(start + CHUNK, 0);
        let count = self.input.fill(self.buffer.get_mut(start..).unwrap_or_default())?;
        self.buffer.truncate(start + count);
        self.is_over = count < CHUNK;
        Ok(())
    }
}

/// Where three bytes of a start code are, from a place on.
fn next_start_code(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(3).position(|three| three == [0, 0, 1]).map(|at| from + at)
}

impl<R: Read + Send> FrameSource for AnnexBReader<R> {
    fn tracks(&self) -> &[Track] {
        std::slice::from_ref(&self.track)
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        let Some(end) = self.boundary()? else { return Ok(None) };
        let rest = self.buffer.split_off(end);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        if NalUnits::new(&bytes).next().is_none() {
            return Ok(None);
        }
        let time = Duration::from_secs(self.frames.into()) / self.frame_rate;
        self.frames = self.frames.saturating_add(1);
        let key = stream::is_key(Codec::H264, &bytes);
        Ok(Some(Frame { track: 0, time, key, bytes: bytes.into() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_ends_where_another_begins() {
        let units: [&[u8]; 9] = [
            &[0, 0, 0, 1, 9, 0x10],
            &[0, 0, 0, 1, 0x67, 0x42, 0, 0x1F],
            &[0, 0, 0, 1, 0x68, 1],
            &[0, 0, 1, 0x65, 0x88, 1],
            // The picture's second slice.
            &[0, 0, 1, 0x65, 0x41, 2],
            &[0, 0, 0, 1, 0x41, 0x88, 3],
            &[0, 0, 0, 1, 0x41, 0x88, 4],
            &[0, 0, 0, 1, 0x67, 0x42, 0, 0x1F],
            &[0, 0, 1, 0x65, 0x88, 5],
        ];
        let bytes = units.concat();
        let mut reader = AnnexBReader::new(&bytes[..]).unwrap();
        let frames: Vec<Frame> = std::iter::from_fn(|| reader.next_frame().unwrap()).collect();
        let got: Vec<&[u8]> = frames.iter().map(|frame| &frame.bytes[..]).collect();
        assert_eq!(got, [&units[..5].concat(), units[5], units[6], &units[7..].concat()]);
        assert_eq!(frames.iter().map(|frame| frame.key).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(frames[3].time, Duration::from_millis(100));
        assert!(AnnexBReader::new(&b"nothing"[..]).is_err());
    }

    #[test]
    fn frames_larger_than_what_is_read_at_once_are_whole() {
        let mut bytes = Vec::new();
        for number in 0..3_u8 {
            bytes.extend([0, 0, 0, 1, 0x65, 0x88]);
            bytes.resize(bytes.len() + CHUNK - 3 + usize::from(number), 7);
        }
        let mut reader = AnnexBReader::new(&bytes[..]).unwrap();
        let lens: Vec<usize> =
            std::iter::from_fn(|| reader.next_frame().unwrap()).map(|frame| frame.bytes.len()).collect();
        assert_eq!(lens, [CHUNK + 3, CHUNK + 4, CHUNK + 5]);
    }
}
