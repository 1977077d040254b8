//! YUV4MPEG2 (`.y4m`): pictures that nothing has encoded, as programs hand them to each other; the manual page yuv4mpeg(5) of
//! mjpegtools describes it.
//!
//! ```text
//! YUV4MPEG2 W1280 H720 F30:1 C420jpeg\n
//! FRAME\n luma, and two chromas ...
//! ```

use std::io::Read;
use std::time::Duration;

use crate::ReadError;
use crate::input::{Input, MOST, duration};
use crate::picture::{I420, I420Buffer, of_bytes};

/// What files begin with.
pub const SIGNATURE: &[u8; 10] = b"YUV4MPEG2 ";
/// Bytes of a line, at most.
const LONGEST_LINE: usize = 1024;
/// Pictures in a second, at most.
const FASTEST: u64 = 1000;

/// What the first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Y4mHeader {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Pictures in a second: so many in so many seconds.
    pub rate: (u32, u32),
    /// Whether there is luma alone.
    is_gray: bool,
}

/// Pictures out of YUV4MPEG2: 8 bits, with a chroma for four pixels (4:2:0), or none.
#[derive(Debug)]
pub struct Y4mReader<R> {
    input: Input<R>,
    header: Y4mHeader,
    picture: Vec<u8>,
    count: u64,
}

const HEADER: ReadError = ReadError::Malformed("its first line is not as YUV4MPEG2 has it");

impl Y4mHeader {
    /// Reads the line, without its end.
    ///
    /// # Errors
    /// If it is none, or there is no reading such pictures: the text says what to do.
    pub fn parse(line: &[u8]) -> Result<Self, ReadError> {
        let fields = line.strip_prefix(SIGNATURE).ok_or(HEADER)?;
        let fields = std::str::from_utf8(fields).map_err(|_| HEADER)?;
        let (mut width, mut height, mut rate, mut is_gray) = (0, 0, (30, 1), false);
        for field in fields.split(' ') {
            let (kind, value) = field.split_at_checked(1).unwrap_or_default();
            match kind {
                "W" => width = value.parse().map_err(|_| HEADER)?,
                "H" => height = value.parse().map_err(|_| HEADER)?,
                "F" => {
                    let (over, under) = value.split_once(':').ok_or(HEADER)?;
                    let ratio = (over.parse().map_err(|_| HEADER)?, under.parse().map_err(|_| HEADER)?);
                    // 0:0 is one that is not known.
                    rate = if ratio == (0, 0) { rate } else { ratio };
                }
                "C" => is_gray = is_gray_space(value)?,
                _ => {}
            }
        }
        let (over, under) = rate;
        if over == 0 || under == 0 || u64::from(over) > FASTEST * u64::from(under) {
            return Err(ReadError::Malformed("it has no such number of pictures in a second"));
        }
        match I420Buffer::len(width, height) {
            Some(len) if len as u64 <= MOST => Ok(Self { width, height, rate, is_gray }),
            Some(_) => Err(ReadError::Unsupported(format!(
                "its pictures of {width}x{height} take more than 16 MiB each: scale them, for example with ffmpeg's -s 1920x1080"
            ))),
            None => Err(ReadError::Malformed("its pictures have no pixels, or too many")),
        }
    }

    /// How long a picture is shown.
    pub fn interval(&self) -> Duration {
        self.time(1)
    }

    /// When a picture is shown.
    fn time(&self, number: u64) -> Duration {
        let (over, under) = self.rate;
        duration(number.saturating_mul(under.into()), over.into())
    }
}

/// Whether there is no chroma.
fn is_gray_space(name: &str) -> Result<bool, ReadError> {
    match name {
        // The places of chroma's samples differ, by less than a pixel.
        "420" | "420jpeg" | "420mpeg2" | "420paldv" => Ok(false),
        "mono" => Ok(true),
        _ => Err(ReadError::Unsupported(format!(
            "its pictures are {name}, and can be 420 of 8 bits: convert them, for example with ffmpeg's -pix_fmt yuv420p",
            name = name.escape_debug()
        ))),
    }
}

