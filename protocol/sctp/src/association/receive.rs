//! Packets on their way in, chunk by chunk (RFC 9260 §3, §6.2, §8.4, §8.5).

use super::session::{Phase, Session};
use super::{Association, State};
use crate::event::{CloseReason, Event};
use crate::fault::Fault;
use crate::packet::{
    Abort, Cause, Chunks, CookieAck, CookieEcho, Data, ErrorChunk, ForwardTsn, Heartbeat, HeartbeatAck,
    IData, IForwardTsn, Init, InitAck, Malformed, Packet, Pad, RawChunk, ReConfig, Sack, Shutdown,
    ShutdownAck, ShutdownComplete,
};
use crate::receive::{Arrival, Inbox, Incoming, Number, Refusal};
use crate::time::Time;

/// Bytes of an unknown chunk that are sent back.
const MAX_UNKNOWN: usize = 64;

impl From<Malformed> for Fault {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// What the chunks of one packet ask for together.
#[derive(Default)]
struct Seen {
    fault: Option<Fault>,
    data: bool,
    urgent: bool,
}

impl Association {
    pub(super) fn receive(&mut self, now: Time, bytes: &[u8]) -> Result<(), Fault> {
        let result = self.receive_packet(now, bytes);
        if let Err(fault) = result {
            self.faults.count(fault);
        }
        result
    }

    fn receive_packet(&mut self, now: Time, bytes: &[u8]) -> Result<(), Fault> {
        let packet = Packet::parse(bytes)?;
        if (packet.destination_port, packet.source_port) != self.config.ports {
            return Err(Fault::WrongPorts);
        }
        if !packet.has_valid_checksum(self.config.zero_checksum) {
            return Err(Fault::BadChecksum);
        }
        let mut chunks = packet.chunks();
        if packet.verification_tag != self.local.initiate_tag {
            return self.receive_without_tag(&packet);
        }
        let mut seen = Seen::default();
        self.receive_chunks(now, &mut chunks, &mut seen);
        if let State::Open(session) = &mut self.state
            && seen.data
        {
            let is_urgent = seen.urgent || session.map.has_gap() || session.map.has_duplicates();
            session.acknowledger.packet_arrived(now, is_urgent);
            if session.phase == Phase::ShutdownSent {
                // RFC 9260 §9.2: data that crosses our SHUTDOWN is answered with another.
                session.acknowledger.hurry();
                session.shutdown_due = true;
            }
        }
        self.after_packet();
        seen.fault.map_or(Ok(()), Err)
    }

    /// Packets that may have another tag than ours (RFC 9260 §8.4, §8.5.1).
    fn receive_without_tag(&mut self, packet: &Packet<'_>) -> Result<(), Fault> {
        let raw = packet.chunks().next().ok_or(Fault::Malformed)??;
        let is_peers = match &self.state {
            State::Open(session) => session.peer_tag == packet.verification_tag,
            State::CookieEchoed(echo) => echo.session.peer_tag == packet.verification_tag,
            _ => false,
        };
        match raw.kind {
            Init::KIND if packet.verification_tag == 0 => self.handle_init(&Init::parse(raw)?),
            Abort::KIND if is_peers && Abort::parse(raw)?.reflected => self.handle_abort(&Abort::parse(raw)?),
            ShutdownComplete::KIND if is_peers && ShutdownComplete::parse(raw)?.reflected => {
                self.handle_shutdown_complete()
            }
            _ => Err(Fault::WrongTag),
        }
    }

    fn receive_chunks(&mut self, now: Time, chunks: &mut Chunks<'_>, seen: &mut Seen) {
        for raw in chunks {
            let result = match raw {
                Ok(raw) if matches!(raw.kind, Data::KIND | IData::KIND) => self.receive_data(raw, seen),
                Ok(raw) => self.receive_control(now, raw),
                Err(Malformed) => Err(Fault::Malformed),
            };
            match result {
                Ok(()) => {}
                Err(Fault::Duplicate) => self.faults.count(Fault::Duplicate),
                Err(fault) if seen.fault.is_none() => seen.fault = Some(fault),
                Err(fault) => self.faults.count(fault),
            }
            if self.is_ended() {
                return;
            }
        }
    }

