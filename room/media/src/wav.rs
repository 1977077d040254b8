//! WAV: sound that nothing has encoded (Microsoft's and IBM's "Multimedia Programming Interface and Data Specifications 1.0";
//! RFC 2361 lists what it can hold).
//!
//! ```text
//! "RIFF" length:32 "WAVE"  "fmt " length:32 format:16 channels:16 rate:32 bytes/s:32 block:16 bits:16 ...
//! "data" length:32 samples...                                                      all little-endian
//! ```

use std::io::Read;

use crate::ReadError;
use crate::input::{Input, MOST};

/// What files begin with.
pub const SIGNATURE: [u8; 4] = *b"RIFF";
const PCM: u16 = 1;
const FLOAT: u16 = 3;
/// What it is stands behind, at the beginning of a longer name.
const EXTENSIBLE: u16 = 0xFFFE;
/// Chunks before the sound, at most.
const CHUNKS: usize = 64;
/// What programs say that do not know yet how long it becomes.
const UNKNOWN: u32 = u32::MAX;

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sample {
    I16,
    I24,
    I32,
    F32,
}

impl Sample {
    fn bytes(self) -> usize {
        match self {
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I32 | Self::F32 => 4,
        }
    }

    /// From -1 to 1.
    fn read(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::I16, &[a, b]) => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
            (Self::I24, &[a, b, c]) => i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0,
            (Self::I32, &[a, b, c, d]) => i32::from_le_bytes([a, b, c, d]) as f32 / 2_147_483_648.0,
            (Self::F32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            _ => 0.0,
        }
    }
}

/// Sound out of WAV: whole numbers of 16, 24 or 32 bits, or floating ones of 32, of one or two channels.
#[derive(Debug)]
pub struct WavReader<R> {
    input: Input<R>,
    sample: Sample,
    rate: u32,
    channels: u8,
    /// Bytes of sound that are to come; none where nobody knows.
    left: Option<u64>,
    buffer: Vec<u8>,
}

fn unsupported(what: &str) -> ReadError {
    ReadError::Unsupported(format!(
        "its sound is {what}, and can be one or two channels of 16, 24 or 32 bits: convert it, for example with \
         ffmpeg -i talk.wav -ac 2 -ar 48000 -c:a pcm_s16le fit.wav"
    ))
}

impl<R: Read> WavReader<R> {
    /// Reads up to the sound.
    ///
    /// # Errors
    /// If it is no WAV, or of something that is not read: the text says what to do.
    pub fn new(inner: R) -> Result<Self, ReadError> {
        let mut input = Input::new(inner);
        let head = input.array::<12>()?.ok_or(ReadError::Malformed("it does not begin as WAV does"))?;
        if head.first_chunk() != Some(&SIGNATURE) || head.last_chunk() != Some(b"WAVE") {
            return Err(ReadError::Malformed("it does not begin as WAV does"));
        }
        let mut format = None;
        for _ in 0..CHUNKS {
            let Some([n0, n1, n2, n3, l0, l1, l2, l3]) = input.array()? else { break };
            let length = u32::from_le_bytes([l0, l1, l2, l3]);
            // Each begins at an even place.
            let padded = u64::from(length) + u64::from(length & 1);
            match (&[n0, n1, n2, n3], format) {
                (b"fmt ", None) if u64::from(length) <= MOST => {
                    let chunk =
                        input.bytes(padded)?.ok_or(ReadError::Malformed("what its sound is, is cut off"))?;
                    format = Some(parse(&chunk)?);
                }
                (b"data", Some((sample, rate, channels))) => {
                    let left = Some(length).filter(|length| *length != UNKNOWN).map(u64::from);
                    return Ok(Self { input, sample, rate, channels, left, buffer: Vec::new() });
                }
                _ if input.skip(padded)? => {}
                _ => break,
            }
        }
        Err(ReadError::Malformed("there is no sound in it, or not what it is"))
    }

    /// Samples of each channel in a second: 1 to 768,000.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// 1 or 2.
    pub fn channels(&self) -> u8 {
        self.channels
    }

    /// Fills `samples`, those of both channels in turn, each from -1 to 1 but for what is too loud; how many there are is less
    /// where the file ends, and whole for all channels.
    ///
    /// # Errors
    /// If the file is not to be read.
    pub fn read(&mut self, samples: &mut [f32]) -> Result<usize, ReadError> {
        let size = self.sample.bytes();
        let block = size * usize::from(self.channels);
        let wanted = (samples.len() * size) as u64;
        let wanted = self.left.map_or(wanted, |left| left.min(wanted)) as usize;
        self.buffer.resize(wanted, 0);
        let got = self.input.fill(&mut self.buffer)?;
        // What is cut off ends it.
        self.left = if got < wanted { Some(0) } else { self.left.map(|left| left - got as u64) };
        let whole = self.buffer.get(..got - got % block).unwrap_or_default();
        for (sample, bytes) in samples.iter_mut().zip(whole.chunks_exact(size)) {
            let value = self.sample.read(bytes);
            *sample = if value.is_finite() { value } else { 0.0 };
        }
        Ok(whole.len() / size)
    }
}

fn parse(chunk: &[u8]) -> Result<(Sample, u32, u8), ReadError> {
    let short = ReadError::Malformed("what its sound is, is cut off");
    let Some(&[f0, f1, c0, c1, r0, r1, r2, r3, _, _, _, _, a0, a1, b0, b1]) = chunk.first_chunk() else {
        return Err(short);
    };
    let mut format = u16::from_le_bytes([f0, f1]);
    if format == EXTENSIBLE {
        format = chunk
            .get(24..)
            .and_then(|name| name.first_chunk())
            .copied()
            .map(u16::from_le_bytes)
            .ok_or(short)?;
    }
    let bits = u16::from_le_bytes([b0, b1]);
    let sample = match (format, bits) {
        (PCM, 16) => Sample::I16,
        (PCM, 24) => Sample::I24,
        (PCM, 32) => Sample::I32,
        (FLOAT, 32) => Sample::F32,
        (PCM | FLOAT, _) => return Err(unsupported(&format!("of {bits} bits"))),
        _ => return Err(unsupported(&format!("of format {format}"))),
    };
    let channels = match u16::from_le_bytes([c0, c1]) {
        channels @ 1..=2 => channels as u8,
        channels => return Err(unsupported(&format!("of {channels} channels"))),
    };
    let rate = u32::from_le_bytes([r0, r1, r2, r3]);
    if !(1..=768_000).contains(&rate) {
        return Err(ReadError::Malformed("it has no such number of samples in a second"));
    }
    if usize::from(u16::from_le_bytes([a0, a1])) != sample.bytes() * usize::from(channels) {
        return Err(ReadError::Malformed("its samples are not as far apart as they are long"));
    }
    Ok((sample, rate, channels))
}

#[cfg(test)]
mod tests;
