//! The RTP session of a transport: all that media needs beside descriptions (RFC 3550, RFC 8834, RFC 9143 §9).
//!
//! What comes in is opened, sorted by section and encoding, and handed out as packets; what goes out is paced, sealed and
//! remembered for as long as it may be asked for again. Nothing here decodes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bwe::{DataRate, Estimator};
use rtp::extension::TransportSequenceNumber;
use rtp::rtcp::{self, CongestionFeedback, Nack, TransportFeedback};
use rtp::{HeaderWriter, NtpShort, SequenceNumber, Ssrc};
use sdp::attribute::Feedback;

use crate::error::SendError;
use crate::fault::MediaFault;
use crate::media::{Agreement, Transceiver, TransceiverId};
use crate::transport::Level;

mod arrivals;
mod cache;
mod missing;
mod packet;
mod pool;
mod receiving;
pub(crate) mod reports;
mod route;
mod sending;
mod source;
mod stream_arrivals;

use arrivals::Arrivals;
pub use packet::{MediaPacket, SenderClock};
use receiving::Receiving;
use route::Section;
use sending::Sending;
pub use sending::{OutgoingPacket, Prefix};
use stream_arrivals::StreamArrivals;

/// What the session has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    KeyFrameRequested {
        transceiver: TransceiverId,
        encoding: usize,
    },
    /// Bits per second, over all streams.
    TargetBitrate(u64),
}

/// Media of one transport.
#[derive(Debug)]
pub(crate) struct Session {
    start: Instant,
    /// Since 1970, at `start`.
    unix_time: Duration,
    start_bitrate: u64,
    keys: Option<(srtp::Sender, srtp::Receiver)>,
    pub(crate) receiving: Receiving,
    pub(crate) sending: Sending,
    arrivals: Arrivals,
    /// The same by stream, where that is agreed on.
    congestion: Option<StreamArrivals>,
    pub(crate) estimator: Option<Estimator>,
    events: VecDeque<Event>,
    /// RTCP in the clear that is to leave at once.
    urgent: Vec<u8>,
    scratch: Vec<u8>,
    reduced_size: bool,
    cryptex: bool,
    cname: Box<str>,
    /// Who speaks where nothing is sent.
    ssrc: Ssrc,
    next_report: Instant,
    /// How many streams, and sources, this round of reports has told of.
    reported: usize,
    /// The peer's reference time: whose, which, and when it came.
    heard_reference: Option<(Ssrc, NtpShort, Instant)>,
    pub(crate) round_trip: Option<Duration>,
    firs: u8,
    /// The reference time of the last feedback, without its wrapping.
    reference: i64,
    /// The time of the last one that names streams, in 65,536ths of a second: as it stood there, and without its wrapping.
    report_time: Option<(u32, i64)>,
    randomness: u32,
}

/// Ticks before the peer's clock began: what does not wrap around is never negative.
const LONG_AGO: i64 = 1 << 40;

