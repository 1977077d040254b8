//! When what came was taken: one time for sound and pictures.
//!
//! Within a track the sender's ticks say it, exactly. Between tracks it is the clock of whoever captured them, or of the server
//! between, by its reports (RFC 3550 §6.4.1); where there is neither, it is when they came. To know, the first frames wait for a
//! while.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use twocan::{FrameCodec, NtpTime, ReceivedFrame};

/// So long the first frames wait for those of the other track: pictures begin with a key frame, which may be lost once or twice.
const WAIT: Duration = Duration::from_secs(10);
/// And so long for its clock.
const WAIT_FOR_CLOCK: Duration = Duration::from_secs(3);
/// And so long for the capturer's own word, once there is that of reports, which is some milliseconds off: our own sender gives it
/// once a second.
const WAIT_FOR_WORD: Duration = Duration::from_millis(1500);
/// Frames that wait, at most: those of sound and pictures of that time.
const MOST: usize = 1024;
/// So far a sender's ticks may be from the time that has passed here; beyond, they have begun anew.
const ASTRAY: Duration = Duration::from_secs(10);

/// Puts frames of tracks on one line.
#[derive(Debug)]
pub(super) struct Timeline {
    /// When its beginning is, in the file.
    offset: Duration,
    lines: Vec<Line>,
    held: VecDeque<(usize, ReceivedFrame)>,
    since: Option<Instant>,
    /// When the beginning came.
    begun: Option<Instant>,
}

#[derive(Debug, Default)]
struct Line {
    is_picture: bool,
    codec: Option<FrameCodec>,
    anchor: Option<Anchor>,
    last: Duration,
}

/// When a frame was captured, and whether that is the capturer's own word.
#[derive(Clone, Copy, Debug)]
struct Captured {
    time: NtpTime,
    is_exact: bool,
}

/// A moment by a sender's ticks, and on the line; it may be before the beginning.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    source: u32,
    timestamp: u64,
    nanos: i64,
}

impl Timeline {
    /// For tracks of which it is said whether they are of pictures; it begins at `offset`.
    pub(super) fn new(are_pictures: &[bool], offset: Duration) -> Self {
        let line = |is_picture: &bool| Line { is_picture: *is_picture, ..Line::default() };
        Self {
            offset,
            lines: are_pictures.iter().map(line).collect(),
            held: VecDeque::new(),
            since: None,
            begun: None,
        }
    }

    /// Whether it is known when frames were taken.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// What a track is of, once something of it has come.
    pub(super) fn codec(&self, track: usize) -> Option<FrameCodec> {
        self.lines.get(track)?.codec
    }

    /// Takes a frame.
    pub(super) fn put(&mut self, track: usize, frame: ReceivedFrame) {
        self.since.get_or_insert(frame.arrived);
        if let Some(line) = self.lines.get_mut(track) {
            line.codec = Some(frame.codec);
        }
        if self.held.len() >= MOST && self.begun.is_none() {
            self.held.pop_front();
        }
        self.held.push_back((track, frame));
    }

