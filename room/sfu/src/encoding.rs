//! One simulcast encoding of a publication, as it comes in (RFC 8853, RFC 3550 §5.1).

use std::time::{Duration, Instant};

use peer::MediaPacket;
use rtp::codec::{Codec, PayloadInfo, PictureId};
use rtp::dependency::{self, Frame, Resolution};
use rtp::extension::{ExtensionMap, Kind};
use rtp::{Header, Packet, Ssrc};

use crate::clock::Clock;
use crate::fault::Fault;
use crate::key_frame::KeyFrames;
use crate::meter::Meter;
use crate::rewrite::Descriptor;
use crate::seen::{Origin, Seen};
use crate::targets::Targets;

/// Spatial, and temporal layers that are told from each other: those above count as the highest.
pub(crate) const LAYERS: usize = 4;

/// Where picture numbers start, so that one a little before the first is still positive.
const FIRST_PICTURE: u64 = 1 << 16;

/// Bytes that IP, UDP and SRTP add to each packet.
const BELOW: usize = 38;

/// Where nothing has come for so long, nothing is measured.
const PAUSE: Duration = Duration::from_millis(250);

/// What is known of it.
#[derive(Debug, Default)]
pub(crate) struct Encoding {
    /// How often its source has changed.
    generation: u32,
    source: Option<Ssrc>,
    former: Option<Ssrc>,
    newest: u64,
    picture: Option<(u64, PictureId)>,
    dependencies: dependency::Reader,
    targets: Targets,
    clock: Clock,
    pub(crate) keys: KeyFrames,
    /// When the last packet came.
    pub(crate) last: Option<Instant>,
    /// By spatial and temporal layer.
    meters: [[Meter; LAYERS]; LAYERS],
    /// By spatial layer, as far as they are known.
    pub(crate) sizes: [Option<Resolution>; LAYERS],
    /// What all of it takes, or took when it came last, in bits per second, smoothed.
    pub(crate) known_rate: u64,
    /// The highest layers that come.
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
}

