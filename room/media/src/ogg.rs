//! Opus in Ogg (RFC 3533, RFC 7845).
//!
//! ```text
//! "OggS" version:8 flags:8 granule:64 serial:32 sequence:32 crc:32 segments:8 lengths... bodies...    all little-endian
//! ```

mod page;

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::time::Duration;

use bytes::Bytes;
use rtp::codec::{Codec, opus};

use crate::container::no_place;
use crate::input::{Input, duration, ticks};
use crate::{Frame, FrameSink, FrameSource, ReadError, Track, WriteError};
use page::{BEGINS, CONTINUES, ENDS, Page};

/// What files begin with.
pub(crate) const SIGNATURE: [u8; 4] = *b"OggS";
const CLOCK_RATE: u32 = 48_000;
/// Bytes of a packet of Opus, at most (RFC 7845 §6): of a stream's two channels.
const LONGEST: usize = 61_440;
/// A page holds so much sound at most: what is lost when this program is killed.
const PAGE: Duration = Duration::from_secs(1);
/// Segments of a page.
const SEGMENTS: usize = 255;

/// What stands before the first sound (RFC 7845 §5.1).
pub(crate) fn head(channels: u8, skipped: u16) -> Vec<u8> {
    let mut bytes = b"OpusHead\x01".to_vec();
    bytes.push(channels);
    bytes.extend(skipped.to_le_bytes());
    bytes.extend(CLOCK_RATE.to_le_bytes());
    // No gain, and one stream.
    bytes.extend([0, 0, 0]);
    bytes
}

/// Channels, and samples to be skipped; none where it is no such head, or one of several streams.
fn read_head(bytes: &[u8]) -> Option<(u8, u16)> {
    let rest = bytes.strip_prefix(b"OpusHead")?;
    let &[version, channels, s0, s1, _, _, _, _, _, _, family] = rest.first_chunk::<11>()?;
    let is_simple = version & 0xF0 == 0 && family == 0 && (1..=2).contains(&channels);
    is_simple.then_some((channels, u16::from_le_bytes([s0, s1])))
}

/// Frames out of Ogg.
#[derive(Debug)]
pub struct OggReader<R> {
    input: Input<R>,
    serial: u32,
    track: Track,
    /// Samples before the first page of sound.
    base: Option<u64>,
    /// Samples so far.
    position: u64,
    partial: Option<Vec<u8>>,
    /// With when each begins.
    packets: VecDeque<(u64, Vec<u8>)>,
    /// What says whose it is, and by whom, has come.
    is_tagged: bool,
}

impl<R: Read> OggReader<R> {
    /// Reads up to the head of a stream of Opus.
    ///
    /// # Errors
    /// If there is none in the file.
    pub fn new(inner: R) -> Result<Self, ReadError> {
        let mut input = Input::new(inner);
        // Streams all begin before anything else comes (RFC 3533 §4).
        while let Some(page) = Page::read(&mut input)?.filter(|page| page.flags & BEGINS != 0) {
            if let Some((channels, _)) = read_head(&page.body) {
                return Ok(Self {
                    input,
                    serial: page.serial,
                    track: Track { channels, ..Track::new(Codec::Opus) },
                    base: None,
                    position: 0,
                    partial: None,
                    packets: VecDeque::new(),
                    is_tagged: false,
                });
            }
        }
        Err(ReadError::Unsupported(
            "there is no Opus of one or two channels in this Ogg file: make some with `opusenc`, or ffmpeg's -c:a libopus"
                .to_owned(),
        ))
    }

    /// Takes the packets of a page.
    fn take(&mut self, page: &Page) {
        if page.flags & CONTINUES == 0 {
            self.partial = None;
        }
        let mut done = Vec::new();
        let mut partial = self.partial.take();
        // What goes on here and whose beginning is not there.
        let mut is_orphan = page.flags & CONTINUES != 0 && partial.is_none();
        let mut rest = &page.body[..];
        for length in &page.lengths {
            let Some((piece, more)) = rest.split_at_checked(usize::from(*length)) else { break };
            rest = more;
            let packet = partial.get_or_insert_default();
            packet.extend_from_slice(piece);
            let is_whole = *length < 255;
            if is_whole || packet.len() > LONGEST {
                let packet = partial.take().unwrap_or_default();
                if !is_orphan && packet.len() <= LONGEST && !packet.is_empty() {
                    done.push(packet);
                }
                // What is too long goes on as what has no beginning.
                is_orphan = !is_whole;
            }
        }
        self.partial = partial.filter(|_| !is_orphan);
        if !self.is_tagged && !done.is_empty() {
            self.is_tagged = true;
            done.remove(0);
        }
        let length: u64 = done.iter().filter_map(|packet| opus::ticks(packet)).map(u64::from).sum();
        if let Ok(end) = u64::try_from(page.granule)
            && !done.is_empty()
        {
            // The page says when its last packet ends; the last page may say less than it holds (RFC 7845 §4.4).
            let start = end.saturating_sub(length);
            let base = *self.base.get_or_insert(start);
            self.position = self.position.max(start.saturating_sub(base));
        }
        for packet in done {
            let Some(length) = opus::ticks(&packet) else { continue };
            self.packets.push_back((self.position, packet));
            self.position = self.position.saturating_add(length.into());
        }
    }
}

