//! Streams begin anew (RFC 6525 §5), which is how data channels close (RFC 8831 §6.7).
//!
//! One request of ours is under way at a time; streams that wait for theirs are bounded by the number of
//! streams. Of the peer's requests only Outgoing SSN Reset is granted: WebRTC uses no other.

use super::{Association, State};
use crate::event::Event;
use crate::fault::Fault;
use crate::packet::{
    OutgoingReset, PacketWriter, ReConfig, ReConfigParameter, ReConfigResponse, ReConfigResult, StreamList,
};
use crate::send::{Outbox, SendError, Sender};
use crate::serial::{expand, low};
use crate::time::Time;

/// Streams that one request names at most, so that it fits into the smallest packet.
const MAX_STREAMS: usize = 200;

/// Our request that waits for its answer.
#[derive(Debug)]
struct Request {
    number: u32,
    streams: Vec<[u8; 2]>,
    last_assigned_tsn: u32,
    is_due: bool,
    timer: Option<Time>,
}

/// The peer's request that waits for data before it.
#[derive(Debug)]
struct Deferred {
    last_assigned_tsn: u64,
    streams: Vec<u16>,
}

#[derive(Debug)]
pub(super) struct Resets {
    next_request: u32,
    request: Option<Request>,
    /// Streams that shall be reset, once all of theirs was sent.
    pending: Vec<u16>,
    /// The number of the peer's last request, and what came of it.
    last_request: u32,
    last_result: ReConfigResult,
    deferred: Option<Deferred>,
    /// Answers to be sent: a RE-CONFIG carries up to two.
    responses: Vec<ReConfigResponse>,
}

impl Resets {
    pub(super) fn new(local_tsn: u32, peer_tsn: u32) -> Self {
        Self {
            next_request: local_tsn,
            request: None,
            pending: Vec::new(),
            last_request: peer_tsn.wrapping_sub(1),
            last_result: ReConfigResult::Nothing,
            deferred: None,
            responses: Vec::new(),
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.request.as_ref()?.timer
    }

    /// Time passed. Whether our request had no answer.
    pub(super) fn expire(&mut self, now: Time) -> bool {
        let Some(request) = &mut self.request else { return false };
        let has_expired = request.timer.is_some_and(|time| time <= now);
        if has_expired {
            request.timer = None;
            request.is_due = true;
        }
        has_expired
    }

    #[inline]
    fn has_nothing(&self) -> bool {
        self.responses.is_empty() && self.pending.is_empty() && self.request.is_none()
    }

    /// Appends answers and requests that are due.
    #[inline]
    pub(super) fn write(
        &mut self,
        now: Time,
        (sender, outbox): (&Sender, &Outbox),
        writer: &mut PacketWriter<'_>,
    ) {
        if self.has_nothing() {
            return;
        }
        while !self.responses.is_empty() && writer.room() >= 28 {
            let mut responses = self.responses.drain(..self.responses.len().min(2));
            if let Some(first) = responses.next().map(ReConfigParameter::Response) {
                let second = responses.next().map(ReConfigParameter::Response);
                ReConfig { first, second }.write(writer.buffer());
            }
        }
        self.make_request(sender, outbox);
        let Some(request) = &mut self.request else { return };
        if request.is_due && writer.room() >= 20 + 2 * request.streams.len() {
            let first = ReConfigParameter::OutgoingReset(OutgoingReset {
                request: request.number,
                response: self.last_request,
                last_assigned_tsn: request.last_assigned_tsn,
                streams: StreamList::new(&request.streams),
            });
            ReConfig { first, second: None }.write(writer.buffer());
            request.is_due = false;
            request.timer = Some(now.plus(sender.round_trip().timeout()));
        }
    }

    fn make_request(&mut self, sender: &Sender, outbox: &Outbox) {
        if self.request.is_some() || self.pending.is_empty() {
            return;
        }
        let mut streams = Vec::new();
        self.pending.retain(|stream| {
            let is_ready = streams.len() < MAX_STREAMS && outbox.is_drained(*stream);
            if is_ready {
                streams.push(stream.to_be_bytes());
            }
            !is_ready
        });
        if !streams.is_empty() {
            let number = self.next_request;
            self.next_request = number.wrapping_add(1);
            let last_assigned_tsn = low(sender.last_tsn());
            self.request = Some(Request { number, streams, last_assigned_tsn, is_due: true, timer: None });
        }
    }

    fn respond(&mut self, request: u32, result: ReConfigResult) {
        self.last_request = request;
        self.last_result = result;
        self.responses.retain(|response| response.request != request);
        self.responses.push(ReConfigResponse { request, result });
    }
}

impl Association {
    /// Resets streams that we send on, once everything queued for them has been sent: both ends then start
    /// counting anew. [`Event::StreamsReset`] tells the end; until then nothing can be sent on them.
    pub fn reset_streams(&mut self, streams: &[u16]) -> Result<(), SendError> {
        let State::Open(session) = &mut self.state else { return Err(SendError::Closed) };
        if streams.iter().any(|stream| *stream >= session.outbound_streams) {
            return Err(SendError::NoSuchStream);
        }
        if !session.reconfig {
            // The peer cannot; counting goes on.
            self.events.push_back(Event::StreamsReset { streams: streams.to_vec(), performed: false });
            return Ok(());
        }
        for stream in streams {
            let is_under_way = session
                .resets
                .request
                .as_ref()
                .is_some_and(|request| request.streams.contains(&stream.to_be_bytes()));
            if !is_under_way && !session.resets.pending.contains(stream) {
                self.outbox.begin_reset(*stream);
                session.resets.pending.push(*stream);
            }
        }
        Ok(())
    }