impl<R: Read> Y4mReader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// As for [`Y4mHeader::parse`].
    pub fn new(inner: R) -> Result<Self, ReadError> {
        let mut input = Input::new(inner);
        let header = Y4mHeader::parse(&input.line(LONGEST_LINE)?.ok_or(HEADER)?)?;
        Ok(Self { input, header, picture: Vec::new(), count: 0 })
    }

    /// What the first line says.
    pub fn header(&self) -> Y4mHeader {
        self.header
    }

    /// The next picture, and when it is shown; none at the end of the file, or where the last one is cut off.
    ///
    /// # Errors
    /// If the file is damaged, or not to be read.
    pub fn next_picture(&mut self) -> Result<Option<(I420<'_>, Duration)>, ReadError> {
        let Some(line) = self.input.line(LONGEST_LINE)? else { return Ok(None) };
        if !line.starts_with(b"FRAME") {
            return Err(ReadError::Malformed("a picture does not begin with FRAME"));
        }
        let Y4mHeader { width, height, is_gray, .. } = self.header;
        let whole = I420Buffer::len(width, height).unwrap_or_default();
        let luma = width as usize * height as usize;
        if !self.input.refill(&mut self.picture, if is_gray { luma } else { whole })? {
            return Ok(None);
        }
        self.picture.resize(whole, 128);
        let time = self.header.time(self.count);
        self.count += 1;
        Ok(Some((of_bytes(width, height, &self.picture), time)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(line: &str) -> Option<(u32, u32, u128)> {
        let header = Y4mHeader::parse(line.as_bytes()).ok()?;
        Some((header.width, header.height, header.interval().as_micros()))
    }

    #[test]
    fn the_first_line_says_all() {
        assert_eq!(header("YUV4MPEG2 W1280 H720 F30:1 Ip A1:1 C420jpeg XA=B"), Some((1280, 720, 33_333)));
        assert_eq!(header("YUV4MPEG2 H48 W64 F60000:1001"), Some((64, 48, 16_683)));
        assert_eq!(header("YUV4MPEG2 W64 H48 F0:0"), Some((64, 48, 33_333)));
        for wrong in
            ["W64", "W64 H0", "Wfour H48", "W64 H48 F0:1", "W64 H48 F10", "W64 H48 F5000:1", "W-1 H1"]
        {
            assert_eq!(header(&format!("YUV4MPEG2 {wrong}")), None, "{wrong}");
        }
        let advice = |line: &str| Y4mHeader::parse(line.as_bytes()).unwrap_err().to_string();
        assert!(advice("YUV4MPEG2 W64 H48 C444").contains("-pix_fmt yuv420p"));
        assert!(advice("YUV4MPEG2 W16000 H16000").contains("scale them"));
    }

    #[test]
    fn pictures_come_as_far_as_they_are_whole() {
        let mut file = b"YUV4MPEG2 W3 H1 F10:1\nFRAME\nabcUuVvFRAME Ip\ndefXxYyFRAME\nghi".to_vec();
        let mut reader = Y4mReader::new(&file[..]).unwrap();
        let next = |reader: &mut Y4mReader<&[u8]>| {
            let (picture, time) = reader.next_picture().unwrap()?;
            Some((picture.rows().map(<[u8]>::to_vec).collect::<Vec<_>>().concat(), time.as_millis()))
        };
        assert_eq!(next(&mut reader), Some((b"abcUuVv".to_vec(), 0)));
        assert_eq!(next(&mut reader), Some((b"defXxYy".to_vec(), 100)));
        assert_eq!(next(&mut reader), None);
        file[22] = b'f';
        assert!(matches!(
            Y4mReader::new(&file[..]).unwrap().next_picture(),
            Err(ReadError::Malformed("a picture does not begin with FRAME"))
        ));
        let mut gray = Y4mReader::new(&b"YUV4MPEG2 W3 H1 Cmono\nFRAME\nabcFRAME\ndef"[..]).unwrap();
        assert_eq!(next(&mut gray).unwrap().0, [b'a', b'b', b'c', 128, 128, 128, 128]);
        assert_eq!(next(&mut gray).unwrap().0, [b'd', b'e', b'f', 128, 128, 128, 128]);
    }
}
