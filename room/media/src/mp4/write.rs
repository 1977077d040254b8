//! Frames into MP4, in fragments of a second: a file whose recorder was killed can be played up to its last whole one.

use std::io::{Seek, SeekFrom, Write};
use std::time::Duration;

use rtp::codec::Codec;

use super::boxes::{put, put_full};
use crate::container::no_place;
use crate::input::ticks;
use crate::{Container, Frame, FrameSink, Track, WriteError, stream};

/// A fragment lasts so long, about; with pictures it ends before a key frame.
const FRAGMENT: Duration = Duration::from_secs(1);
/// And at most.
const LONGEST: Duration = Duration::from_secs(4);
/// Bytes of a fragment, at most, however long it lasts.
const BYTES: usize = 32 << 20;
/// Ticks in a second, of the whole.
const MOVIE_RATE: u32 = 1000;
/// Ticks that a last frame lasts, of pictures and of sound, where nothing says it.
const LAST: [u32; 2] = [3000, 960];
/// A frame is a key frame, or is none (§8.8.3.1).
const KEY: u32 = 0x0200_0000;
const NO_KEY: u32 = 0x0101_0000;

/// Frames into MP4.
#[derive(Debug)]
pub struct Mp4Writer<W> {
    out: W,
    tracks: Vec<Writing>,
    sequence: u32,
    /// Where the whole's duration stands (`mehd`).
    duration_at: u64,
    since: Option<Duration>,
}

#[derive(Debug)]
struct Writing {
    track: Track,
    /// Of the present fragment; the last one's duration is not known before the next has come.
    samples: Vec<Pending>,
    bytes: usize,
    last_duration: u32,
    end: u64,
}

#[derive(Debug)]
struct Pending {
    time: u64,
    key: bool,
    bytes: Vec<u8>,
}

impl Writing {
    fn clock_rate(&self) -> u32 {
        self.track.codec.clock_rate()
    }
}

impl<W: Write + Seek> Mp4Writer<W> {
    /// Writes all that stands before the first frame.
    ///
    /// # Errors
    /// If that is not possible, or a codec has no place there.
    pub fn new(mut out: W, tracks: &[Track]) -> Result<Self, WriteError> {
        if let Some(track) = tracks.iter().find(|track| !Container::Mp4.takes(track.codec)) {
            return Err(no_place("MP4", track.codec));
        }
        let mut head = Vec::new();
        put(&mut head, b"ftyp", |out| out.extend(*b"isom\0\0\x02\0isomiso5iso6mp41"));
        let entries: Option<Vec<Vec<u8>>> = tracks.iter().map(sample_entry).collect();
        let entries = entries.ok_or_else(|| {
            WriteError::Unsupported(
                "the first picture is no key frame: nobody could play the file".to_owned(),
            )
        })?;
        let mut duration_at = 0;
        put(&mut head, b"moov", |out| {
            put_full(out, b"mvhd", (0, 0), |out| movie_header(out, tracks.len() as u32 + 1));
            for (at, (track, entry)) in tracks.iter().zip(&entries).enumerate() {
                put(out, b"trak", |out| track_box(out, at as u32 + 1, track, entry));
            }
            put(out, b"mvex", |out| {
                put_full(out, b"mehd", (1, 0), |out| out.extend([0; 8]));
                duration_at = out.len() as u64 - 8;
                for at in 0..tracks.len() {
                    put_full(out, b"trex", (0, 0), |out| {
                        [at as u32 + 1, 1, 0, 0, 0].iter().for_each(|word| out.extend(word.to_be_bytes()));
                    });
                }
            });
        });
        let start = out.stream_position()?;
        out.write_all(&head)?;
        let writing = |track: &Track| Writing {
            track: track.clone(),
            samples: Vec::new(),
            bytes: 0,
            last_duration: LAST[usize::from(track.codec.is_audio())],
            end: 0,
        };
        let tracks = tracks.iter().map(writing).collect();
        Ok(Self { out, tracks, sequence: 0, duration_at: start + duration_at, since: None })
    }