    pub(super) fn handle_reconfig(&mut self, chunk: &ReConfig<'_>) -> Result<(), Fault> {
        let second = chunk.second.as_ref().map_or(Ok(()), |second| self.handle_reconfig_parameter(second));
        self.handle_reconfig_parameter(&chunk.first).and(second)
    }

    fn handle_reconfig_parameter(&mut self, parameter: &ReConfigParameter<'_>) -> Result<(), Fault> {
        let State::Open(session) = &mut self.state else { return Err(Fault::Unexpected) };
        let number = match parameter {
            ReConfigParameter::Response(response) => return self.handle_response(*response),
            ReConfigParameter::OutgoingReset(reset) => reset.request,
            ReConfigParameter::IncomingReset(reset) => reset.request,
            ReConfigParameter::TsnReset { request } => *request,
            ReConfigParameter::AddOutgoing(add) | ReConfigParameter::AddIncoming(add) => add.request,
        };
        let resets = &mut session.resets;
        let is_repeated = number == resets.last_request;
        if !is_repeated && number != resets.last_request.wrapping_add(1) {
            resets
                .responses
                .push(ReConfigResponse { request: number, result: ReConfigResult::BadSequenceNumber });
            resets.responses.truncate(2);
            return Err(Fault::BadReConfig);
        }
        if is_repeated && resets.last_result != ReConfigResult::InProgress {
            resets.respond(number, resets.last_result);
            return Ok(());
        }
        let ReConfigParameter::OutgoingReset(reset) = parameter else {
            resets.respond(number, ReConfigResult::Denied);
            return Ok(());
        };
        let last_assigned_tsn = expand(session.map.cumulative(), reset.last_assigned_tsn);
        resets.respond(number, ReConfigResult::InProgress);
        resets.deferred = Some(Deferred { last_assigned_tsn, streams: reset.streams.iter().collect() });
        // Where nothing is missing it is done before the answer leaves.
        self.perform_deferred_reset();
        Ok(())
    }

    /// RFC 6525 §5.2.2: done once everything that was sent before the reset is here.
    pub(super) fn perform_deferred_reset(&mut self) {
        let State::Open(session) = &mut self.state else { return };
        let cumulative = session.map.cumulative();
        let Some(deferred) =
            session.resets.deferred.take_if(|deferred| deferred.last_assigned_tsn <= cumulative)
        else {
            return;
        };
        let request = session.resets.last_request;
        session.resets.respond(request, ReConfigResult::Performed);
        let streams = if deferred.streams.is_empty() { self.inbox.streams() } else { deferred.streams };
        for stream in &streams {
            self.inbox.reset(*stream, &mut self.events);
        }
        self.events.push_back(Event::IncomingStreamsReset { streams });
    }

    fn handle_response(&mut self, response: ReConfigResponse) -> Result<(), Fault> {
        let State::Open(session) = &mut self.state else { return Err(Fault::Unexpected) };
        let is_ours = |request: &mut Request| request.number == response.request;
        if response.result == ReConfigResult::InProgress {
            // The timer asks again.
            return Ok(());
        }
        let request = session.resets.request.take_if(is_ours).ok_or(Fault::BadReConfig)?;
        let performed = matches!(response.result, ReConfigResult::Performed | ReConfigResult::Nothing);
        let streams: Vec<u16> = request.streams.into_iter().map(u16::from_be_bytes).collect();
        for stream in &streams {
            self.outbox.finish_reset(*stream, performed);
        }
        self.events.push_back(Event::StreamsReset { streams, performed });
        Ok(())
    }
}
