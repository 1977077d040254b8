//! Frames out of WebM and Matroska. What holds other elements is entered without regard to its length, as a recorder that was
//! killed has not written it.

use std::io::Read;

use rtp::codec::Codec;

use super::ebml::{Elements, Header, number, unsigned};
use super::id;
use crate::form::Form;
use crate::input::{Cursor, Input, duration};
use crate::{Frame, FrameSource, ReadError, Track};

/// Nanoseconds of a tick, where nothing is said.
const USUAL_SCALE: u64 = 1_000_000;
/// Bytes of what is said of tracks.
const LONGEST_TRACKS: u64 = 1 << 20;
/// What is left out is told of so many tracks.
const TOLD: usize = 8;

const CODECS: [(&str, Codec); 6] = [
    ("V_VP8", Codec::Vp8),
    ("V_VP9", Codec::Vp9),
    ("V_AV1", Codec::Av1),
    ("V_MPEG4/ISO/AVC", Codec::H264),
    ("V_MPEGH/ISO/HEVC", Codec::H265),
    ("A_OPUS", Codec::Opus),
];

/// The bits of a block that say how several frames are in it.
const LACING: u8 = 0x06;

/// Frames out of WebM and Matroska.
#[derive(Debug)]
pub struct WebMReader<R> {
    input: Input<R>,
    scale: u64,
    tracks: Vec<Track>,
    /// Of each: its number, and the form of its frames.
    known: Vec<(u64, Form)>,
    left_out: Vec<String>,
    cluster: u64,
}

impl<R: Read> WebMReader<R> {
    /// Reads up to what is said of the tracks.
    ///
    /// # Errors
    /// If it is no such file, or has nothing in it that can be sent.
    pub fn new(inner: R) -> Result<Self, ReadError> {
        let mut reader = Self {
            input: Input::new(inner),
            scale: USUAL_SCALE,
            tracks: Vec::new(),
            known: Vec::new(),
            left_out: Vec::new(),
            cluster: 0,
        };
        let first = Header::read(&mut reader.input)?;
        if first.is_none_or(|header| header.id != id::EBML) {
            return Err(ReadError::Malformed("it does not begin as WebM and Matroska do"));
        }
        reader.skip(first.and_then(|header| header.size))?;
        loop {
            let Some(header) = Header::read(&mut reader.input)? else {
                return Err(ReadError::Malformed("it ends before it says what is in it"));
            };
            match header.id {
                id::SEGMENT => {}
                id::INFO => {
                    let bytes = reader.whole(header.size)?;
                    reader.read_info(&bytes)?;
                }
                id::TRACKS => {
                    let bytes = reader.whole(header.size)?;
                    reader.read_tracks(&bytes)?;
                    break;
                }
                id::CLUSTER => {
                    return Err(ReadError::Malformed("frames come before it says of what they are"));
                }
                _ => reader.skip(header.size)?,
            }
        }
        if reader.tracks.is_empty() {
            let what = reader.left_out.join("; ");
            return Err(ReadError::Unsupported(format!(
                "there is nothing in it that can be sent ({what}): make VP8 and Opus of it, for example with ffmpeg's -c:v libvpx -c:a libopus"
            )));
        }
        Ok(reader)
    }

    fn skip(&mut self, size: Option<u64>) -> Result<(), ReadError> {
        let size = size.ok_or(ReadError::Malformed("an element that must say how long it is does not"))?;
        // Whatever is behind the end of the file is not there.
        self.input.skip(size)?;
        Ok(())
    }

    fn whole(&mut self, size: Option<u64>) -> Result<Vec<u8>, ReadError> {
        let size = size.filter(|size| *size <= LONGEST_TRACKS);
        let size = size.ok_or(ReadError::Malformed("what it says of its tracks has no bounds"))?;
        self.input.bytes(size)?.ok_or(ReadError::Malformed("it ends before it says what is in it"))
    }

    fn read_info(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let mut elements = Elements::of(bytes);
        while let Some((kind, bytes)) = elements.next()? {
            if kind == id::TIMESTAMP_SCALE {
                self.scale = unsigned(bytes)?.max(1);
            }
        }
        Ok(())
    }

    fn read_tracks(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let mut elements = Elements::of(bytes);
        while let Some((kind, bytes)) = elements.next()? {
            if kind == id::TRACK_ENTRY {
                self.read_track(bytes)?;
            }
        }
        Ok(())
    }

