//! Packets of media as they come in, sorted (RFC 3550 §6.4, RFC 4588 §4).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtp::extension::ExtensionMap;
use rtp::{Header, HeaderMut, Packet, SequenceNumber, Ssrc};
use sdp::attribute::Feedback;

use super::packet::{MediaPacket, SenderClock};
use super::pool::Pool;
use super::route::{Route, Section, Sections};
use super::source::Source;
use crate::fault::MediaFault;
use crate::limits;
use crate::media::TransceiverId;

/// Bytes before the payload of a retransmission: the number of what it repeats (RFC 4588 §4).
const ORIGINAL_NUMBER: usize = 2;

/// What comes in over a transport.
#[derive(Debug, Default)]
pub(crate) struct Receiving {
    sections: Sections,
    /// By number, so that a search finds them; with their place among the sources, which is looked at before it is believed.
    routes: Vec<(Ssrc, Route, usize)>,
    pub(crate) sources: Vec<Source>,
    /// Some of them may miss something. Mostly none does, and none is asked.
    is_missing: bool,
    pool: Pool,
    packets: VecDeque<MediaPacket>,
    /// Packets whose owner did not take them in time.
    pub(crate) untaken: u64,
}

impl Receiving {
    /// Descriptions say what comes from now on.
    pub(crate) fn set_sections(&mut self, sections: Vec<Section>) {
        self.sections = Sections::new(sections);
        let Self { sections, routes, sources, .. } = self;
        let is_known = |transceiver| sections.get(transceiver).is_some();
        routes.retain(|(_, route, _)| is_known(route.transceiver));
        sources.retain(|source| is_known(source.transceiver));
        // Codecs may be others from now on.
        sources.iter_mut().for_each(|source| source.payload_type = None);
    }

    /// Takes a packet in the clear.
    pub(crate) fn take(&mut self, now: Instant, bytes: &[u8]) -> Result<(), MediaFault> {
        let packet = Packet::parse(bytes).map_err(MediaFault::Header)?;
        let header = packet.header();
        let at = self.route(header)?;
        let (_, route, _) = *self.routes.get(at).ok_or(MediaFault::Unrouted)?;
        let taken = if route.repairs {
            self.take_repair(now, route, packet)
        } else {
            self.take_media(now, at, packet)
        };
        if self.is_missing {
            self.is_missing = self.sources.iter().any(|source| source.missing.due().is_some());
        }
        taken
    }

    /// The numbers of header extensions.
    pub(crate) fn extensions(&self) -> &ExtensionMap {
        &self.sections.extensions
    }

    /// The feedback that both ends know about what a transceiver receives.
    pub(crate) fn feedback(&self, transceiver: TransceiverId) -> Option<Vec<Feedback>> {
        Some(self.sections.get(transceiver)?.agreement.preferred()?.feedback.clone())
    }

    /// What the last report about an encoding said of the sender's clock.
    pub(crate) fn sender_clock(&self, transceiver: TransceiverId, encoding: usize) -> Option<SenderClock> {
        let of = |source: &&Source| source.transceiver == transceiver && source.encoding == encoding;
        let heard = self.sources.iter().filter(of).max_by_key(|source| source.last_packet)?.heard?;
        Some(SenderClock { ntp: heard.ntp, timestamp: heard.rtp, arrived: heard.at })
    }

    /// The next packet that came.
    pub(crate) fn poll(&mut self) -> Option<MediaPacket> {
        self.packets.pop_front()
    }

    /// The place of a packet's route.
    fn route(&mut self, header: Header<'_>) -> Result<usize, MediaFault> {
        let ssrc = header.ssrc();
        let found = self.routes.binary_search_by_key(&ssrc, |(known, ..)| *known);
        let Err(at) = found else { return found.map_err(|_| MediaFault::Unrouted) };
        let route = self.sections.route(header).ok_or(MediaFault::Unrouted)?;
        if self.routes.len() >= limits::SOURCES {
            return Err(MediaFault::TooManySources);
        }
        self.routes.insert(at, (ssrc, route, usize::MAX));
        Ok(at)
    }

