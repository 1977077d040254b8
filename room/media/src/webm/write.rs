//! Frames into WebM, and Matroska for the codecs that WebM does not have.
//!
//! Lengths that are not known yet say so, and are put right later: a file whose recorder was killed can be played up to its
//! last frame. At the end it gets its duration, and the places that players seek by.

use std::io::{Seek, SeekFrom, Write};

use rtp::codec::Codec;

use super::ebml::{UNKNOWN_SIZE, long_size, put, put_id, put_unsigned};
use super::id;
use crate::container::no_place;
use crate::input::ticks;
use crate::{Container, Frame, FrameSink, Track, WriteError, ogg, stream};

/// Ticks in a second: what players expect.
const CLOCK_RATE: u32 = 1000;
/// A cluster lasts so long at most, in ticks: blocks count from its beginning, in 16 bits with a sign.
const CLUSTER: u64 = 5000;
/// Bytes that are kept free for what says where the places to seek by are.
const RESERVED: usize = 64;
/// Places to seek by, at most: those of a day, at one in two seconds.
const CUES: usize = 43_200;
/// Opus converges within that (RFC 7845 §4.6), in nanoseconds.
const PRE_ROLL: u64 = 80_000_000;

/// Frames into WebM or Matroska.
#[derive(Debug)]
pub struct WebMWriter<W> {
    out: W,
    tracks: Vec<Track>,
    /// Where the segment's bytes begin.
    segment: u64,
    /// Where its duration is to stand.
    duration_at: u64,
    cluster: Option<Cluster>,
    /// When, and where from the beginning of the segment.
    cues: Vec<(u64, u64)>,
    end: u64,
}

#[derive(Debug)]
struct Cluster {
    /// Where its length stands.
    size_at: u64,
    time: u64,
    written: u64,
}

fn codec_id(codec: Codec) -> &'static str {
    match codec {
        Codec::Vp8 => "V_VP8",
        Codec::Vp9 => "V_VP9",
        Codec::Av1 => "V_AV1",
        Codec::H264 => "V_MPEG4/ISO/AVC",
        Codec::H265 => "V_MPEGH/ISO/HEVC",
        _ => "A_OPUS",
    }
}

impl<W: Write + Seek> WebMWriter<W> {
    /// Writes all that stands before the first frame.
    ///
    /// # Errors
    /// If that is not possible, or a codec has no place there; `is_webm` leaves H.264 and H.265 none.
    pub fn new(mut out: W, tracks: &[Track], is_webm: bool) -> Result<Self, WriteError> {
        let (container, name) =
            if is_webm { (Container::WebM, "webm") } else { (Container::Matroska, "matroska") };
        if let Some(track) = tracks.iter().find(|track| !container.takes(track.codec)) {
            return Err(no_place(if is_webm { "WebM" } else { "Matroska" }, track.codec));
        }
        let mut head = Vec::new();
        put(&mut head, id::EBML, &ebml_header(name));
        put_id(&mut head, id::SEGMENT);
        head.extend(UNKNOWN_SIZE);
        let segment = head.len() as u64;
        put(&mut head, id::VOID, &[0; RESERVED - 2]);
        let mut info = Vec::new();
        put_unsigned(&mut info, id::TIMESTAMP_SCALE, 1_000_000_000 / u64::from(CLOCK_RATE));
        put(&mut info, id::MUXING_APP, b"twocan");
        put(&mut info, id::WRITING_APP, b"twocan");
        // In the place of the duration, which is not known yet.
        put(&mut info, id::VOID, &[0; 9]);
        put(&mut head, id::INFO, &info);
        let duration_at = head.len() as u64 - 11;
        let mut entries = Vec::new();
        for (at, track) in tracks.iter().enumerate() {
            put(&mut entries, id::TRACK_ENTRY, &track_entry(at as u64 + 1, track)?);
        }
        put(&mut head, id::TRACKS, &entries);
        let start = out.stream_position()?;
        out.write_all(&head)?;
        Ok(Self {
            out,
            tracks: tracks.to_vec(),
            segment: start + segment,
            duration_at: start + duration_at,
            cluster: None,
            cues: Vec::new(),
            end: 0,
        })
    }

    /// Ends a cluster: its length is known now.
    fn close_cluster(&mut self) -> Result<(), WriteError> {
        let Some(cluster) = self.cluster.take() else { return Ok(()) };
        self.patch(cluster.size_at, &long_size(cluster.written))
    }

    fn open_cluster(&mut self, time: u64, is_key: bool) -> Result<(), WriteError> {
        self.close_cluster()?;
        let start = self.out.stream_position()?;
        if is_key && self.cues.len() < CUES {
            self.cues.push((time, start - self.segment));
        }
        let mut head = Vec::new();
        put_id(&mut head, id::CLUSTER);
        let size_at = start + head.len() as u64;
        head.extend(UNKNOWN_SIZE);
        let written = head.len();
        put_unsigned(&mut head, id::TIMESTAMP, time);
        self.out.write_all(&head)?;
        self.cluster = Some(Cluster { size_at, time, written: (head.len() - written) as u64 });
        Ok(())
    }

    /// Writes over what is there, and goes back to the end.
    fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<(), WriteError> {
        self.out.seek(SeekFrom::Start(at))?;
        self.out.write_all(bytes)?;
        self.out.seek(SeekFrom::End(0))?;
        Ok(())
    }
}

