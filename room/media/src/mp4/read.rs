//! Frames out of MP4, in fragments or not.

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};

use super::boxes::{Boxes, Header, full};
use super::fragment::{self, Defaults};
use super::samples::{Sample, Samples};
use super::tracks;
use crate::form::Form;
use crate::input::{Input, MOST, duration};
use crate::{Frame, FrameSource, ReadError, Track};

/// Tracks that are looked at.
const TRACKS: usize = 32;

/// A track that is read.
#[derive(Debug)]
struct Reading {
    id: u32,
    form: Form,
    clock_rate: u64,
    shift: i64,
    /// Of a file that is not in fragments.
    samples: Samples,
    /// The one that is next.
    next: Option<Sample>,
}

/// Frames out of MP4.
#[derive(Debug)]
pub struct Mp4Reader<R> {
    inner: R,
    tracks: Vec<Track>,
    reading: Vec<Reading>,
    left_out: Vec<String>,
    defaults: Vec<Defaults>,
    /// Where the next box begins that may be a fragment; none where the file is not in fragments.
    fragments: Option<u64>,
    times: Vec<(u32, u64)>,
    /// Of the present fragment: of which track, in the order of their times.
    waiting: VecDeque<(usize, Sample)>,
}

impl<R: Read + Seek> Mp4Reader<R> {
    /// Reads the table of contents, wherever it is.
    ///
    /// # Errors
    /// If there is none, or nothing in it that can be sent.
    pub fn new(mut inner: R) -> Result<Self, ReadError> {
        let mut at = 0;
        let moov = loop {
            inner.seek(SeekFrom::Start(at))?;
            let mut input = Input::new(&mut inner);
            let Some(header) = Header::read(&mut input)? else {
                return Err(ReadError::Malformed(
                    "it has no table of contents: whatever wrote it did not come to its end",
                ));
            };
            let size = match header.size {
                _ if header.name == *b"moov" => {
                    let size = header.size.unwrap_or(MOST);
                    let bytes =
                        input.bytes(size)?.ok_or(ReadError::Malformed("its table of contents is cut off"))?;
                    at += input.position();
                    break bytes;
                }
                Some(size) => size,
                None => return Err(ReadError::Malformed("it has no table of contents")),
            };
            at = at.saturating_add(input.position()).saturating_add(size);
        };
        let mut reader = Self {
            inner,
            tracks: Vec::new(),
            reading: Vec::new(),
            left_out: Vec::new(),
            defaults: Vec::new(),
            fragments: None,
            times: Vec::new(),
            waiting: VecDeque::new(),
        };
        reader.read_contents(&moov)?;
        reader.fragments = reader.fragments.map(|_| at);
        if reader.tracks.is_empty() {
            let what = reader.left_out.join("; ");
            return Err(ReadError::Unsupported(format!(
                "there is nothing in it that can be sent ({what}): make H.264 and Opus of it"
            )));
        }
        Ok(reader)
    }

