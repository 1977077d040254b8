//! Packets of media on their way out (RFC 3550 §5.1, RFC 4588 §4): numbered, paced, sealed, and kept for a while.

mod anew;
mod asked;
mod repair;
mod stream;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bwe::{DataRate, DataSize, Pacer, PacerConfig, Priority, Release, Sent};
use bytes::Bytes;
use rtp::extension::{ExtensionMap, Kind, TransportSequenceNumber};
use rtp::{Fields, Header, HeaderMut, HeaderWriter, PayloadType, SequenceNumber, Ssrc, Timestamp};
use sdp::attribute::Feedback;

use self::asked::Asked;
use self::repair::{can_repair, padding, repeat};
use self::stream::{Name, Stream};
use super::cache::{Cache, Kept, Moment};
use super::source::KeyFrameRequests;
use crate::error::SendError;
use crate::media::{Agreement, Transceiver, TransceiverId};
use crate::transport::Level;

/// Packets that may be asked for again, at most, with those that wait to be sent.
const KEPT: usize = 1024;

/// Of sound, which is not asked for again.
const KEPT_OF_SOUND: usize = 128;

/// A frame is of no use before its last packet: it leaves whole, where the rate allows it before the next one comes.
const FRAME: Duration = Duration::from_millis(33);

/// Bytes that IP and UDP put before each datagram.
const BELOW: usize = 28;

/// Until feedback says otherwise: fast enough for what an application does without knowing.
const UNKNOWN: DataRate = DataRate::from_mbps(1_000);

/// A packet of media that is to be sent.
#[derive(Clone, Debug)]
pub struct OutgoingPacket {
    /// Which codec it is of: one of the agreement's [`send`](crate::AgreedCodec::send).
    pub payload_type: PayloadType,
    /// For video, the last packet of a frame; for audio, the first after silence.
    pub marker: bool,
    /// When its first sample was taken.
    pub timestamp: Timestamp,
    /// Its number, which does not wrap around; none: the one after the last. A forwarder that leaves gaps where packets
    /// are missing gives its own.
    pub sequence_number: Option<u64>,
    /// Bytes that go before `payload`: what a forwarder changes of a payload's first bytes.
    pub prefix: Prefix,
    /// What the codec made. It is not copied until it is sent.
    pub payload: Bytes,
}

/// A few bytes, in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefix {
    bytes: [u8; Self::MOST],
    length: u8,
}

impl Prefix {
    /// Bytes that it has room for.
    pub const MOST: usize = 10;

    /// These bytes; none where there are more than [`Self::MOST`].
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut prefix = Self { bytes: [0; Self::MOST], length: u8::try_from(bytes.len()).ok()? };
        prefix.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(prefix)
    }

    /// Puts another byte into a place; nothing where there is none.
    #[inline]
    pub fn set(&mut self, place: u8, byte: u8) {
        if place < self.length
            && let Some(at) = self.bytes.get_mut(usize::from(place))
        {
            *at = byte;
        }
    }
}

impl std::ops::Deref for Prefix {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// A packet that waits for its turn.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    ssrc: Ssrc,
    number: u64,
    is_repair: bool,
}

/// What goes out over a transport.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) streams: Vec<Stream>,
    /// In the same order.
    names: Vec<Name>,
    start: Instant,
    /// What time it was last.
    moment: (Instant, Moment),
    pacer: Pacer<Waiting>,
    scratch: Vec<u8>,
    /// Counts the packets that have a transport-wide number.
    counted: u64,
    /// Or numbers all packets, where feedback names their streams (RFC 8888).
    pub(crate) numbers: Option<bwe::StreamNumbers>,
    /// Padding that the pacer has let go, in bytes, and the probe that it is for: one packet has no more than 255 of them.
    owed: Option<(u64, Option<bwe::ProbeId>)>,
    /// Bytes of padding that have left beyond what was to: so much less leaves next.
    overpaid: u64,
}

