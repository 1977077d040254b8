//! One stream made of several sources: simulcast encodings, and each of them again and again after pauses (RFC 3550 §5.1,
//! RFC 7667 §3.7).
//!
//! A receiver sees one source whose sequence numbers, timestamps and picture ids go on, whatever it is switched to. Each
//! source has its own random beginnings, so that everything is shifted by what makes the first packet follow the last
//! one.

mod descriptor;
mod numbers;

use bytes::Bytes;
use peer::Prefix;
use rtp::Timestamp;

use crate::seen::{Origin, Seen};
pub(crate) use descriptor::Descriptor;
pub(crate) use numbers::Numbers;

/// The first number of a stream: so that one a little before it is positive, too.
const FIRST: u64 = 1 << 16;

/// Where a new source's first frame is no later than the last one forwarded, it is put one frame
/// later.
const FRAMES_PER_SECOND: u32 = 60;

/// What the owner of a subscription knows it by.
pub type Label = [u32; 4];

/// A packet for one receiver: what is to be written into its header, and its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// See [`rtp::Header::marker`].
    pub marker: bool,
    /// What its subscription's owner has put down for it: see [`Room::set_label`](crate::Room::set_label).
    pub label: Label,
    /// In the receiver's own stream.
    pub timestamp: Timestamp,
    /// The same, not wrapping around; the first one is 2^16. Numbers are missing where the source's packets are.
    pub sequence_number: u64,
    /// What takes the place of the first bytes of the source's payload.
    pub prefix: Prefix,
    /// What follows it, of the source's packet.
    pub payload: Bytes,
    /// Where the packet has a dependency descriptor: the frame number to write into its second and third byte. All else
    /// of it is to be forwarded as it is.
    pub frame_number: Option<u16>,
    /// For video, whether it is the first of what can be decoded without anything before it: whatever of the stream has not
    /// been sent by then need not be.
    pub begins: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Rewriter {
    numbers: Numbers,
    pictures: Numbers,
    /// Added to each.
    frame_shift: u16,
    tl0_shift: u8,
    timestamp_shift: u32,
    newest: Option<Newest>,
}

/// What was forwarded last.
#[derive(Clone, Copy, Debug)]
struct Newest {
    /// None: of a publication that was left.
    origin: Option<Origin>,
    clock_rate: u32,
    /// What its timestamps lack to arrivals.
    lag: u32,
    timestamp: Timestamp,
    frame_number: u16,
    tl0_picture_index: u8,
}

impl Rewriter {
    pub(crate) fn new() -> Self {
        Self {
            numbers: Numbers::new(FIRST),
            pictures: Numbers::new(0),
            frame_shift: 0,
            tl0_shift: 0,
            timestamp_shift: 0,
            newest: None,
        }
    }

    /// From this packet on another source is forwarded, or the same one again.
    pub(crate) fn begin(&mut self, seen: &Seen<'_>) {
        self.numbers.begin(seen.number);
        if let Some(picture) = seen.picture {
            self.pictures.begin(picture);
        }
        let Some(newest) = self.newest else { return };
        let index = seen.info.tl0_picture_index.unwrap_or(0);
        self.tl0_shift = newest.tl0_picture_index.wrapping_add(1).wrapping_sub(index);
        let number = seen.frame.as_ref().map_or(0, |frame| frame.number);
        self.frame_shift = newest.frame_number.wrapping_add(1).wrapping_sub(number);
        if newest.clock_rate != seen.codec.clock_rate() {
            // Ticks of one clock say nothing about another's: it follows the last one at once.
            self.timestamp_shift = newest.timestamp.0.wrapping_sub(seen.timestamp.0);
        } else if newest.origin != Some(seen.origin) {
            // What arrives at the same time, on the whole, was taken at the same time.
            self.timestamp_shift = self.timestamp_shift.wrapping_add(seen.lag).wrapping_sub(newest.lag);
        }
        let step = (seen.codec.clock_rate() / FRAMES_PER_SECOND).cast_signed();
        let ahead = seen.timestamp.plus(self.timestamp_shift).ahead_of(newest.timestamp);
        if ahead < step && !seen.codec.is_audio() || ahead < 0 {
            let late = step.wrapping_sub(ahead).cast_unsigned();
            self.timestamp_shift = self.timestamp_shift.wrapping_add(late);
        }
    }

    /// What comes next is of another publication, though it may have the same place there.
    pub(crate) fn leave_source(&mut self) {
        if let Some(newest) = &mut self.newest {
            newest.origin = None;
        }
    }

    /// What becomes of a packet: nothing if it is from before the beginning, or was left out.
    pub(crate) fn rewrite(&mut self, seen: &Seen<'_>, label: Label, marker: bool) -> Option<Forward> {
        let sequence_number = self.numbers.forward(seen.number)?;
        let timestamp = seen.timestamp.plus(self.timestamp_shift);
        let picture = match seen.picture {
            Some(picture) => self.pictures.forward(picture)?,
            None => 0,
        };
        let tl0 = seen.info.tl0_picture_index.map(|index| index.wrapping_add(self.tl0_shift));
        let frame_number = seen.frame.as_ref().map(|frame| frame.number.wrapping_add(self.frame_shift));
        let (prefix, taken) = seen.descriptor.as_ref().map_or_else(Default::default, |descriptor| {
            (descriptor.with(picture as u16, tl0.unwrap_or(0)), descriptor.len())
        });
        self.note(seen, timestamp, frame_number, tl0);
        let payload = seen.bytes.slice((seen.head + taken).min(seen.bytes.len())..);
        let begins = seen.begins && !seen.is_late && !seen.codec.is_audio();
        Some(Forward { marker, label, timestamp, sequence_number, prefix, payload, frame_number, begins })
    }

    fn note(&mut self, seen: &Seen<'_>, timestamp: Timestamp, frame_number: Option<u16>, tl0: Option<u8>) {
        let newest = self.newest.get_or_insert(Newest {
            origin: Some(seen.origin),
            clock_rate: seen.codec.clock_rate(),
            lag: seen.lag,
            timestamp,
            frame_number: frame_number.unwrap_or(0),
            tl0_picture_index: tl0.unwrap_or(0),
        });
        (newest.origin, newest.lag) = (Some(seen.origin), seen.lag);
        newest.clock_rate = seen.codec.clock_rate();
        if timestamp.ahead_of(newest.timestamp) > 0 {
            newest.timestamp = timestamp;
        }
        if let Some(number) = frame_number
            && number.wrapping_sub(newest.frame_number).cast_signed() > 0
        {
            newest.frame_number = number;
        }
        if let Some(index) = tl0
            && index.wrapping_sub(newest.tl0_picture_index).cast_signed() > 0
        {
            newest.tl0_picture_index = index;
        }
    }

    /// What is added to the source's timestamps.
    pub(crate) fn timestamp_shift(&self) -> u32 {
        self.timestamp_shift
    }

    /// A packet of the source that is forwarded is not, and nobody is to miss it.
    pub(crate) fn leave_out(&mut self, number: u64) {
        self.numbers.leave_out(number);
    }

    /// A picture of it is not.
    pub(crate) fn leave_out_picture(&mut self, picture: u64) {
        self.pictures.leave_out(picture);
    }
}