impl<R: Read + Send> FrameSource for OggReader<R> {
    fn tracks(&self) -> &[Track] {
        std::slice::from_ref(&self.track)
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        loop {
            if let Some((position, packet)) = self.packets.pop_front() {
                let time = duration(position, CLOCK_RATE.into());
                return Ok(Some(Frame { track: 0, time, key: true, bytes: packet.into() }));
            }
            let Some(page) = Page::read(&mut self.input)? else { return Ok(None) };
            // Another stream behind this one would begin anew (chaining): it is not read.
            if page.serial == self.serial {
                self.take(&page);
            }
        }
    }
}

/// Frames into Ogg.
#[derive(Debug)]
pub struct OggWriter<W> {
    out: W,
    sequence: u32,
    waiting: Vec<Bytes>,
    segments: usize,
    /// Samples to the end of what waits.
    end: u64,
    since: Option<Duration>,
}

/// Any number will do for a file of one stream.
const SERIAL: u32 = 0x7477_6F63;

impl<W: Write> OggWriter<W> {
    /// Writes the two heads.
    ///
    /// # Errors
    /// If that is not possible, or the track is not Opus.
    pub fn new(out: W, track: &Track) -> Result<Self, WriteError> {
        if track.codec != Codec::Opus {
            return Err(no_place("Ogg", track.codec));
        }
        let mut writer = Self { out, sequence: 0, waiting: Vec::new(), segments: 0, end: 0, since: None };
        let mut tags = b"OpusTags".to_vec();
        tags.extend(6_u32.to_le_bytes());
        tags.extend(b"twocan");
        tags.extend(0_u32.to_le_bytes());
        writer.put(BEGINS, 0, &[head(track.channels, 0).into()])?;
        writer.put(0, 0, &[tags.into()])?;
        Ok(writer)
    }

    fn put(&mut self, flags: u8, granule: u64, packets: &[Bytes]) -> Result<(), WriteError> {
        let bytes = page::write(flags, granule, SERIAL, self.sequence, packets);
        self.sequence = self.sequence.wrapping_add(1);
        Ok(self.out.write_all(&bytes)?)
    }

    fn put_waiting(&mut self, flags: u8) -> Result<(), WriteError> {
        let waiting = std::mem::take(&mut self.waiting);
        (self.segments, self.since) = (0, None);
        self.put(flags, self.end, &waiting)
    }
}

impl<W: Write + Send> FrameSink for OggWriter<W> {
    fn write_frame(&mut self, frame: &Frame) -> Result<(), WriteError> {
        let Some(length) = opus::ticks(&frame.bytes).filter(|_| frame.bytes.len() <= LONGEST) else {
            return Ok(());
        };
        let start = ticks(frame.time, CLOCK_RATE);
        let segments = frame.bytes.len() / 255 + 1;
        let is_long = self.since.is_some_and(|since| frame.time.saturating_sub(since) >= PAGE);
        // A gap is told by the page behind it.
        let is_gap = start > self.end + u64::from(length);
        if !self.waiting.is_empty() && (is_long || is_gap || self.segments + segments > SEGMENTS) {
            self.put_waiting(0)?;
        }
        self.since.get_or_insert(frame.time);
        self.segments += segments;
        self.end = start.max(if is_gap { start } else { self.end }) + u64::from(length);
        self.waiting.push(frame.bytes.clone());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        if !self.waiting.is_empty() {
            self.put_waiting(0)?;
        }
        Ok(self.out.flush()?)
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        // A page of nothing may end a stream, too.
        self.put_waiting(ENDS)?;
        Ok(self.out.flush()?)
    }
}

#[cfg(test)]
mod tests;