    /// When to poll again.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let are_there = self.lines.iter().all(|line| line.codec.is_some());
        let wait = match are_there {
            true if self.are_captured(|_| true) => WAIT_FOR_WORD,
            true => WAIT_FOR_CLOCK,
            false => WAIT,
        };
        self.since.filter(|_| self.begun.is_none()).map(|since| since + wait)
    }

    /// The next frame, with its track and its time.
    pub(super) fn poll(&mut self, now: Instant) -> Option<(usize, Duration, ReceivedFrame)> {
        if self.begun.is_none() {
            let is_late = self.poll_timeout().is_some_and(|at| at <= now);
            let is_known = self.are_captured(|captured| captured.is_exact);
            if self.held.is_empty() || !(is_known || is_late) {
                return None;
            }
            self.begin();
        }
        loop {
            let (track, frame) = self.held.pop_front()?;
            if let Some(time) = self.time(track, &frame) {
                return Some((track, time, frame));
            }
        }
    }

    /// Nothing more comes: what waits goes by what is known.
    pub(super) fn end(&mut self) {
        if self.begun.is_none() {
            self.begin();
        }
    }

    /// The first frame of a track.
    fn first(&self, track: usize) -> Option<&ReceivedFrame> {
        self.held.iter().find(|(of, _)| *of == track).map(|(_, frame)| frame)
    }

    /// Whether it is known, and well enough, when the first frame of each track was captured.
    fn are_captured(&self, is_enough: impl Fn(Captured) -> bool) -> bool {
        (0..self.lines.len()).all(|track| self.captured(track).is_some_and(&is_enough))
    }

    /// When the first frame of a track was captured, by the best word that any of its frames has.
    fn captured(&self, track: usize) -> Option<Captured> {
        let first = self.first(track)?;
        let frames = self.held.iter().filter(|(of, frame)| *of == track && frame.source == first.source);
        let mut told = frames.filter_map(|(_, frame)| Some((frame.captured?, frame)));
        let reported = told.clone().next()?;
        let (at, frame) = told.find(|(_, frame)| frame.is_captured_exact).unwrap_or(reported);
        let ticks = i128::from(first.timestamp) - i128::from(frame.timestamp);
        let later = (ticks << 32) / i128::from(first.codec.clock_rate().max(1));
        let time = NtpTime(at.0.wrapping_add_signed(later as i64));
        Some(Captured { time, is_exact: frame.is_captured_exact })
    }

    /// It is as well known as it will be: time begins with the first picture, or without any with the first sound.
    fn begin(&mut self) {
        let with_frames = |track: &usize| self.first(*track).is_some();
        let lead = (0..self.lines.len())
            .filter(with_frames)
            .max_by_key(|track| self.lines.get(*track).is_some_and(|line| line.is_picture));
        let Some((lead, first)) = lead.and_then(|lead| Some((lead, self.first(lead)?))) else { return };
        let begun = first.arrived;
        let origin = self.captured(lead);
        for track in 0..self.lines.len() {
            let Some(frame) = self.first(track) else { continue };
            let nanos = match origin.zip(self.captured(track)) {
                Some((origin, own)) => nanos_of(own.time.ahead_of(origin.time)),
                None => signed(frame.arrived, begun),
            };
            let anchor = Anchor { source: frame.source, timestamp: frame.timestamp, nanos };
            if let Some(line) = self.lines.get_mut(track) {
                line.anchor = Some(anchor);
            }
        }
        self.begun = Some(begun);
    }

    /// When a frame was taken; none where that was before the beginning.
    fn time(&mut self, track: usize, frame: &ReceivedFrame) -> Option<Duration> {
        let begun = self.begun?;
        let line = self.lines.get_mut(track)?;
        let passed = signed(frame.arrived, begun);
        let by_ticks = line.anchor.filter(|anchor| anchor.source == frame.source).map(|anchor| {
            let ticks = i128::from(frame.timestamp) - i128::from(anchor.timestamp);
            let nanos = i128::from(anchor.nanos) + rounded(ticks * 1_000_000_000, frame.codec.clock_rate());
            nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64
        });
        let limit = ASTRAY.as_nanos() as u64;
        let nanos = match by_ticks.filter(|nanos| nanos.abs_diff(passed) < limit) {
            Some(nanos) => nanos,
            None => {
                line.anchor =
                    Some(Anchor { source: frame.source, timestamp: frame.timestamp, nanos: passed });
                passed
            }
        };
        let time = self.offset + Duration::from_nanos(u64::try_from(nanos).ok()?);
        line.last = line.last.max(time);
        Some(line.last)
    }
}

fn rounded(value: i128, clock_rate: u32) -> i128 {
    let rate = i128::from(clock_rate.max(1));
    (value + rate / 2).div_euclid(rate)
}

/// Units of 2^-32 s in nanoseconds.
fn nanos_of(units: i64) -> i64 {
    ((i128::from(units) * 1_000_000_000) >> 32) as i64
}

fn signed(one: Instant, other: Instant) -> i64 {
    let nanos = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    if one >= other { nanos(one - other) } else { -nanos(other - one) }
}

#[cfg(test)]
mod tests;