    /// Writes a fragment; the last sample of each track is kept for the next one, unless it is all over.
    fn put_fragment(&mut self, is_last: bool) -> Result<(), WriteError> {
        self.since = None;
        let mut parts = Vec::new();
        for (at, track) in self.tracks.iter_mut().enumerate() {
            let kept = if is_last { None } else { track.samples.pop() };
            let samples = std::mem::take(&mut track.samples);
            let end = kept.as_ref().map(|kept| kept.time);
            track.bytes = kept.as_ref().map_or(0, |kept| kept.bytes.len());
            track.samples.extend(kept);
            if samples.is_empty() {
                continue;
            }
            let next = samples.iter().skip(1).map(|sample| sample.time).map(Some).chain([end]);
            let mut durations = Vec::with_capacity(samples.len());
            for (sample, next) in samples.iter().zip(next) {
                let duration = next.map(|next| next.saturating_sub(sample.time).min(u32::MAX.into()) as u32);
                track.last_duration = duration.unwrap_or(track.last_duration);
                durations.push(track.last_duration);
                track.end = sample.time + u64::from(track.last_duration);
            }
            parts.push((at as u32 + 1, samples, durations));
        }
        if parts.is_empty() {
            return Ok(());
        }
        self.sequence += 1;
        let mut moof = Vec::new();
        // Where each run says where its bytes are, counted from here: known once the box is whole.
        let mut places = Vec::new();
        put(&mut moof, b"moof", |out| {
            put_full(out, b"mfhd", (0, 0), |out| out.extend(self.sequence.to_be_bytes()));
            for (id, samples, durations) in &parts {
                put(out, b"traf", |out| {
                    put_full(out, b"tfhd", (0, 0x02_0000), |out| out.extend(id.to_be_bytes()));
                    let start = samples.first().map_or(0, |sample| sample.time);
                    put_full(out, b"tfdt", (1, 0), |out| out.extend(start.to_be_bytes()));
                    put_full(out, b"trun", (0, 0x701), |out| {
                        out.extend((samples.len() as u32).to_be_bytes());
                        places.push(out.len());
                        out.extend([0; 4]);
                        for (sample, duration) in samples.iter().zip(durations) {
                            let flags = if sample.key { KEY } else { NO_KEY };
                            [*duration, sample.bytes.len() as u32, flags]
                                .iter()
                                .for_each(|word| out.extend(word.to_be_bytes()));
                        }
                    });
                });
            }
        });
        let mut offset = moof.len() + 8;
        for (place, (_, samples, _)) in places.iter().zip(&parts) {
            if let Some(word) = moof.get_mut(*place..place + 4) {
                word.copy_from_slice(&(offset as u32).to_be_bytes());
            }
            offset += samples.iter().map(|sample| sample.bytes.len()).sum::<usize>();
        }
        let size = (offset - moof.len()) as u32;
        moof.extend(size.to_be_bytes());
        moof.extend(*b"mdat");
        self.out.write_all(&moof)?;
        for sample in parts.iter().flat_map(|(_, samples, _)| samples) {
            self.out.write_all(&sample.bytes)?;
        }
        Ok(())
    }

    fn is_full(&self, frame: &Frame) -> bool {
        let is_picture = self.tracks.get(frame.track).is_some_and(|track| !track.track.codec.is_audio());
        let has_pictures = self.tracks.iter().any(|track| !track.track.codec.is_audio());
        let lasts = self.since.map_or(Duration::ZERO, |since| frame.time.saturating_sub(since));
        let may_end = !has_pictures || (is_picture && frame.key);
        let bytes: usize = self.tracks.iter().map(|track| track.bytes).sum();
        (lasts >= FRAGMENT && may_end) || lasts >= LONGEST || bytes + frame.bytes.len() > BYTES
    }
}