impl<W: Write + Seek + Send> FrameSink for WebMWriter<W> {
    fn write_frame(&mut self, frame: &Frame) -> Result<(), WriteError> {
        let Some(track) = self.tracks.get(frame.track) else { return Ok(()) };
        let bytes = match track.codec {
            Codec::Av1 => stream::without_delimiters(&frame.bytes),
            // Parameter sets stay: they may be others than the first ones.
            Codec::H264 | Codec::H265 => stream::with_lengths(track.codec, &frame.bytes, &[]),
            _ => frame.bytes.to_vec(),
        };
        let is_picture = !track.codec.is_audio();
        let time = ticks(frame.time, CLOCK_RATE);
        let is_alone = !self.tracks.iter().any(|track| !track.codec.is_audio());
        let begins = match &self.cluster {
            None => true,
            Some(cluster) => {
                (is_picture && frame.key && time > cluster.time)
                    || time >= cluster.time + CLUSTER
                    || time + 30_000 < cluster.time
            }
        };
        if begins {
            self.open_cluster(time, (is_picture && frame.key) || is_alone)?;
        }
        let Some(cluster) = &mut self.cluster else { return Ok(()) };
        let mut block = vec![0x80 | (frame.track as u8 + 1)];
        let offset = time.cast_signed().wrapping_sub(cluster.time.cast_signed());
        block.extend((offset as i16).to_be_bytes());
        block.push(if frame.key { 0x80 } else { 0 });
        block.extend_from_slice(&bytes);
        let mut element = Vec::with_capacity(block.len() + 8);
        put(&mut element, id::SIMPLE_BLOCK, &block);
        self.out.write_all(&element)?;
        cluster.written += element.len() as u64;
        self.end = self.end.max(time);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        Ok(self.out.flush()?)
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        self.close_cluster()?;
        let cues_at = self.out.stream_position()? - self.segment;
        let mut points = Vec::new();
        for (time, position) in &self.cues {
            let (mut point, mut places) = (Vec::new(), Vec::new());
            put_unsigned(&mut point, id::CUE_TIME, *time);
            let track = self.tracks.iter().position(|track| !track.codec.is_audio()).unwrap_or(0);
            put_unsigned(&mut places, id::CUE_TRACK, track as u64 + 1);
            put_unsigned(&mut places, id::CUE_CLUSTER_POSITION, *position);
            put(&mut point, id::CUE_TRACK_POSITIONS, &places);
            put(&mut points, id::CUE_POINT, &point);
        }
        let mut cues = Vec::new();
        put(&mut cues, id::CUES, &points);
        self.out.write_all(&cues)?;
        let end = self.out.stream_position()?;
        let mut duration = Vec::new();
        put(&mut duration, id::DURATION, &(self.end as f64).to_be_bytes());
        self.patch(self.duration_at, &duration)?;
        let mut seek_head = Vec::new();
        put(&mut seek_head, id::SEEK_HEAD, &seek_entry(id::CUES, cues_at));
        let rest = RESERVED.saturating_sub(seek_head.len() + 2);
        put(&mut seek_head, id::VOID, &vec![0; rest]);
        self.patch(self.segment, &seek_head)?;
        self.patch(self.segment - 8, &long_size(end - self.segment))?;
        Ok(self.out.flush()?)
    }
}

fn ebml_header(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_unsigned(&mut bytes, id::EBML_VERSION, 1);
    put_unsigned(&mut bytes, id::EBML_READ_VERSION, 1);
    put_unsigned(&mut bytes, id::EBML_MAX_ID_LENGTH, 4);
    put_unsigned(&mut bytes, id::EBML_MAX_SIZE_LENGTH, 8);
    put(&mut bytes, id::DOC_TYPE, name.as_bytes());
    put_unsigned(&mut bytes, id::DOC_TYPE_VERSION, 4);
    put_unsigned(&mut bytes, id::DOC_TYPE_READ_VERSION, 2);
    bytes
}

fn track_entry(number: u64, track: &Track) -> Result<Vec<u8>, WriteError> {
    let mut entry = Vec::new();
    put_unsigned(&mut entry, id::TRACK_NUMBER, number);
    put_unsigned(&mut entry, id::TRACK_UID, number);
    put_unsigned(&mut entry, id::TRACK_TYPE, if track.codec.is_audio() { 2 } else { 1 });
    put_unsigned(&mut entry, id::FLAG_LACING, 0);
    put(&mut entry, id::CODEC_ID, codec_id(track.codec).as_bytes());
    let private = match track.codec {
        Codec::Opus => Some(ogg::head(track.channels, 0)),
        Codec::Av1 => stream::av1_configuration(&track.parameters),
        Codec::H264 => stream::avc_configuration(&track.parameters),
        Codec::H265 => stream::hevc_configuration(&track.parameters),
        _ => Some(Vec::new()),
    };
    let private = private.ok_or_else(|| {
        WriteError::Unsupported("the first picture is no key frame: nobody could play the file".to_owned())
    })?;
    if !private.is_empty() {
        put(&mut entry, id::CODEC_PRIVATE, &private);
    }
    let mut more = Vec::new();
    if track.codec.is_audio() {
        put_unsigned(&mut entry, id::SEEK_PRE_ROLL, PRE_ROLL);
        put(&mut more, id::SAMPLING_FREQUENCY, &48_000_f64.to_be_bytes());
        put_unsigned(&mut more, id::CHANNELS, track.channels.into());
        put(&mut entry, id::AUDIO, &more);
    } else {
        let (width, height) = track.size.unwrap_or((1, 1));
        put_unsigned(&mut more, id::PIXEL_WIDTH, width.into());
        put_unsigned(&mut more, id::PIXEL_HEIGHT, height.into());
        put(&mut entry, id::VIDEO, &more);
    }
    Ok(entry)
}

fn seek_entry(what: u32, position: u64) -> Vec<u8> {
    let (mut entry, mut seek) = (Vec::new(), Vec::new());
    put(&mut entry, id::SEEK_ID, &what.to_be_bytes());
    put_unsigned(&mut entry, id::SEEK_POSITION, position);
    put(&mut seek, id::SEEK, &entry);
    seek
}
