//! From packets as they come to frames as a decoder takes them: in order, without duplicates, and after a wait for what is
//! late or is sent again (RFC 3550 §6.4.1 and appendix A.8 for how unevenly packets come, RFC 4588 for repairs).
//!
//! The buffer adds no delay of its own: a frame is handed out as soon as all of it is there and nothing before it is missing.
//! Where something is missing, that is waited for as long as it may be expected to come; then it is given up, and pictures
//! that depend on it are passed over until a key frame, which is asked for. Whoever plays frames paces them by their
//! timestamps.
//!
//! Calls go in this order: [`push`](JitterBuffer::push) for each packet, then [`poll_frame`](JitterBuffer::poll_frame) and
//! [`poll_key_frame_request`](JitterBuffer::poll_key_frame_request) until there is nothing; the same when
//! [`poll_timeout`](JitterBuffer::poll_timeout) says so.

mod lateness;
mod ring;

use std::time::{Duration, Instant};

use lateness::Lateness;
use ring::{Held, Ring, Taken};

use crate::codec::{Codec, FrameAssembler, PayloadInfo, PictureId};
use crate::extension::{AbsCaptureTime, ExtensionMap};
use crate::number::{PayloadType, Timestamp};
use crate::packet::Packet;
use crate::time::NtpTime;

/// Where timestamps start that do not wrap around, so that one a little before the first is still positive.
const BEGINNING: u64 = 1 << 32;

/// A key frame is asked for again after so long: whoever sends it may need that to make it.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// How a buffer does it.
#[derive(Clone, Debug)]
pub struct JitterConfig {
    /// The packets' codec.
    pub codec: Codec,
    /// The packets' number: those of others are passed over.
    pub payload_type: PayloadType,
    /// What header extensions' numbers mean.
    pub extensions: ExtensionMap,
    /// Whether what is missing is asked for, so that it pays to wait for it.
    pub repairs: bool,
    /// What is missing is waited for so long at least.
    pub shortest: Duration,
    /// And at most.
    pub longest: Duration,
    /// Bytes of a frame, at most.
    pub frame_limit: usize,
}

impl JitterConfig {
    /// For a codec, under a payload type: between 20 ms and half a second, frames of 4 MiB.
    pub fn new(codec: Codec, payload_type: PayloadType) -> Self {
        Self {
            codec,
            payload_type,
            extensions: ExtensionMap::default(),
            repairs: !codec.is_audio(),
            shortest: Duration::from_millis(20),
            longest: Duration::from_millis(500),
            frame_limit: 4 << 20,
        }
    }
}

wire::faults! {
    /// Why a packet is of no use to the buffer.
    pub enum JitterFault {
        /// It is no RTP packet.
        Malformed => "jitter_malformed",
        /// It has come before.
        Duplicate => "jitter_duplicate",
        /// What it belongs to was handed out or given up.
        Late => "jitter_late",
    }
}

/// A whole frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JitterFrame {
    /// As [`EncodedFrame`](crate::codec::EncodedFrame) has it.
    pub bytes: Vec<u8>,
    /// Its packets' timestamp, which does not wrap around.
    pub timestamp: u64,
    /// What its first payload said; `key` if any of them did.
    pub info: PayloadInfo,
    /// When its first sample was taken, by the clock of who took it; where its packets say so.
    pub captured: Option<NtpTime>,
    /// When its last packet came.
    pub arrived: Instant,
    /// Packets that were given up since the frame before.
    pub lost: u64,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterCounters {
    /// Frames handed out.
    pub frames: u64,
    /// Whole frames that were passed over, as what they depend on is not there.
    pub undecodable: u64,
    /// Packets given up.
    pub lost: u64,
    /// Packets that came, and made no frame: malformed, or of a frame of which some are lost.
    pub useless: u64,
}

/// A stream's beginning.
#[derive(Clone, Copy, Debug)]
enum Opening {
    /// Nothing has come.
    Awaited,
    /// Something has, of this time.
    Of(Timestamp),
}