    fn take_media(&mut self, now: Instant, at: usize, packet: Packet<'_>) -> Result<(), MediaFault> {
        let header = packet.header();
        let Self { routes, sources, sections, .. } = self;
        let (ssrc, route, place) = routes.get_mut(at).ok_or(MediaFault::Unrouted)?;
        let (ssrc, route) = (*ssrc, *route);
        if sources.get(*place).is_none_or(|source| source.ssrc != ssrc) {
            let known = sources.iter().position(|source| source.ssrc == ssrc);
            *place = known.unwrap_or(sources.len());
        }
        let known = sources.get_mut(*place);
        let payload_type = Some(header.payload_type());
        let agreed = match known.as_ref().is_some_and(|source| source.payload_type == payload_type) {
            true => None,
            false => {
                let section = sections.get(route.transceiver).ok_or(MediaFault::Unrouted)?;
                let agreed = section.agreement.received(header.payload_type());
                // A source of media does not turn into one of retransmissions.
                let (codec, false) = agreed.ok_or(MediaFault::PayloadType)? else {
                    return Err(MediaFault::PayloadType);
                };
                Some((codec.codec.clock_rate, codec.has(&Feedback::Nack)))
            }
        };
        let source = match known {
            Some(source) => source,
            None => {
                let whose = (route.transceiver, route.encoding);
                sources.push(Source::new(now, ssrc, whose, header.sequence_number()));
                sources.last_mut().ok_or(MediaFault::Unrouted)?
            }
        };
        if let Some((clock_rate, asks)) = agreed {
            (source.payload_type, source.clock_rate, source.asks) = (payload_type, clock_rate, asks);
        }
        let lengths = (header.len(), packet.payload().len());
        let number = source.take(now, header.sequence_number(), lengths).ok_or(MediaFault::Duplicate)?;
        source.measure(now, header.timestamp());
        self.is_missing |= source.missing.due().is_some();
        self.hand_out(now, route, (number, false), packet, None);
        Ok(())
    }

    fn take_repair(&mut self, now: Instant, route: Route, packet: Packet<'_>) -> Result<(), MediaFault> {
        let header = packet.header();
        let section = self.sections.get(route.transceiver).ok_or(MediaFault::Unrouted)?;
        let agreed = section.agreement.received(header.payload_type());
        let (codec, true) = agreed.ok_or(MediaFault::PayloadType)? else {
            return Err(MediaFault::PayloadType);
        };
        let Some(original) = packet.payload().first_chunk::<ORIGINAL_NUMBER>() else {
            // It probes the path.
            return Ok(());
        };
        let original = SequenceNumber(u16::from_be_bytes(*original));
        let payload_type = codec.receive;
        let repaired = |source: &&mut Source| {
            source.transceiver == route.transceiver && source.encoding == route.encoding
        };
        // Of what has not come at all nothing can be missed.
        let source = self.sources.iter_mut().filter(repaired).max_by_key(|source| source.last_packet);
        let source = source.ok_or(MediaFault::Unrouted)?;
        let length = packet.payload().len() - ORIGINAL_NUMBER;
        let number = source.take(now, original, (header.len(), length)).ok_or(MediaFault::Duplicate)?;
        self.is_missing |= source.missing.due().is_some();
        source.repaired += 1;
        source.repaired_bytes += length as u64;
        let ssrc = source.ssrc;
        self.hand_out(now, route, (number, true), packet, Some((ssrc, payload_type, original)));
        Ok(())
    }

    /// Keeps a packet for its owner; of a retransmission what it repeats.
    fn hand_out(
        &mut self,
        now: Instant,
        route: Route,
        (sequence_number, is_repair): (u64, bool),
        packet: Packet<'_>,
        repeats: Option<(Ssrc, rtp::PayloadType, SequenceNumber)>,
    ) {
        if self.packets.len() >= limits::RECEIVED_PACKETS {
            self.untaken += 1;
            return;
        }
        let header = packet.header();
        let payload = packet.payload().get(if repeats.is_some() { ORIGINAL_NUMBER } else { 0 }..);
        let bytes = self.pool.keep(&[header.as_bytes(), payload.unwrap_or_default()], |bytes| {
            // Padding is left behind, and so is that there was some.
            if let Some(first) = bytes.first_mut() {
                *first &= !0x20;
            }
            if let (Some((ssrc, payload_type, number)), Ok(mut header)) = (repeats, HeaderMut::parse(bytes)) {
                header.set_ssrc(ssrc);
                header.set_payload_type(payload_type);
                header.set_sequence_number(number);
            }
        });
        let Route { transceiver, encoding, .. } = route;
        let arrived = now;
        self.packets.push_back(MediaPacket {
            transceiver,
            encoding,
            sequence_number,
            is_repair,
            arrived,
            bytes,
        });
    }

    /// When a packet is to be asked for.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if !self.is_missing {
            return None;
        }
        self.sources.iter().filter_map(|source| source.missing.due()).min()
    }

    /// What is to be asked for now, of one source after another, as a datagram holds no more: of which, and which numbers;
    /// and whether some were given up, so that nothing but a key frame helps.
    pub(crate) fn ask(
        &mut self,
        now: Instant,
        round_trip: Duration,
        each: impl FnOnce(&Source, &[u64], bool),
    ) {
        let mut numbers = Vec::new();
        for source in &mut self.sources {
            source.missing.ask(now, round_trip, &mut numbers);
            let is_given_up = source.missing.take_given_up();
            source.nacks += u32::from(!numbers.is_empty());
            if is_given_up || !numbers.is_empty() {
                return each(source, &numbers, is_given_up);
            }
        }
    }
}
