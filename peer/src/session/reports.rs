//! RTCP: what is told of both directions, and what comes of what the peer tells (RFC 3550 §6, RFC 3611 §4.4 and §4.5,
//! RFC 4585, RFC 5104, RFC 5506).

use std::time::{Duration, Instant};

use rtp::rtcp::{
    self, Dlrr, ExtendedReport, FirEntry, ReceiverReport, ReportBlock, RtcpPacket, SenderInfo, SenderReport,
    SourceDescription, XrBlock,
};
use rtp::{NtpShort, NtpTime, Ssrc, Timestamp};
use sdp::attribute::Feedback;

use super::source::{KeyFrameRequests, Source};
use super::{Event, Session};
use crate::fault::MediaFault;

/// How often reports are made, about: RFC 3550 §6.2's 5 s may be less where there is bandwidth (RFC 8834 §4.1), and a
/// second is what browsers do for pictures.
const INTERVAL: Duration = Duration::from_secs(1);

/// Streams, and sources, that one datagram reports on: it keeps within 1,000 bytes. Of more there are several, one after
/// another.
const EACH: usize = 16;

/// What the peer says of a stream of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    /// In 256ths, since the report before.
    pub(crate) fraction_lost: u8,
    pub(crate) lost: i32,
    /// In units of the clock.
    pub(crate) jitter: u32,
    pub(crate) round_trip: Option<Duration>,
}

/// What a sender's report said last, and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) ntp: NtpTime,
    pub(crate) rtp: Timestamp,
    pub(crate) at: Instant,
}

impl Session {
    /// This end's wall clock.
    pub(super) fn ntp(&self, now: Instant) -> NtpTime {
        NtpTime::from_unix(self.unix_time + now.saturating_duration_since(self.start))
    }

    /// Who speaks: a stream of ours, so that the peer knows the name.
    pub(super) fn own_ssrc(&self) -> Ssrc {
        self.sending.streams.first().map_or(self.ssrc, |stream| stream.ssrc)
    }

    /// Appends what opens a datagram where the peer wants compound packets only.
    pub(super) fn open_compound(&self, out: &mut Vec<u8>) {
        if !self.reduced_size {
            let own = self.own_ssrc();
            ReceiverReport::write(out, own, &[]);
            SourceDescription::write_cname(out, own, self.cname.as_bytes());
        }
    }

    /// Appends the regular reports, if it is time for them.
    pub(super) fn report(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        if self.next_report > now || (self.sending.streams.is_empty() && self.receiving.sources.is_empty()) {
            return false;
        }
        let from = self.reported;
        let most = self.sending.streams.len().max(self.receiving.sources.len());
        self.reported = from + EACH;
        if self.reported >= most {
            self.reported = 0;
            // RFC 3550 §6.3.1: between half and one and a half.
            let part = self.random() % 1000;
            self.next_report = now + INTERVAL / 2 + INTERVAL * part / 1000;
            self.sending.rest();
        }
        if let Some(round_trip) = self.round_trip {
            self.sending.set_round_trip(round_trip);
        }
        let own = self.own_ssrc();
        let ntp = self.ntp(now);
        let mut blocks = [ReportBlock::default(); EACH];
        let mut count = 0;
        for (block, source) in blocks.iter_mut().zip(self.receiving.sources.iter_mut().skip(from)) {
            *block = block_of(now, source);
            count += 1;
        }
        let mut blocks = blocks.get(..count).unwrap_or_default();
        for stream in self.sending.streams.iter().skip(from).take(EACH) {
            let Some((at, timestamp, clock_rate)) = stream.last.filter(|_| stream.packets > 0) else {
                continue;
            };
            let (at, timestamp) = stream.clock.unwrap_or((at, timestamp));
            let since = now.saturating_duration_since(at).as_micros() * u128::from(clock_rate) / 1_000_000;
            let info = SenderInfo {
                ntp,
                rtp: timestamp.plus(since as u32),
                packets: stream.packets as u32,
                octets: stream.octets as u32,
            };
            SenderReport::write(out, stream.ssrc, &info, std::mem::take(&mut blocks));
        }
        if out.is_empty() || !blocks.is_empty() {
            ReceiverReport::write(out, own, blocks);
        }
        SourceDescription::write_cname(out, own, self.cname.as_bytes());
        let heard = self.heard_reference.take().map(|(ssrc, last, at)| Dlrr {
            ssrc,
            last,
            delay: NtpShort::from_duration(now.saturating_duration_since(at)),
        });
        // Who sends nothing has no reports of its own that would be answered.
        let asks = self.sending.streams.iter().all(|stream| stream.packets == 0);
        if asks || heard.is_some() {
            ExtendedReport::write(out, own, asks.then_some(ntp), heard.as_slice());
        }
        true
    }

    /// Takes RTCP in the clear.
    pub(super) fn take_rtcp(&mut self, now: Instant, bytes: &[u8]) -> Result<(), MediaFault> {
        let mut result = Ok(());
        for packet in rtcp::packets(bytes) {
            match packet {
                Ok(packet) => self.heed(now, packet),
                Err(fault) => result = Err(MediaFault::Rtcp(fault)),
            }
        }
        result
    }