impl Sending {
    pub(crate) fn new(now: Instant) -> Self {
        let mut pacer = Pacer::new(now, UNKNOWN, PacerConfig { batch: FRAME, ..PacerConfig::default() });
        pacer.set_can_pad(false);
        Self {
            streams: Vec::new(),
            names: Vec::new(),
            start: now,
            moment: (now, Moment::new(now, now)),
            pacer,
            scratch: Vec::new(),
            counted: 0,
            numbers: None,
            owed: None,
            overpaid: 0,
        }
    }

    fn moment(&mut self, now: Instant) -> Moment {
        if self.moment.0 != now {
            self.moment = (now, Moment::new(self.start, now));
        }
        self.moment.1
    }

    /// Descriptions say what may be sent from now on. `random` numbers first packets.
    pub(crate) fn set_transceivers<'a>(
        &mut self,
        transceivers: impl Iterator<Item = (&'a Transceiver, &'a Arc<Agreement>)>,
        mut random: impl FnMut() -> u32,
    ) {
        let mut before = std::mem::take(&mut self.streams);
        for (one, agreement) in transceivers {
            if !agreement.direction.sends() {
                continue;
            }
            for (encoding, known) in one.encodings().iter().enumerate() {
                let had = before.iter().position(|stream| stream.ssrc == known.ssrc);
                let mut stream = match had {
                    Some(at) => before.swap_remove(at),
                    None => {
                        let keeps = agreement.preferred().is_some_and(|codec| codec.has(&Feedback::Nack));
                        Stream {
                            transceiver: one.id(),
                            encoding,
                            kind: one.kind(),
                            ssrc: known.ssrc,
                            retransmission: known.retransmission,
                            mid: one.mid().unwrap_or_default().into(),
                            rid: None,
                            agreement: Arc::clone(agreement),
                            codec: None,
                            sealed_at: srtp::SourcePlace::default(),
                            extensions: agreement.extensions,
                            // RFC 3550 §5.1: random. Below 2^15, so that libsrtp's way of guessing has room.
                            next: (1 << 16) + u64::from(random() & 0x7FFF),
                            begin: 0,
                            left_out: 0,
                            last_left: None,
                            next_repair: SequenceNumber((random() & 0x7FFF) as u16),
                            cache: Cache::new(if keeps { KEPT } else { KEPT_OF_SOUND }),
                            waiting: 0,
                            repairs: false,
                            is_known: false,
                            packets: 0,
                            octets: 0,
                            header_bytes: 0,
                            repaired: 0,
                            repaired_bytes: 0,
                            asked: Asked::default(),
                            nacks: 0,
                            key_frame_requests: KeyFrameRequests::default(),
                            last: None,
                            clock: None,
                            last_report: None,
                            last_fir: None,
                        }
                    }
                };
                stream.encoding = encoding;
                stream.rid.clone_from(&known.init.rid);
                stream.agreement = Arc::clone(agreement);
                (stream.codec, stream.extensions) = (None, agreement.extensions);
                stream.repairs = agreement.preferred().is_some_and(can_repair);
                self.streams.push(stream);
            }
        }
        self.streams.shrink_to_fit();
        let name = |stream: &Stream| Name {
            transceiver: stream.transceiver,
            encoding: u32::try_from(stream.encoding).unwrap_or(u32::MAX),
            ssrc: stream.ssrc,
        };
        self.names = self.streams.iter().map(name).collect();
        for gone in before {
            self.pacer.drop_stream(u64::from(gone.ssrc.0), |_| ());
        }
        self.pacer.set_can_pad(self.streams.iter().any(|stream| stream.repairs));
    }

    /// Queues a packet; `extensions` writes those that are the caller's business.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        whose: (TransceiverId, usize),
        packet: OutgoingPacket,
        extensions: impl FnOnce(&mut HeaderWriter<'_>, &ExtensionMap),
    ) -> Result<(), SendError> {
        let moment = self.moment(now);
        let place = self.place_of(whose).ok_or(SendError::NotSending)?;
        let stream = self.streams.get_mut(place).ok_or(SendError::NotSending)?;
        let clock_rate = stream.clock_rate(packet.payload_type).ok_or(SendError::PayloadType)?;
        // What waits must not push out what waits longer.
        if stream.waiting >= stream.cache.most() / 2 || self.pacer.waiting() >= bwe::QUEUE_LIMIT {
            return Err(SendError::Full);
        }
        let number = stream.number(&packet).ok_or(SendError::TooLate)?;
        self.scratch.clear();
        let mut writer = HeaderWriter::new(&mut self.scratch, &stream.fields(&packet, number));
        let bare = writer.written();
        extensions(&mut writer, &stream.extensions);
        let is_bare = writer.written() == bare;
        writer.finish();
        let head = if is_bare { &[] } else { self.scratch.as_slice() };
        let timestamp = packet.timestamp;
        let kept = Kept::new(packet, None);
        let size = DataSize::from_bytes((kept.len() + BELOW) as u64);
        if !stream.cache.put(moment, number, kept, head) {
            return Err(SendError::TooLate);
        }
        stream.note(now, timestamp, clock_rate);
        let waiting = Waiting { ssrc: stream.ssrc, number, is_repair: false };
        let (id, priority) = (u64::from(stream.ssrc.0), stream.priority());
        self.pacer.push(now, id, priority, size, waiting).map_err(|_| SendError::Full)?;
        stream.waiting += 1;
        Ok(())
    }

    /// Appends a packet, sealed, where it may leave at once, and queues it where not; whether it was appended. `sent` is told
    /// of it, if feedback will be about it.
    pub(crate) fn send_at_once(
        &mut self,
        now: Instant,
        whose: (TransceiverId, usize),
        packet: OutgoingPacket,
        extensions: impl FnOnce(&mut HeaderWriter<'_>, &ExtensionMap),
        (srtp, buffer, level): (&mut srtp::Sender, &mut Vec<u8>, Level),
        sent: impl FnOnce(Sent),
    ) -> Result<bool, SendError> {
        let place = self.place_of(whose).ok_or(SendError::NotSending)?;
        let priority = self.streams.get(place).map_or(Priority::Video, Stream::priority);
        if self.owed.is_some() || !self.pacer.is_open(now, priority) {
            return self.send(now, whose, packet, extensions).map(|()| false);
        }
        let moment = self.moment(now);
        let stream = self.streams.get_mut(place).ok_or(SendError::NotSending)?;
        let clock_rate = stream.clock_rate(packet.payload_type).ok_or(SendError::PayloadType)?;
        let number = stream.number(&packet).ok_or(SendError::TooLate)?;
        let start = buffer.len();
        let mut writer = stream.begin(&stream.fields(&packet, number), self.counted, buffer);
        let bare = writer.written();
        extensions(&mut writer, &stream.extensions);
        let is_bare = writer.written() == bare;
        let mut body = writer.finish();
        let header = body.buffer().len() - start;
        body.buffer().extend_from_slice(&packet.prefix);
        body.buffer().extend_from_slice(&packet.payload);
        let (timestamp, length) = (packet.timestamp, body.buffer().len() - start);
        body.pad(level.padding(length - header));
        let head = if is_bare { &[] } else { buffer.get(start..start + header).unwrap_or_default() };
        let is_late =
            stream.repairs && !stream.cache.put(moment, number, Kept::new(packet, Some(moment)), head);
        if is_late || srtp.protect_rtp_from(buffer, start, &mut stream.sealed_at).is_err() {
            buffer.truncate(start);
            return Err(SendError::TooLate);
        }
        stream.note(now, timestamp, clock_rate);
        stream.count(number, header, length);
        self.pacer.passed(now, DataSize::from_bytes((length + BELOW) as u64));
        let has_number = stream.extensions.id(Kind::TransportSequenceNumber).is_some();
        let name = (stream.ssrc.0, number as u16);
        if let Some(sequence) = self.sequence(name, has_number) {
            let size = DataSize::from_bytes((buffer.len() - start + BELOW) as u64);
            sent(Sent { sequence, size, at: now, kind: bwe::Kind::Media, probe: None });
        }
        Ok(true)
    }

    /// What the estimator knows a packet by that leaves now: a stream's source and number, and whether it has a transport-wide
    /// one. None: feedback will not be about it.
    fn sequence(&mut self, (ssrc, number): (u32, u16), has_number: bool) -> Option<u64> {
        if let Some(numbers) = &mut self.numbers {
            return Some(numbers.on_sent(ssrc, number));
        }
        has_number.then(|| {
            self.counted += 1;
            self.counted - 1
        })
    }

    fn place_of(&self, (transceiver, encoding): (TransceiverId, usize)) -> Option<usize> {
        let encoding = u32::try_from(encoding).ok()?;
        let is_it = |one: &Name| one.transceiver == transceiver && one.encoding == encoding;
        // Who sends a lot mostly has one stream for each transceiver, in their order.
        let first = self.names.first()?.transceiver;
        let guess = transceiver.0.wrapping_sub(first.0) as usize;
        if self.names.get(guess).is_some_and(is_it) {
            return Some(guess);
        }
        self.names.iter().position(is_it)
    }

    /// Says which timestamp what is taken at a moment has; none: not known.
    pub(crate) fn set_clock(
        &mut self,
        (transceiver, encoding): (TransceiverId, usize),
        clock: Option<(Instant, Timestamp)>,
    ) {
        if let Some(stream) = self.place_of((transceiver, encoding)).and_then(|at| self.streams.get_mut(at)) {
            stream.clock = clock;
        }
    }

    /// Appends the next packet that may leave, sealed; false if there is none. `sent` is told of those that feedback
    /// will be about.
    pub(crate) fn poll(
        &mut self,
        now: Instant,
        srtp: &mut srtp::Sender,
        buffer: &mut Vec<u8>,
        mut sent: impl FnMut(Sent),
    ) -> bool {
        loop {
            let start = buffer.len();
            let (kind, probe) = if let Some((size, probe)) = self.owed {
                if !self.pad(DataSize::from_bytes(size), buffer) {
                    // Until there is a stream for it again.
                    self.pacer.set_can_pad(false);
                    self.owed = None;
                    continue;
                }
                (bwe::Kind::Padding, probe)
            } else {
                match self.pacer.poll_release(now) {
                    Some(Release::Packet { item, probe, .. }) => {
                        let Some(kind) = self.write(now, item, buffer) else { continue };
                        (kind, probe)
                    }
                    Some(Release::Padding { size, probe }) => {
                        let size = size.as_bytes();
                        let rest = size.saturating_sub(self.overpaid);
                        self.overpaid = self.overpaid.saturating_sub(size);
                        self.owed = (rest > 0).then_some((rest, probe));
                        continue;
                    }
                    None => return false,
                }
            };
            let ids = self.streams.first().map(|stream| &stream.extensions);
            let counted = ids.and_then(|ids| count(&mut buffer[start..], ids, self.counted));
            let name = self.numbers.as_ref().and_then(|_| Header::parse(buffer.get(start..)?).ok());
            let name = name.map(|header| (header.ssrc().0, header.sequence_number().0));
            if srtp.protect_rtp(buffer, start).is_err() {
                buffer.truncate(start);
                self.owed = None;
                continue;
            }
            let size = (buffer.len() - start + BELOW) as u64;
            if kind == bwe::Kind::Padding
                && let Some((owed, probe)) = self.owed.take()
            {
                self.owed = (owed > size).then(|| (owed - size, probe));
                self.overpaid += size.saturating_sub(owed);
            }
            if let Some(sequence) = self.sequence(name.unwrap_or_default(), counted.is_some()) {
                let size = DataSize::from_bytes(size);
                sent(Sent { sequence, size, at: now, kind, probe });
            }
            return true;
        }
    }

    /// Appends a packet in the clear, or one that repeats it.
    fn write(&mut self, now: Instant, waiting: Waiting, buffer: &mut Vec<u8>) -> Option<bwe::Kind> {
        let moment = self.moment(now);
        let place = self.names.iter().position(|name| name.ssrc == waiting.ssrc)?;
        let stream = self.streams.get_mut(place)?;
        let (number, start) = (waiting.number, buffer.len());
        if waiting.is_repair {
            repeat(stream, number, &mut self.scratch, buffer)?;
            stream.cache.get_mut(number).into_iter().for_each(|kept| kept.leaves_again(moment));
            stream.repaired += 1;
            stream.repaired_bytes += (buffer.len() - start) as u64;
            return Some(bwe::Kind::Retransmission);
        }
        stream.waiting = stream.waiting.saturating_sub(1);
        self.scratch.clear();
        let kept = stream.cache.read(number, &mut self.scratch)?;
        let Kept { marker, payload_type, timestamp, .. } = *kept;
        let sequence_number = SequenceNumber(number as u16);
        let fields = Fields { marker, payload_type, sequence_number, timestamp, ssrc: stream.ssrc };
        let mut writer = stream.begin(&fields, 0, buffer);
        if let Ok(header) = Header::parse(&self.scratch) {
            writer.copy_extensions(header, (&stream.extensions, &stream.extensions), |_| true);
        }
        let header = writer.finish().buffer().len() - start;
        buffer.extend_from_slice(&kept.prefix);
        buffer.extend_from_slice(&kept.payload);
        if !stream.repairs {
            stream.cache.forget(number);
        } else if let Some(kept) = stream.cache.get_mut(number) {
            kept.sent = Some(moment);
        }
        stream.count(number, header, buffer.len() - start);
        Some(bwe::Kind::Media)
    }

    /// Appends something to measure the path with: a packet that may help somebody, sent again, or nothing but padding.
    fn pad(&mut self, size: DataSize, buffer: &mut Vec<u8>) -> bool {
        let newest = |stream: &&mut Stream| stream.last.map(|(at, ..)| at);
        let Some(stream) = self.streams.iter_mut().filter(|stream| stream.repairs).max_by_key(newest) else {
            return false;
        };
        match stream.cache.newest_sent(size.as_bytes() as usize) {
            Some(number) => repeat(stream, number, &mut self.scratch, buffer).is_some(),
            None => padding(stream, buffer).is_some(),
        }
    }

    /// When the next packet may leave.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.pacer.poll_timeout().map(|(at, _)| at)
    }

    /// Gives back what packets had waited in, if none did for a while: called now and then.
    pub(crate) fn rest(&mut self) {
        self.pacer.rest();
    }

    pub(crate) fn set_target(&mut self, now: Instant, target: DataRate) {
        self.pacer.set_target(now, target);
    }

    pub(crate) fn probe(&mut self, probe: bwe::Probe) {
        self.pacer.probe(probe);
    }

    /// The transport-wide number that 16 bits of the peer's mean.
    pub(crate) fn expand(&self, number: SequenceNumber) -> u64 {
        number.expand(self.counted.max(1 << 15))
    }

    /// A question takes so long, and its answer.
    pub(crate) fn set_round_trip(&mut self, round_trip: Duration) {
        self.streams.iter_mut().for_each(|stream| stream.cache.set_round_trip(round_trip));
    }

    /// The source with this number, of media.
    pub(crate) fn stream_mut(&mut self, ssrc: Ssrc) -> Option<&mut Stream> {
        let place = self.names.iter().position(|name| name.ssrc == ssrc)?;
        self.streams.get_mut(place)
    }
}

/// It is set when the packet leaves.
const COUNTED_LATER: TransportSequenceNumber =
    TransportSequenceNumber { number: SequenceNumber(0), request: None };

/// Sets a packet's transport-wide number, if it has one.
fn count(packet: &mut [u8], ids: &ExtensionMap, number: u64) -> Option<()> {
    let id = ids.id(Kind::TransportSequenceNumber)?;
    let number = (number as u16).to_be_bytes();
    // It is the first extension, behind no contributing sources, in the one-byte form: mostly.
    if let Some([0x90 | 0xB0, _, _, _, _, _, _, _, _, _, _, _, 0xBE, 0xDE, _, _, first, high, low]) =
        packet.first_chunk_mut::<19>()
        && *first == id << 4 | 1
    {
        [*high, *low] = number;
        return Some(());
    }
    let mut header = HeaderMut::parse(packet).ok()?;
    let value = header.extension_mut(ids, Kind::TransportSequenceNumber)?;
    value.get_mut(..2)?.copy_from_slice(&number);
    Some(())
}