impl<W: Write + Seek + Send> FrameSink for Mp4Writer<W> {
    fn write_frame(&mut self, frame: &Frame) -> Result<(), WriteError> {
        let is_full = self.is_full(frame);
        let Some(track) = self.tracks.get_mut(frame.track) else { return Ok(()) };
        let bytes = match track.track.codec {
            Codec::H264 | Codec::H265 => {
                stream::with_lengths(track.track.codec, &frame.bytes, &track.track.parameters)
            }
            _ => frame.bytes.to_vec(),
        };
        let time = ticks(frame.time, track.clock_rate());
        track.bytes += bytes.len();
        // Times go on: a sample cannot begin before the one before it.
        let time = track.samples.last().map_or(time, |last| time.max(last.time));
        track.samples.push(Pending { time, key: frame.key, bytes });
        self.since.get_or_insert(frame.time);
        if is_full {
            self.put_fragment(false)?;
            self.since = Some(frame.time);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        Ok(self.out.flush()?)
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        self.put_fragment(true)?;
        let lengths = self.tracks.iter().map(|track| {
            (u128::from(track.end) * u128::from(MOVIE_RATE) / u128::from(track.clock_rate().max(1))) as u64
        });
        let length = lengths.max().unwrap_or(0);
        self.out.seek(SeekFrom::Start(self.duration_at))?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.seek(SeekFrom::End(0))?;
        Ok(self.out.flush()?)
    }
}

/// The unit matrix (§8.2.2).
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

fn words(out: &mut Vec<u8>, words: &[u32]) {
    words.iter().for_each(|word| out.extend(word.to_be_bytes()));
}

fn movie_header(out: &mut Vec<u8>, next: u32) {
    // Created, changed, clock, no duration, speed, volume.
    words(out, &[0, 0, MOVIE_RATE, 0, 0x1_0000, 0x0100_0000, 0, 0]);
    words(out, &MATRIX);
    words(out, &[0; 6]);
    words(out, &[next]);
}

fn track_box(out: &mut Vec<u8>, id: u32, track: &Track, entry: &[u8]) {
    let is_audio = track.codec.is_audio();
    let (width, height) = track.size.unwrap_or_default();
    // It is shown, and part of the whole.
    put_full(out, b"tkhd", (0, 3), |out| {
        words(out, &[0, 0, id, 0, 0, 0, 0, 0, if is_audio { 0x0100_0000 } else { 0 }]);
        words(out, &MATRIX);
        words(out, &[width << 16, height << 16]);
    });
    put(out, b"mdia", |out| {
        // In no language (`und`).
        put_full(out, b"mdhd", (0, 0), |out| words(out, &[0, 0, track.codec.clock_rate(), 0, 0x55C4_0000]));
        put_full(out, b"hdlr", (0, 0), |out| {
            words(out, &[0]);
            out.extend(if is_audio { *b"soun" } else { *b"vide" });
            words(out, &[0; 3]);
            out.extend(*b"twocan\0");
        });
        put(out, b"minf", |out| {
            if is_audio {
                put_full(out, b"smhd", (0, 0), |out| words(out, &[0]));
            } else {
                put_full(out, b"vmhd", (0, 1), |out| words(out, &[0, 0]));
            }
            put(out, b"dinf", |out| {
                put_full(out, b"dref", (0, 0), |out| {
                    words(out, &[1]);
                    put_full(out, b"url ", (0, 1), |_| ());
                });
            });
            put(out, b"stbl", |out| {
                put_full(out, b"stsd", (0, 0), |out| {
                    words(out, &[1]);
                    out.extend_from_slice(entry);
                });
                // All samples are in fragments.
                put_full(out, b"stts", (0, 0), |out| words(out, &[0]));
                put_full(out, b"stsc", (0, 0), |out| words(out, &[0]));
                put_full(out, b"stsz", (0, 0), |out| words(out, &[0, 0]));
                put_full(out, b"stco", (0, 0), |out| words(out, &[0]));
            });
        });
    });
}

/// What a decoder needs; none where that is not in the track.
fn sample_entry(track: &Track) -> Option<Vec<u8>> {
    let (name, inner, configuration) = match track.codec {
        Codec::H264 => (b"avc1", b"avcC", stream::avc_configuration(&track.parameters)?),
        // Parameter sets may be in samples, too.
        Codec::H265 => (b"hev1", b"hvcC", stream::hevc_configuration(&track.parameters)?),
        _ => (b"Opus", b"dOps", opus_configuration(track.channels)),
    };
    let mut entry = Vec::new();
    put(&mut entry, name, |out| {
        out.extend([0, 0, 0, 0, 0, 0, 0, 1]);
        if track.codec.is_audio() {
            words(out, &[0, 0, u32::from(track.channels) << 16 | 16, 0, 48_000 << 16]);
        } else {
            let (width, height) = track.size.unwrap_or_default();
            words(out, &[0, 0, 0, 0, width << 16 | height & 0xFFFF, 0x0048_0000, 0x0048_0000, 0, 0x1_0000]);
            // A name of 31 letters at most, which it has not; a depth of 24 bits.
            out.extend([0; 30]);
            out.extend([0, 0x18, 0xFF, 0xFF]);
        }
        put(out, inner, |out| out.extend_from_slice(&configuration));
    });
    Some(entry)
}

/// `dOps` (Opus in ISOBMFF §4.3.2): nothing is skipped.
fn opus_configuration(channels: u8) -> Vec<u8> {
    let mut bytes = vec![0, channels, 0, 0];
    bytes.extend(48_000_u32.to_be_bytes());
    bytes.extend([0, 0, 0]);
    bytes
}