    fn read_track(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let (mut number, mut name, mut private, mut is_encoded) = (0, "", &[][..], false);
        let (mut size, mut channels) = (None, 1);
        let mut elements = Elements::of(bytes);
        while let Some((kind, bytes)) = elements.next()? {
            match kind {
                id::TRACK_NUMBER => number = unsigned(bytes)?,
                id::CODEC_ID => name = std::str::from_utf8(bytes).unwrap_or("?").trim_end_matches('\0'),
                id::CODEC_PRIVATE => private = bytes,
                id::CONTENT_ENCODINGS => is_encoded = true,
                id::VIDEO => size = read_size(bytes)?,
                id::AUDIO => channels = read_channels(bytes)?,
                _ => {}
            }
        }
        let codec = CODECS.iter().find(|(known, _)| *known == name).map(|(_, codec)| *codec);
        let is_taken = codec
            .is_some_and(|codec| self.tracks.iter().any(|track| track.codec.is_audio() == codec.is_audio()));
        let why = match codec {
            None => "cannot be sent",
            Some(_) if is_taken => "is one track too many",
            Some(_) if is_encoded => {
                "is compressed by the container: remux it with mkvmerge --compression -1:none"
            }
            Some(codec) => {
                let form = match codec {
                    Codec::H264 | Codec::H265 => Form::of_nal_units(codec, private)?,
                    Codec::Av1 => Form::of_obus(private),
                    _ => Form::Plain,
                };
                let parameters = form.parameters().to_vec().into();
                let channels = if codec.is_audio() { channels } else { 0 };
                self.tracks.push(Track { size, channels, parameters, ..Track::new(codec) });
                self.known.push((number, form));
                return Ok(());
            }
        };
        if self.left_out.len() < TOLD {
            let name = name.chars().take(32).collect::<String>().escape_debug().to_string();
            self.left_out.push(format!("{name} {why}"));
        }
        Ok(())
    }

    /// A block of one frame (RFC 9559 §10); none where it is of no track that is read.
    fn read_block(&mut self, block: &[u8], is_key: bool) -> Result<Option<Frame>, ReadError> {
        let mut cursor = Cursor::new(block);
        let track = number(|| cursor.u8().map(Some), 8)?.and_then(|number| number.value);
        let at = self.known.iter().position(|(number, _)| Some(*number) == track);
        let Some((at, (track, (_, form)))) =
            at.and_then(|at| Some((at, (self.tracks.get(at)?, self.known.get(at)?))))
        else {
            return Ok(None);
        };
        let offset = i16::from_be_bytes(cursor.array()?);
        let flags = cursor.u8()?;
        if flags & LACING != 0 {
            return Err(ReadError::Unsupported(
                "several frames share a block in this file: remux it with mkvmerge --disable-lacing"
                    .to_owned(),
            ));
        }
        if cursor.is_empty() {
            return Ok(None);
        }
        let ticks = self.cluster.saturating_add_signed(offset.into());
        let time = duration(ticks.saturating_mul(self.scale), 1_000_000_000);
        let (bytes, key) = form.open(track.codec, cursor.rest().to_vec(), is_key || flags & 0x80 != 0)?;
        // Lengths of nothing may be all that it held.
        Ok((!bytes.is_empty()).then(|| Frame { track: at, time, key, bytes: bytes.into() }))
    }

    fn read_group(&mut self, bytes: &[u8]) -> Result<Option<Frame>, ReadError> {
        let (mut block, mut is_key) = (None, true);
        let mut elements = Elements::of(bytes);
        while let Some((kind, bytes)) = elements.next()? {
            match kind {
                id::BLOCK => block = Some(bytes),
                id::REFERENCE_BLOCK => is_key = false,
                _ => {}
            }
        }
        block.map_or(Ok(None), |block| self.read_block(block, is_key))
    }
}

fn read_size(bytes: &[u8]) -> Result<Option<(u32, u32)>, ReadError> {
    let (mut width, mut height) = (0, 0);
    let mut elements = Elements::of(bytes);
    while let Some((kind, bytes)) = elements.next()? {
        match kind {
            id::PIXEL_WIDTH => width = unsigned(bytes)?,
            id::PIXEL_HEIGHT => height = unsigned(bytes)?,
            _ => {}
        }
    }
    let is_sane = (1..=65_535).contains(&width) && (1..=65_535).contains(&height);
    Ok(is_sane.then_some((width as u32, height as u32)))
}

fn read_channels(bytes: &[u8]) -> Result<u8, ReadError> {
    let mut channels = 1;
    let mut elements = Elements::of(bytes);
    while let Some((kind, bytes)) = elements.next()? {
        if kind == id::CHANNELS {
            channels = unsigned(bytes)?.clamp(1, 255) as u8;
        }
    }
    Ok(channels)
}

impl<R: Read + Send> FrameSource for WebMReader<R> {
    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn left_out(&self) -> &[String] {
        &self.left_out
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        loop {
            let Some(header) = Header::read(&mut self.input)? else { return Ok(None) };
            let frame = match header.id {
                id::SEGMENT | id::CLUSTER => continue,
                id::TIMESTAMP | id::SIMPLE_BLOCK | id::BLOCK_GROUP => {
                    let size =
                        header.size.ok_or(ReadError::Malformed("a block does not say how long it is"))?;
                    let Some(bytes) = self.input.bytes(size)? else { return Ok(None) };
                    match header.id {
                        id::TIMESTAMP => {
                            self.cluster = unsigned(&bytes)?;
                            None
                        }
                        id::SIMPLE_BLOCK => self.read_block(&bytes, false)?,
                        _ => self.read_group(&bytes)?,
                    }
                }
                _ => {
                    self.skip(header.size)?;
                    None
                }
            };
            if frame.is_some() {
                return Ok(frame);
            }
        }
    }
}