/// One stream's buffer. `P` is a packet's bytes, in the clear.
///
/// Keeps 1,024 packets of 4 MiB altogether, and one frame.
///
/// ```
/// use std::time::Instant;
/// use twocan_rtp::codec::Codec;
/// use twocan_rtp::jitter::{JitterBuffer, JitterConfig};
/// use twocan_rtp::PayloadType;
///
/// let packet = |number: u8| [0x80, 111, 0, number, 0, 0, number, 0, 0, 0, 0, 7, 0xF8, number];
/// let mut buffer = JitterBuffer::new(JitterConfig::new(Codec::Opus, PayloadType::new(111).unwrap()));
/// let now = Instant::now();
/// for number in [1, 3, 2] {
///     buffer.push(now, u64::from(number), false, packet(number))?;
/// }
/// let heard: Vec<u8> = std::iter::from_fn(|| buffer.poll_frame(now)).map(|frame| frame.bytes[1]).collect();
/// assert_eq!(heard, [1, 2, 3]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct JitterBuffer<P> {
    config: JitterConfig,
    ring: Ring<P>,
    assembler: FrameAssembler,
    lateness: Lateness,
    /// Of the first picture, until all of it may be there: whichever of its packets came first, there may be some before it.
    opening: Option<Opening>,
    /// Since when what is next is missed.
    missing_since: Option<Instant>,
    /// The last timestamp, which does not wrap around.
    timestamp: Option<u64>,
    /// When a packet was captured that said so.
    clock: Option<(Timestamp, NtpTime)>,
    last_picture: Option<PictureId>,
    has_parameter_sets: bool,
    /// Whether something is missing between the last frame and the next.
    is_broken: bool,
    /// Whether only a key frame is of use.
    needs_key: bool,
    /// Whether that has become apparent.
    wants_key: bool,
    asked: Option<Instant>,
    lost_since_frame: u64,
    counters: JitterCounters,
}

impl<P: AsRef<[u8]>> JitterBuffer<P> {
    /// An empty one.
    pub fn new(config: JitterConfig) -> Self {
        let needs_key = !config.codec.is_audio();
        Self {
            assembler: FrameAssembler::new(config.codec, config.frame_limit),
            lateness: Lateness::new(config.codec.clock_rate()),
            config,
            ring: Ring::default(),
            opening: needs_key.then_some(Opening::Awaited),
            missing_since: None,
            timestamp: None,
            clock: None,
            last_picture: None,
            has_parameter_sets: false,
            is_broken: false,
            needs_key,
            wants_key: false,
            asked: None,
            lost_since_frame: 0,
            counters: JitterCounters::default(),
        }
    }

    /// What it was made with.
    pub fn config(&self) -> &JitterConfig {
        &self.config
    }

    /// What happened so far.
    pub fn counters(&self) -> JitterCounters {
        self.counters
    }

    /// How long what is missing is waited for at present.
    pub fn patience(&self) -> Duration {
        let expected = self.lateness.expected(self.config.repairs).unwrap_or(self.config.longest);
        expected.max(self.config.shortest).min(self.config.longest)
    }

    /// Takes a packet with its number, which does not wrap around. Its time may be any that is not before the last one's.
    pub fn push(&mut self, now: Instant, number: u64, is_repair: bool, packet: P) -> Result<(), JitterFault> {
        let header = Packet::parse(packet.as_ref()).map_err(|_| JitterFault::Malformed)?.header();
        let (timestamp, is_last) = (header.timestamp(), header.marker());
        let fills = self.missing_since.filter(|_| self.ring.next() == Some(number));
        let may_lead = matches!(self.opening, Some(Opening::Of(first)) if first == timestamp);
        let jumped = self.ring.put(number, Held { packet, arrived: now }, may_lead)?;
        if jumped > 0 {
            self.assembler = FrameAssembler::new(self.config.codec, self.config.frame_limit);
            self.give_up(jumped);
        }
        self.opening = match self.opening {
            Some(Opening::Awaited) if !is_last => Some(Opening::Of(timestamp)),
            Some(Opening::Of(first)) if !is_last && first == timestamp => Some(Opening::Of(first)),
            _ => None,
        };
        match fills {
            Some(since) if is_repair => self.lateness.repaired(now.saturating_duration_since(since)),
            _ if !is_repair => self.lateness.arrived(now, timestamp),
            _ => {}
        }
        self.watch_gap();
        Ok(())
    }

    /// The next frame, if there is one.
    pub fn poll_frame(&mut self, now: Instant) -> Option<JitterFrame> {
        if self.opening.is_some() && !self.is_too_late(now) {
            return None;
        }
        self.opening = None;
        loop {
            match self.ring.take() {
                Taken::Packet(held) => {
                    let frame = self.feed(&held);
                    self.watch_gap();
                    if frame.is_some() {
                        return frame;
                    }
                }
                Taken::Missing if self.is_too_late(now) => {
                    let count = self.ring.skip();
                    self.give_up(count);
                    self.watch_gap();
                }
                Taken::Missing | Taken::Nothing => return None,
            }
        }
    }