    #[inline]
    fn receive_data(&mut self, raw: RawChunk<'_>, seen: &mut Seen) -> Result<(), Fault> {
        let Self { state, inbox, events, .. } = self;
        let State::Open(session) = state else {
            return Err(if matches!(state, State::Ended) { Fault::Ended } else { Fault::Unexpected });
        };
        let result = session.receive_data(raw, inbox, events, seen);
        match result {
            Err(Fault::ProtocolViolation) => {
                self.abort_with(Cause::PROTOCOL_VIOLATION, b"data", CloseReason::ProtocolViolation);
            }
            Err(Fault::MessageTooLong) => {
                self.abort_with(Cause::PROTOCOL_VIOLATION, b"message size", CloseReason::ProtocolViolation);
            }
            _ => {}
        }
        if self.is_exhausted(result) {
            self.abort_with(Cause::OUT_OF_RESOURCE, &[], CloseReason::OutOfResource);
        }
        result
    }

    /// Whether data was refused for which there can never be room.
    fn is_exhausted(&self, result: Result<(), Fault>) -> bool {
        matches!(&self.state, State::Open(session) if result == Err(Fault::NoRoom) && session.is_exhausted)
    }

    fn receive_control(&mut self, now: Time, raw: RawChunk<'_>) -> Result<(), Fault> {
        match raw.kind {
            Sack::KIND => {
                let sack = Sack::parse(raw)?;
                let State::Open(session) = &mut self.state else { return Err(Fault::Unexpected) };
                session.sender.handle_sack(now, &sack, &mut self.outbox)
            }
            InitAck::KIND => self.handle_init_ack(now, &InitAck::parse(raw)?),
            CookieEcho::KIND => self.handle_cookie_echo(now, &CookieEcho::parse(raw)?),
            CookieAck::KIND => self.handle_cookie_ack(now),
            Heartbeat::KIND => {
                let heartbeat = Heartbeat::parse(raw)?;
                let State::Open(session) = &mut self.state else { return Err(Fault::Unexpected) };
                session.heartbeats.queue_answer(heartbeat.info)
            }
            HeartbeatAck::KIND => self.handle_heartbeat_ack(now, &HeartbeatAck::parse(raw)?),
            ForwardTsn::KIND => self.handle_forward_tsn(&ForwardTsn::parse(raw)?),
            IForwardTsn::KIND => self.handle_i_forward_tsn(&IForwardTsn::parse(raw)?),
            ReConfig::KIND => self.handle_reconfig(&ReConfig::parse(raw)?),
            Abort::KIND => self.handle_abort(&Abort::parse(raw)?),
            Shutdown::KIND => self.handle_shutdown(now, Shutdown::parse(raw)?),
            ShutdownAck::KIND => self.handle_shutdown_ack(),
            ShutdownComplete::KIND => self.handle_shutdown_complete(),
            ErrorChunk::KIND => {
                let error = ErrorChunk::parse(raw)?;
                if error.causes().flatten().any(|cause| cause.code == Cause::STALE_COOKIE) {
                    self.handle_stale_cookie();
                }
                Ok(())
            }
            Pad::KIND => Ok(()),
            // An INIT is alone, and goes to tag zero.
            Init::KIND => Err(Fault::Unexpected),
            _ => self.handle_unknown(raw),
        }
    }

    /// RFC 9260 §3.2: the second highest bit of an unknown type asks for a report.
    fn handle_unknown(&mut self, raw: RawChunk<'_>) -> Result<(), Fault> {
        if let State::Open(session) = &mut self.state
            && raw.kind & 0x40 != 0
            && session.unknown_chunk.is_empty()
        {
            let length = u16::try_from(raw.value.len() + 4).unwrap_or(u16::MAX).to_be_bytes();
            session.unknown_chunk.extend_from_slice(&[raw.kind, raw.flags, length[0], length[1]]);
            session.unknown_chunk.extend(raw.value.iter().take(MAX_UNKNOWN));
        }
        Err(Fault::UnknownChunk)
    }

    /// RFC 3758 §3.6.
    fn handle_forward_tsn(&mut self, forward: &ForwardTsn<'_>) -> Result<(), Fault> {
        let Self { state, inbox, events, .. } = self;
        let State::Open(session) = state else { return Err(Fault::Unexpected) };
        if session.interleaving {
            return self.violated(b"FORWARD-TSN");
        }
        session.acknowledger.hurry();
        let cumulative = session.map.expand(forward.new_cumulative_tsn);
        if !session.forward(cumulative)? {
            return Ok(());
        }
        let mut result = Ok(());
        for (stream, ssn) in forward.skipped() {
            if stream < session.inbound_streams {
                result = result.and(inbox.skip_ordered(stream, Number::Ssn(ssn), events));
            }
        }
        inbox.skip_unordered_up_to(cumulative, events);
        self.after_skip(result)
    }