    fn read_contents(&mut self, moov: &[u8]) -> Result<(), ReadError> {
        let movie_rate = match Boxes::of(moov).find(*b"mvhd")? {
            None => 1,
            Some(header) => {
                let (version, _, mut cursor) = full(header)?;
                cursor.take(if version == 1 { 16 } else { 8 })?;
                cursor.u32()?.into()
            }
        };
        let mut boxes = Boxes::of(moov);
        let mut count = 0;
        while let Some((name, bytes)) = boxes.next()? {
            match &name {
                b"trak" if count < TRACKS => {
                    count += 1;
                    self.read_track(bytes, movie_rate)?;
                }
                b"mvex" => {
                    self.fragments = Some(0);
                    let mut each = Boxes::of(bytes);
                    while let Some((name, bytes)) = each.next()? {
                        if name == *b"trex" && self.defaults.len() < TRACKS {
                            self.defaults.push(Defaults::read(bytes)?);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_track(&mut self, trak: &[u8], movie_rate: u64) -> Result<(), ReadError> {
        match tracks::read(trak, movie_rate)? {
            Ok(known) => {
                let is_audio = known.track.codec.is_audio();
                if self.tracks.iter().any(|track| track.codec.is_audio() == is_audio) {
                    self.left_out.push(format!("{} is one track too many", known.track.codec.name()));
                    return Ok(());
                }
                let mut samples = Samples::new(known.table)?;
                let next = samples.next();
                // Some are shown later than the one behind them is decoded.
                let mut look = samples.clone();
                let mut shown = next.map_or(0, |sample| sample.later);
                let mut track = known.track;
                for _ in 0..100 {
                    let Some(sample) = look.next() else { break };
                    let at = i64::try_from(sample.time).unwrap_or(i64::MAX).saturating_add(sample.later);
                    track.reorders |= at < shown;
                    shown = at;
                }
                self.tracks.push(track);
                let (form, id, clock_rate, shift) = (known.form, known.id, known.clock_rate, known.shift);
                self.reading.push(Reading { id, form, clock_rate, shift, samples, next });
            }
            Err(why) => self.left_out.push(why),
        }
        Ok(())
    }

    /// The samples of the next fragment that has some; false at the end of the file.
    fn next_fragment(&mut self) -> Result<bool, ReadError> {
        while let Some(start) = self.fragments {
            self.inner.seek(SeekFrom::Start(start))?;
            let mut input = Input::new(&mut self.inner);
            let Some(header) = Header::read(&mut input)? else { break };
            let Some(size) = header.size else { break };
            let bytes = if header.name == *b"moof" {
                let Some(bytes) = input.bytes(size)? else { break };
                Some(bytes)
            } else {
                None
            };
            let head = input.position() - bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
            self.fragments = Some(start.saturating_add(head).saturating_add(size));
            let Some(moof) = bytes else { continue };
            let samples = fragment::read(&moof, start, &self.defaults, &mut self.times)?;
            let of = |id: u32| self.reading.iter().position(|reading| reading.id == id);
            let mut known: Vec<_> =
                samples.into_iter().filter_map(|(id, sample)| Some((of(id)?, sample))).collect();
            known.sort_by_key(|(at, sample)| {
                let rate = self.reading.get(*at).map_or(1, |reading| reading.clock_rate);
                duration(sample.time, rate)
            });
            self.waiting = known.into();
            if !self.waiting.is_empty() {
                return Ok(true);
            }
        }
        self.fragments = Some(u64::MAX);
        Ok(false)
    }

    /// The next sample in the order of their times, and of which track.
    fn next_sample(&mut self) -> Result<Option<(usize, Sample)>, ReadError> {
        if self.fragments.is_some() {
            if self.waiting.is_empty() && (self.fragments == Some(u64::MAX) || !self.next_fragment()?) {
                return Ok(None);
            }
            return Ok(self.waiting.pop_front());
        }
        let with_next = self.reading.iter().enumerate().filter_map(|(at, reading)| {
            let sample = reading.next?;
            Some((duration(sample.time, reading.clock_rate), at, sample))
        });
        let Some((_, at, sample)) = with_next.min_by_key(|(time, ..)| *time) else { return Ok(None) };
        if let Some(reading) = self.reading.get_mut(at) {
            reading.next = reading.samples.next();
        }
        Ok(Some((at, sample)))
    }
}

impl<R: Read + Seek + Send> FrameSource for Mp4Reader<R> {
    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn left_out(&self) -> &[String] {
        &self.left_out
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        loop {
            let Some((at, sample)) = self.next_sample()? else { return Ok(None) };
            if sample.size == 0 {
                continue;
            }
            self.inner.seek(SeekFrom::Start(sample.offset))?;
            let Some(bytes) = Input::new(&mut self.inner).bytes(sample.size.into())? else { return Ok(None) };
            let Some((track, reading)) = self.tracks.get(at).zip(self.reading.get(at)) else { continue };
            let shown = i64::try_from(sample.time).unwrap_or(i64::MAX).saturating_add(sample.later);
            let ticks = shown.saturating_add(reading.shift).max(0).unsigned_abs();
            let (bytes, key) = reading.form.open(track.codec, bytes, false)?;
            // Lengths of nothing are all that it held.
            if bytes.is_empty() {
                continue;
            }
            let time = duration(ticks, reading.clock_rate);
            return Ok(Some(Frame { track: at, time, key, bytes: bytes.into() }));
        }
    }
}