    /// Whether a key frame is to be asked for now; true once for each time.
    pub fn poll_key_frame_request(&mut self, now: Instant) -> bool {
        let is_due = self.ask_at().is_some_and(|at| at <= now) || (self.wants_key && self.asked.is_none());
        if is_due {
            self.asked = Some(now);
        }
        is_due
    }

    /// When to poll again, though no packet comes.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let given_up = self.missing_since.map(|since| since + self.patience());
        given_up.into_iter().chain(self.ask_at()).min()
    }

    fn ask_at(&self) -> Option<Instant> {
        self.asked.filter(|_| self.wants_key).map(|last| last + ASK_AGAIN)
    }

    fn is_too_late(&self, now: Instant) -> bool {
        self.ring.is_full() || self.missing_since.is_some_and(|since| since + self.patience() <= now)
    }

    /// Takes note of since when something is missing.
    fn watch_gap(&mut self) {
        let is_missing = self.ring.is_missing() || self.opening.is_some() && self.ring.has_gap();
        if !is_missing {
            self.missing_since = None;
        } else if self.missing_since.is_none() {
            self.missing_since = self.ring.oldest();
        }
    }

    fn give_up(&mut self, count: u64) {
        self.counters.lost += count;
        self.lost_since_frame += count;
        self.missing_since = None;
        self.breaks();
    }

    /// Something is missing: what depends on it cannot be decoded.
    fn breaks(&mut self) {
        self.is_broken = true;
        // Elsewhere the next frame's picture id tells whether it was more than padding.
        let tells = matches!(self.config.codec, Codec::Vp8 | Codec::Vp9);
        if !self.config.codec.is_audio() && (!tells || self.needs_key) {
            (self.needs_key, self.wants_key) = (true, true);
        }
    }

    fn feed(&mut self, held: &Held<P>) -> Option<JitterFrame> {
        let packet = Packet::parse(held.packet.as_ref()).ok()?;
        let header = packet.header();
        let fields = header.fields();
        let is_own = header.payload_type() == self.config.payload_type;
        if is_own && let Some(time) = header.read::<AbsCaptureTime>(&self.config.extensions) {
            self.clock = Some((fields.timestamp, time.timestamp));
        }
        let dropped = self.assembler.dropped();
        let payload = if is_own { packet.payload() } else { &[] };
        let made = match self.assembler.push(&fields, payload) {
            Ok(made) => made.map(|frame| (frame.timestamp, frame.info, frame.bytes.to_vec())),
            Err(_) => {
                self.counters.useless += 1;
                self.breaks();
                None
            }
        };
        if self.assembler.dropped() > dropped {
            self.breaks();
        }
        let (timestamp, info, bytes) = made?;
        let is_key = info.key && self.can_begin(&bytes);
        self.is_of_use(info, is_key).then(|| self.finish(held.arrived, timestamp, info, bytes))
    }

    /// Whether a key frame's parameter sets are in it, or have come before.
    fn can_begin(&mut self, frame: &[u8]) -> bool {
        self.has_parameter_sets |= self.config.codec.has_parameter_sets(frame);
        self.has_parameter_sets
    }

    /// Whether a whole frame can be decoded, as far as is known.
    fn is_of_use(&mut self, info: PayloadInfo, is_key: bool) -> bool {
        if self.config.codec.is_audio() || is_key {
            (self.needs_key, self.wants_key, self.asked) = (false, false, None);
        } else {
            let follows =
                self.last_picture.zip(info.picture_id).is_some_and(|(last, id)| id.ahead_of(last) == 1);
            if self.needs_key || (self.is_broken && !follows) {
                (self.needs_key, self.wants_key) = (true, true);
                self.counters.undecodable += 1;
                return false;
            }
        }
        self.is_broken = false;
        self.last_picture = info.picture_id;
        true
    }

    fn finish(
        &mut self,
        arrived: Instant,
        wrapped: Timestamp,
        info: PayloadInfo,
        bytes: Vec<u8>,
    ) -> JitterFrame {
        let timestamp = match self.timestamp {
            Some(last) => last.saturating_add_signed(i64::from(wrapped.ahead_of(Timestamp(last as u32)))),
            None => BEGINNING + u64::from(wrapped.0),
        };
        self.timestamp = Some(timestamp);
        let rate = i64::from(self.config.codec.clock_rate());
        let captured = self.clock.map(|(at, time)| {
            let later = (i64::from(wrapped.ahead_of(at)) << 32) / rate;
            NtpTime(time.0.wrapping_add_signed(later))
        });
        self.counters.frames += 1;
        let lost = std::mem::take(&mut self.lost_since_frame);
        JitterFrame { bytes, timestamp, info, captured, arrived, lost }
    }
}

#[cfg(test)]
mod tests;