    /// RFC 8260 §2.3.1.
    fn handle_i_forward_tsn(&mut self, forward: &IForwardTsn<'_>) -> Result<(), Fault> {
        let Self { state, inbox, events, .. } = self;
        let State::Open(session) = state else { return Err(Fault::Unexpected) };
        if !session.interleaving {
            return self.violated(b"I-FORWARD-TSN");
        }
        session.acknowledger.hurry();
        let cumulative = session.map.expand(forward.new_cumulative_tsn);
        if !session.forward(cumulative)? {
            return Ok(());
        }
        let mut result = Ok(());
        for skip in forward.skipped().filter(|skip| skip.stream < session.inbound_streams) {
            if skip.unordered {
                inbox.skip_unordered(skip.stream, skip.mid, events);
            } else {
                let number = Number::Mid { mid: skip.mid, fsn: 0 };
                result = result.and(inbox.skip_ordered(skip.stream, number, events));
            }
        }
        self.after_skip(result)
    }

    fn violated(&mut self, what: &[u8]) -> Result<(), Fault> {
        self.abort_with(Cause::PROTOCOL_VIOLATION, what, CloseReason::ProtocolViolation);
        Err(Fault::ProtocolViolation)
    }

    fn after_skip(&mut self, result: Result<(), Refusal>) -> Result<(), Fault> {
        if result.is_err() {
            self.abort_with(Cause::PROTOCOL_VIOLATION, b"message size", CloseReason::ProtocolViolation);
            return Err(Fault::MessageTooLong);
        }
        Ok(())
    }

    fn handle_abort(&mut self, abort: &Abort<'_>) -> Result<(), Fault> {
        if matches!(self.state, State::Ended | State::Closed) {
            return Err(Fault::Unexpected);
        }
        let first = abort.causes().next().and_then(Result::ok);
        let (cause, info) = first.map_or((0, &[][..]), |cause| (cause.code, cause.info));
        let reason = String::from_utf8_lossy(&info[..info.len().min(128)]).into_owned();
        self.end(CloseReason::PeerAborted { cause, reason });
        Ok(())
    }

    /// What may have become possible by what came.
    fn after_packet(&mut self) {
        self.perform_deferred_reset();
        self.advance_shutdown();
    }
}

impl Session {
    /// Whether the cumulative TSN moved. One too far ahead is not believed.
    fn forward(&mut self, cumulative: u64) -> Result<bool, Fault> {
        if cumulative > self.map.cumulative() + u64::from(u16::MAX) {
            return Err(Fault::TooFarAhead);
        }
        Ok(self.map.forward(cumulative))
    }

    #[inline]
    fn receive_data(
        &mut self,
        raw: RawChunk<'_>,
        inbox: &mut Inbox,
        events: &mut std::collections::VecDeque<Event>,
        seen: &mut Seen,
    ) -> Result<(), Fault> {
        seen.data = true;
        let (wire, immediate, mut chunk) = if raw.kind == Data::KIND {
            let data = Data::parse(raw)?;
            let number = Number::Ssn(data.ssn);
            let Data { tsn, stream, ppid, immediate, unordered, begin, end, payload, .. } = data;
            (tsn, immediate, Incoming { tsn: 0, stream, number, ppid, unordered, begin, end, payload })
        } else {
            let data = IData::parse(raw)?;
            let IData { tsn, stream, mid, ppid_or_fsn, immediate, unordered, begin, end, payload } = data;
            let (ppid, fsn) = if begin { (ppid_or_fsn, 0) } else { (0, ppid_or_fsn) };
            let number = Number::Mid { mid, fsn };
            (tsn, immediate, Incoming { tsn: 0, stream, number, ppid, unordered, begin, end, payload })
        };
        seen.urgent |= immediate;
        if chunk.payload.is_empty() || (raw.kind == IData::KIND) != self.interleaving {
            return Err(Fault::ProtocolViolation);
        }
        match self.map.look(wire) {
            Arrival::New(tsn) => chunk.tsn = tsn,
            Arrival::Duplicate => {
                self.map.note_duplicate(wire);
                seen.urgent = true;
                return Err(Fault::Duplicate);
            }
            Arrival::TooFarAhead => return Err(Fault::TooFarAhead),
        }
        if chunk.stream >= self.inbound_streams {
            // RFC 9260 §6.5: acknowledged all the same.
            self.map.insert(chunk.tsn);
            return Err(Fault::NoSuchStream);
        }
        let is_next = chunk.tsn == self.map.cumulative() + 1;
        match inbox.take(&chunk, is_next, events) {
            Ok(()) => {
                self.map.insert(chunk.tsn);
                Ok(())
            }
            Err(refusal) => {
                seen.urgent = true;
                self.is_exhausted = refusal == Refusal::Exhausted;
                Err(if refusal == Refusal::TooLong { Fault::MessageTooLong } else { Fault::NoRoom })
            }
        }
    }
}