impl Encoding {
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// What comes of it now, in bits per second.
    pub(crate) fn rate(&self, now: Instant) -> u64 {
        let comes = self.last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE);
        if comes { self.known_rate } else { 0 }
    }

    /// Reads a packet that came this long after the room began.
    pub(crate) fn read<'a>(
        &'a mut self,
        since: Duration,
        packet: &'a MediaPacket,
        codec: Codec,
        map: &ExtensionMap,
    ) -> Result<Seen<'a>, Fault> {
        let parsed = packet.read().map_err(|_| Fault::Header)?;
        let header = parsed.header();
        self.take_source(header.ssrc())?;
        let is_late = packet.sequence_number < self.newest;
        self.newest = self.newest.max(packet.sequence_number);
        self.last = self.last.max(Some(packet.arrived));
        let lag = if is_late || packet.is_repair {
            self.clock.lag()
        } else {
            self.clock.update(since, header.timestamp(), codec.clock_rate())
        };
        let mut info = PayloadInfo::default();
        let (mut frame, mut fault) = (None, None);
        if !parsed.payload().is_empty() {
            info = codec.describe(parsed.payload(), header.marker()).map_err(|_| Fault::Payload)?;
            // Who knows no better forwards it by what its payload says.
            (frame, fault) = match self.read_dependencies(header, map) {
                Ok(frame) => (frame, None),
                Err(fault) => (None, Some(fault)),
            };
        }
        let begins = begins(codec, &mut info, frame.as_ref());
        self.learn(since, &parsed, &info, frame.as_ref());
        if begins {
            self.keys.done();
        }
        let picture = info.picture_id.map(|id| self.expand(id));
        Ok(Seen {
            // No more than the limit, as it was found.
            origin: Origin { encoding: packet.encoding as u8, generation: self.generation },
            codec,
            bytes: &packet.bytes,
            head: header.len(),
            number: packet.sequence_number,
            is_late,
            timestamp: header.timestamp(),
            marker: header.marker(),
            lag,
            info,
            picture,
            descriptor: picture.and_then(|_| Descriptor::find(codec, parsed.payload())),
            begins,
            frame,
            level: if codec.is_audio() { header.read(map) } else { None },
            fault,
            targets: &self.targets,
        })
    }

    /// Bits per second of each layer. Looks, too, which of them come at all.
    pub(crate) fn measure(&mut self, now: Instant, since: Duration) -> [[u64; LAYERS]; LAYERS] {
        let mut rates = [[0; LAYERS]; LAYERS];
        let (mut spatial, mut temporal, mut sum) = (0, 0, 0_u64);
        for (s, row) in self.meters.iter_mut().enumerate() {
            for (t, meter) in row.iter_mut().enumerate() {
                let rate = meter.rate(since);
                rates[s][t] = rate;
                sum = sum.saturating_add(rate);
                if rate > 0 {
                    (spatial, temporal) = (s as u8, temporal.max(t as u8));
                }
            }
        }
        let is_flowing = self.last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE);
        if sum == 0 {
            // It takes no less when it comes again.
            rates[0][0] = self.known_rate;
            return rates;
        }
        if !is_flowing {
            return rates.map(|row| row.map(|rate| scale(rate, self.known_rate, sum)));
        }
        (self.spatial, self.temporal) = (spatial, temporal);
        // A key frame is not to look like a stream of them, nor a still picture like nothing.
        self.known_rate = match self.known_rate {
            0 => sum,
            known if sum > known => known + (sum - known) / 4,
            known => known - (known - sum) / 16,
        };
        rates.map(|row| row.map(|rate| scale(rate, self.known_rate, sum)))
    }

    /// The sender may give an encoding another source; late packets of the one before are of no use.
    fn take_source(&mut self, source: Ssrc) -> Result<(), Fault> {
        match self.source {
            Some(same) if same == source => return Ok(()),
            Some(_) if self.former == Some(source) => return Err(Fault::FormerSource),
            Some(other) => {
                self.generation = self.generation.wrapping_add(1);
                self.former = Some(other);
                self.newest = 0;
                self.picture = None;
                self.dependencies = dependency::Reader::new();
                self.clock = Clock::default();
            }
            None => {}
        }
        self.source = Some(source);
        Ok(())
    }

    fn read_dependencies(&mut self, header: Header<'_>, map: &ExtensionMap) -> Result<Option<Frame>, Fault> {
        let Some(id) = map.id(Kind::DependencyDescriptor) else { return Ok(None) };
        let Some((_, bytes)) = header.extensions().find(|(found, _)| *found == id) else { return Ok(None) };
        let frame = self.dependencies.read(header.sequence_number(), bytes).map_err(|_| Fault::Dependency)?;
        self.targets.update(&self.dependencies, frame.new_structure);
        Ok(Some(frame))
    }

    /// The picture's number that does not wrap around.
    fn expand(&mut self, id: PictureId) -> u64 {
        let Some((newest, before)) = self.picture else {
            let first = FIRST_PICTURE + u64::from(id.value);
            self.picture = Some((first, id));
            return first;
        };
        let number = newest.wrapping_add_signed(i64::from(id.ahead_of(before)));
        if number > newest {
            self.picture = Some((number, id));
        }
        number
    }

    fn learn(&mut self, since: Duration, packet: &Packet<'_>, info: &PayloadInfo, frame: Option<&Frame>) {
        let (spatial, temporal) = match frame {
            Some(frame) => (frame.spatial, frame.temporal),
            None => (info.spatial.unwrap_or(0), info.temporal.unwrap_or(0)),
        };
        let at = |layer: u8| usize::from(layer).min(LAYERS - 1);
        self.spatial = self.spatial.max(at(spatial) as u8);
        self.temporal = self.temporal.max(at(temporal) as u8);
        let length = packet.header().len() + packet.payload().len() + BELOW;
        self.meters[at(spatial)][at(temporal)].add(since, length);
        let size = frame.and_then(|frame| frame.resolution).or(info.resolution);
        if size.is_some() {
            self.sizes[at(spatial)] = size;
        }
    }
}

/// A part of `sum` as a part of `whole`.
fn scale(part: u64, whole: u64, sum: u64) -> u64 {
    let scaled = (u128::from(part) * u128::from(whole)).checked_div(u128::from(sum)).unwrap_or(0);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// Whether a packet is the first that can be decoded without anything before it. Layers that cannot be told apart by
/// packets count as none.
fn begins(codec: Codec, info: &mut PayloadInfo, frame: Option<&Frame>) -> bool {
    match frame {
        Some(frame) => frame.start && frame.spatial == 0 && frame.is_key(),
        None => {
            if codec == Codec::Av1 {
                // One packet may hold several layers.
                (info.spatial, info.temporal) = (None, None);
            }
            info.start && info.key
        }
    }
}