    fn heed(&mut self, now: Instant, packet: RtcpPacket<'_>) {
        match packet {
            RtcpPacket::SenderReport(report) => {
                let heard = Heard { ntp: report.info.ntp, rtp: report.info.rtp, at: now };
                let mut sources = self.receiving.sources.iter_mut();
                if let Some(source) = sources.find(|source| source.ssrc == report.sender) {
                    source.heard = Some(heard);
                }
                report.blocks().for_each(|block| self.take_block(now, &block));
            }
            RtcpPacket::ReceiverReport(report) => {
                report.blocks().for_each(|block| self.take_block(now, &block));
            }
            RtcpPacket::ExtendedReport(report) => {
                for block in report.blocks() {
                    match block {
                        XrBlock::ReferenceTime(time) => {
                            self.heard_reference = Some((report.sender, time.short(), now));
                        }
                        XrBlock::Dlrr(blocks) => {
                            let own = self.own_ssrc();
                            let mut ours = Dlrr::all(blocks).filter(|block| block.ssrc == own);
                            let measured =
                                ours.find_map(|block| self.round_trip_of(now, block.last, block.delay));
                            self.round_trip = measured.or(self.round_trip);
                        }
                        XrBlock::Unknown(_) => {}
                    }
                }
            }
            RtcpPacket::Nack(nack) => {
                // Reports are seldom, and a queue fills sooner.
                let estimated = self.estimator.as_ref().and_then(bwe::Estimator::round_trip);
                let round_trip = self.round_trip.max(estimated).unwrap_or_default();
                // What is in one packet is as much as is heeded.
                let numbers = nack.numbers().take(crate::limits::REPAIRS);
                if self.sending.repair(now, nack.media, numbers, round_trip) {
                    self.ask_for_key_frame(nack.media);
                }
            }
            RtcpPacket::Pli(pli) => {
                if let Some(stream) = self.sending.stream_mut(pli.media) {
                    stream.key_frame_requests.plis += 1;
                }
                self.ask_for_key_frame(pli.media);
            }
            RtcpPacket::Fir(fir) => fir.entries().for_each(|FirEntry { ssrc, number }| {
                // One that is repeated keeps its number (RFC 5104 §4.3.1.2).
                let asked = self.sending.stream_mut(ssrc).map(|stream| {
                    stream.key_frame_requests.firs += 1;
                    stream.last_fir.replace(number)
                });
                if asked.is_some_and(|last| last != Some(number)) {
                    self.ask_for_key_frame(ssrc);
                }
            }),
            RtcpPacket::TransportFeedback(feedback) => self.take_feedback(now, &feedback),
            RtcpPacket::CongestionFeedback(feedback) => self.take_congestion(now, &feedback),
            RtcpPacket::Remb(remb) if self.estimator.is_none() => {
                self.events.push_back(Event::TargetBitrate(remb.bitrate));
            }
            RtcpPacket::Remb(_)
            | RtcpPacket::SourceDescription(_)
            | RtcpPacket::Bye(_)
            | RtcpPacket::Application(_)
            | RtcpPacket::Tmmbr(_)
            | RtcpPacket::Unknown(_) => {}
        }
    }

    fn ask_for_key_frame(&mut self, ssrc: Ssrc) {
        let Some(stream) = self.sending.stream_mut(ssrc) else { return };
        let event = Event::KeyFrameRequested { transceiver: stream.transceiver, encoding: stream.encoding };
        if !self.events.contains(&event) {
            self.events.push_back(event);
        }
    }

    fn take_block(&mut self, now: Instant, block: &ReportBlock) {
        let round_trip = self.round_trip_of(now, block.last_sender_report, block.delay);
        let Some(stream) = self.sending.stream_mut(block.ssrc) else { return };
        stream.is_known = true;
        stream.last_report = Some(Remote {
            fraction_lost: block.fraction_lost,
            lost: block.packets_lost,
            jitter: block.jitter,
            round_trip,
        });
        self.round_trip = round_trip.or(self.round_trip);
    }

    /// RFC 3550 §6.4.1: none where there was no report to answer, or the peer's clock is wrong.
    fn round_trip_of(&self, now: Instant, last: NtpShort, delay: NtpShort) -> Option<Duration> {
        let round_trip = self.ntp(now).short().since(last).since(delay).to_duration();
        (last != NtpShort::default() && round_trip < Duration::from_secs(60)).then_some(round_trip)
    }

    /// Asks for a key frame of what a source sends.
    pub(super) fn write_key_frame_request(&mut self, media: Ssrc, kinds: &[Feedback], out: &mut Vec<u8>) {
        let sender = self.own_ssrc();
        let source = self.receiving.sources.iter_mut().find(|source| source.ssrc == media);
        let mut unknown = KeyFrameRequests::default();
        let count = source.map_or(&mut unknown, |source| &mut source.key_frame_requests);
        if kinds.contains(&Feedback::NackPli) {
            count.plis += 1;
            rtcp::Pli { sender, media }.write(out);
        } else if kinds.contains(&Feedback::CcmFir) {
            count.firs += 1;
            self.firs = self.firs.wrapping_add(1);
            rtcp::Fir::write(out, sender, &[FirEntry { ssrc: media, number: self.firs }]);
        }
    }
}

fn block_of(now: Instant, source: &mut Source) -> ReportBlock {
    let reception = source.report();
    let since = |heard: Heard| NtpShort::from_duration(now.saturating_duration_since(heard.at));
    ReportBlock {
        ssrc: source.ssrc,
        fraction_lost: reception.fraction_lost,
        packets_lost: reception.lost.clamp(-(1 << 23), (1 << 23) - 1) as i32,
        highest_sequence: reception.highest,
        jitter: reception.jitter,
        last_sender_report: source.heard.map(|heard| heard.ntp.short()).unwrap_or_default(),
        delay: source.heard.map(since).unwrap_or_default(),
    }
}