impl Session {
    /// `seed` is random.
    pub(crate) fn new(
        now: Instant,
        (unix_time, start_bitrate): (Duration, u64),
        seed: [u8; 32],
        cname: Box<str>,
    ) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = seed;
        Self {
            start: now,
            unix_time,
            start_bitrate,
            keys: None,
            receiving: Receiving::default(),
            sending: Sending::new(now),
            arrivals: Arrivals::new(now),
            congestion: None,
            cryptex: false,
            estimator: None,
            events: VecDeque::new(),
            urgent: Vec::new(),
            scratch: Vec::new(),
            reduced_size: false,
            cname,
            ssrc: Ssrc(u32::from_be_bytes([a, b, c, d]).max(1)),
            next_report: now,
            reported: 0,
            heard_reference: None,
            round_trip: None,
            firs: 0,
            reference: 0,
            report_time: None,
            randomness: u32::from_be_bytes([e, f, g, h]) | 1,
        }
    }

    /// The handshake is done.
    pub(crate) fn set_keys(&mut self, sender: srtp::Sender, receiver: srtp::Receiver) {
        self.keys = Some((sender, receiver));
        self.encrypt_headers();
    }

    fn encrypt_headers(&mut self) {
        if let Some((sender, _)) = &mut self.keys {
            sender.set_cryptex(self.cryptex);
        }
    }

    /// Descriptions say what is sent and received from now on.
    pub(crate) fn set_transceivers<'a>(
        &mut self,
        now: Instant,
        transceivers: impl Iterator<Item = &'a Transceiver>,
    ) {
        let agreed: Vec<(&Transceiver, &Arc<Agreement>)> = transceivers
            .filter(|one| !one.is_stopped())
            .filter_map(|one| Some((one, one.agreement()?)))
            .collect();
        let sections = agreed.iter().map(|(one, agreement)| Section {
            transceiver: one.id(),
            mid: one.mid().unwrap_or_default().into(),
            agreement: Arc::clone(agreement),
        });
        self.receiving.set_sections(sections.collect());
        self.reduced_size = agreed.iter().all(|(_, agreement)| agreement.reduced_size);
        // What is one transport has one way of both (RFC 8859 §5, RFC 9335 §4).
        let all = |is: fn(&Agreement) -> bool| {
            !agreed.is_empty() && agreed.iter().all(|(_, agreement)| is(agreement))
        };
        self.cryptex = all(|agreement| agreement.cryptex);
        let by_stream = all(|agreement| agreement.congestion_feedback);
        if by_stream && self.congestion.is_none() {
            self.congestion = Some(StreamArrivals::default());
        }
        let is_told = |(_, agreement): &(&Transceiver, &Arc<Agreement>)| {
            let has_numbers = agreement.preferred().is_some_and(|codec| codec.has(&Feedback::TransportCc));
            agreement.direction.sends() && (by_stream || has_numbers)
        };
        if self.estimator.is_none() && agreed.iter().any(is_told) {
            let start = DataRate::from_bps(self.start_bitrate);
            let estimator = Estimator::new(now, bwe::Config { start, ..bwe::Config::default() });
            self.sending.set_target(now, estimator.target());
            self.estimator = Some(estimator);
            // It knows packets by one kind of numbers.
            self.sending.numbers = by_stream.then(bwe::StreamNumbers::new);
        }
        let mut randomness = self.randomness;
        self.sending.set_transceivers(agreed.into_iter(), || next(&mut randomness));
        self.randomness = randomness;
        self.encrypt_headers();
    }

    /// Takes a datagram of RTP's or RTCP's, which is opened where it lies.
    pub(crate) fn handle_datagram(&mut self, now: Instant, bytes: &mut [u8]) -> Result<(), MediaFault> {
        let Some((_, receiver)) = &mut self.keys else { return Err(MediaFault::NoKeys) };
        if rtcp::is_rtcp(bytes) {
            let length = receiver.unprotect_rtcp(bytes).map_err(MediaFault::Srtp)?;
            return self.take_rtcp(now, bytes.get(..length).unwrap_or_default());
        }
        let length = receiver.unprotect_rtp(bytes).map_err(MediaFault::Srtp)?;
        let bytes = bytes.get(..length).unwrap_or_default();
        let header = rtp::Header::parse(bytes).map_err(MediaFault::Header)?;
        if let Some(congestion) = &mut self.congestion {
            congestion.take(now, header.ssrc(), header.sequence_number());
        } else if let Some(counted) = header.read::<TransportSequenceNumber>(self.receiving.extensions()) {
            self.arrivals.take(now, counted.number);
        }
        self.receiving.take(now, bytes)
    }

    fn take_feedback(&mut self, now: Instant, feedback: &TransportFeedback<'_>) {
        let Some(estimator) = &mut self.estimator else { return };
        let reference = feedback.reference.to_ticks(self.reference);
        self.reference = reference;
        let sending = &self.sending;
        let arrivals = feedback.arrivals().take(crate::limits::ARRIVALS).map(|(number, ticks)| {
            let ticks = ticks.map(|ticks| (LONG_AGO + reference + i64::from(ticks)).max(0).unsigned_abs());
            bwe::Arrival {
                sequence: sending.expand(number),
                at: ticks.map(|ticks| Duration::from_micros(ticks * 250)),
                ecn: bwe::Ecn::NotEct,
            }
        });
        estimator.on_feedback(now, arrivals);
        self.heed_estimator(now);
    }

    /// The same by stream (RFC 8888 §3.1).
    fn take_congestion(&mut self, now: Instant, feedback: &CongestionFeedback<'_>) {
        let Some((estimator, numbers)) = self.estimator.as_mut().zip(self.sending.numbers.as_ref()) else {
            return;
        };
        let stamp = feedback.timestamp.0;
        let time = self
            .report_time
            .map_or(LONG_AGO, |(last, time)| time + i64::from(stamp.wrapping_sub(last).cast_signed()));
        self.report_time = Some((stamp, time));
        let time = Duration::from_nanos(((i128::from(time.max(0)) * 1_000_000_000) >> 16) as u64);
        let streams = feedback.streams();
        let all = streams
            .flat_map(|stream| stream.metrics().map(move |(number, metric)| (stream.ssrc, number, metric)));
        let arrivals = all.take(crate::limits::ARRIVALS).filter_map(|(ssrc, number, metric)| {
            let sequence = numbers.find(ssrc.0, number.0)?;
            let Some(metric) = metric else {
                return Some(bwe::Arrival { sequence, at: None, ecn: bwe::Ecn::NotEct });
            };
            // That it came, but not when, says nothing of the path.
            let at = Some(time.saturating_sub(metric.offset.to_duration()?));
            let ecn = match metric.ecn {
                rtcp::Ecn::NotCapable => bwe::Ecn::NotEct,
                rtcp::Ecn::Capable1 => bwe::Ecn::Ect1,
                rtcp::Ecn::Capable0 => bwe::Ecn::Ect0,
                rtcp::Ecn::Congestion => bwe::Ecn::Ce,
            };
            Some(bwe::Arrival { sequence, at, ecn })
        });
        estimator.on_feedback(now, arrivals);
        self.heed_estimator(now);
    }

    fn heed_estimator(&mut self, now: Instant) {
        let Some(estimator) = &mut self.estimator else { return };
        while let Some(event) = estimator.poll_event() {
            match event {
                bwe::Event::Target(target) => {
                    self.sending.set_target(now, target);
                    self.events.retain(|event| !matches!(event, Event::TargetBitrate(_)));
                    self.events.push_back(Event::TargetBitrate(target.as_bps()));
                }
                bwe::Event::Probe(probe) => self.sending.probe(probe),
            }
        }
    }

    /// How much the application could send, bits per second.
    pub(crate) fn set_wanted(&mut self, now: Instant, wanted: u64) {
        if let Some(estimator) = &mut self.estimator {
            estimator.set_wanted(now, DataRate::from_bps(wanted));
            self.heed_estimator(now);
        }
    }

    /// Queues a packet.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        whose: (TransceiverId, usize),
        packet: OutgoingPacket,
        extensions: impl FnOnce(&mut HeaderWriter<'_>, &rtp::extension::ExtensionMap),
    ) -> Result<(), SendError> {
        if self.keys.is_none() {
            return Err(SendError::NotConnected);
        }
        self.sending.send(now, whose, packet, extensions)
    }

    /// Appends a packet, sealed, where it may leave at once, and queues it where not; whether it was appended.
    pub(crate) fn send_at_once(
        &mut self,
        now: Instant,
        whose: (TransceiverId, usize),
        packet: OutgoingPacket,
        extensions: impl FnOnce(&mut HeaderWriter<'_>, &rtp::extension::ExtensionMap),
        (buffer, level): (&mut Vec<u8>, Level),
    ) -> Result<bool, SendError> {
        let Self { keys, sending, estimator, .. } = self;
        let (sender, _) = keys.as_mut().ok_or(SendError::NotConnected)?;
        sending.send_at_once(now, whose, packet, extensions, (sender, buffer, level), |sent| {
            if let Some(estimator) = estimator {
                estimator.on_sent(&sent);
            }
        })
    }

    /// What comes next of an encoding needs nothing that came before it; how many packets were dropped.
    pub(crate) fn begin_anew(
        &mut self,
        now: Instant,
        whose: (TransceiverId, usize),
        number: Option<u64>,
    ) -> usize {
        let is_full = self.estimator.as_ref().is_some_and(Estimator::is_draining);
        self.sending.begin_anew(now, whose, number, is_full)
    }

    /// Asks the peer for a key frame of an encoding; false where nothing of it has come.
    pub(crate) fn request_key_frame(&mut self, transceiver: TransceiverId, encoding: usize) -> bool {
        let is_it =
            |source: &&source::Source| source.transceiver == transceiver && source.encoding == encoding;
        let newest = self.receiving.sources.iter().filter(is_it).max_by_key(|source| source.last_packet);
        let Some(media) = newest.map(|source| source.ssrc) else { return false };
        let Some(kinds) = self.receiving.feedback(transceiver) else { return false };
        let mut urgent = std::mem::take(&mut self.urgent);
        if urgent.is_empty() {
            self.open_compound(&mut urgent);
        }
        self.write_key_frame_request(media, &kinds, &mut urgent);
        self.urgent = urgent;
        true
    }

    /// Appends the next datagram, sealed; false if there is none now.
    pub(crate) fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> bool {
        if self.keys.is_none() {
            return false;
        }
        let mut out = std::mem::take(&mut self.scratch);
        out.clear();
        self.write_rtcp(now, &mut out);
        let start = buffer.len();
        buffer.extend_from_slice(&out);
        self.scratch = out;
        let Some((sender, _)) = &mut self.keys else { return false };
        if buffer.len() > start {
            if sender.protect_rtcp(buffer, start).is_ok() {
                return true;
            }
            buffer.truncate(start);
        }
        let estimator = &mut self.estimator;
        self.sending.poll(now, sender, buffer, |sent| {
            if let Some(estimator) = estimator {
                estimator.on_sent(&sent);
            }
        })
    }

    /// Appends RTCP in the clear that is to leave now, if there is any: one datagram's worth.
    fn write_rtcp(&mut self, now: Instant, out: &mut Vec<u8>) {
        if !self.urgent.is_empty() {
            out.append(&mut self.urgent);
            return;
        }
        if self.receiving.poll_timeout().is_some_and(|due| due <= now) {
            self.open_compound(out);
            let (own, opened) = (self.own_ssrc(), out.len());
            let round_trip = self.round_trip.unwrap_or(Duration::from_millis(50));
            let mut lost = Vec::new();
            self.receiving.ask(now, round_trip, |source, numbers, is_given_up| {
                let numbers = numbers.iter().map(|number| SequenceNumber(*number as u16));
                // What does not fit is asked for the next time.
                Nack::write(out, (own, source.ssrc), numbers);
                if is_given_up {
                    lost.push((source.ssrc, source.transceiver));
                }
            });
            for (media, transceiver) in lost {
                let kinds = self.receiving.feedback(transceiver).unwrap_or_default();
                self.write_key_frame_request(media, &kinds, out);
            }
            if out.len() > opened {
                return;
            }
            out.clear();
        }
        if self.arrivals.due().is_some_and(|due| due <= now) {
            self.open_compound(out);
            let media = self.receiving.sources.first().map_or(Ssrc(0), |source| source.ssrc);
            if self.arrivals.write(now, self.own_ssrc(), media, out) {
                return;
            }
            out.clear();
        }
        if self.congestion.as_ref().and_then(StreamArrivals::due).is_some_and(|due| due <= now) {
            self.open_compound(out);
            let (own, time) = (self.own_ssrc(), self.ntp(now).short());
            if self.congestion.as_mut().is_some_and(|congestion| congestion.write(now, (own, time), out)) {
                return;
            }
            out.clear();
        }
        if self.next_report <= now {
            self.report(now, out);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let Some(estimator) = &mut self.estimator else { return };
        if estimator.poll_timeout().is_some_and(|(due, _)| due <= now) {
            estimator.handle_timeout(now);
            self.heed_estimator(now);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.keys.as_ref()?;
        let reports = !self.sending.streams.is_empty() || !self.receiving.sources.is_empty();
        let all = [
            self.receiving.poll_timeout(),
            self.arrivals.due(),
            self.congestion.as_ref().and_then(StreamArrivals::due),
            reports.then_some(self.next_report),
            self.sending.poll_timeout(),
            self.estimator.as_ref().and_then(Estimator::poll_timeout).map(|(due, _)| due),
        ];
        all.into_iter().flatten().min()
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn random(&mut self) -> u32 {
        next(&mut self.randomness)
    }
}

/// Marsaglia's xorshift: for what need not be secret.
fn next(state: &mut u32) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    *state
}
