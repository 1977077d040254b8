//! The end: shutdown, which delivers everything first (RFC 9260 §9.2), and abort (§9.1).

use super::session::Phase;
use super::{Association, State};
use crate::event::CloseReason;
use crate::fault::Fault;
use crate::packet::{Abort, Cause, PacketWriter, Shutdown, ShutdownAck, ShutdownComplete};
use crate::serial::low;
use crate::time::Time;

impl Association {
    /// Ends the association once everything queued was delivered. Nothing more can be sent.
    pub fn shutdown(&mut self) {
        match &mut self.state {
            State::Open(session) if session.phase == Phase::Established => {
                session.phase = Phase::ShutdownPending;
                // There may be nothing to wait for.
                self.advance_shutdown();
            }
            State::Open(_) => {}
            _ => self.end(CloseReason::Shutdown),
        }
    }

    /// Ends the association at once; the peer is told `reason`, of which it gets at most 128 bytes.
    pub fn abort(&mut self, reason: &str) {
        let mut length = reason.len().min(128);
        while !reason.is_char_boundary(length) {
            length -= 1;
        }
        self.abort_with(Cause::USER_INITIATED, &reason.as_bytes()[..length], CloseReason::Aborted);
    }

    pub(super) fn abort_with(&mut self, code: u16, info: &[u8], reason: CloseReason) {
        let tag = match &self.state {
            State::Open(session) => Some(session.peer_tag),
            State::CookieEchoed(echo) => Some(echo.session.peer_tag),
            _ => None,
        };
        if let Some(tag) = tag {
            self.push_prepared(tag, |out| Abort::write(out, false, Cause { code, info }));
        }
        self.end(reason);
    }

    /// Takes the next step of a shutdown, where everything was delivered.
    pub(super) fn advance_shutdown(&mut self) {
        let State::Open(session) = &mut self.state else { return };
        if session.phase == Phase::Established || !self.outbox.is_empty() || !session.sender.is_idle() {
            return;
        }
        let next = match session.phase {
            Phase::ShutdownPending => Phase::ShutdownSent,
            Phase::ShutdownReceived => Phase::ShutdownAckSent,
            _ => return,
        };
        session.phase = next;
        session.shutdown_due = true;
    }

    pub(super) fn handle_shutdown(&mut self, now: Time, shutdown: Shutdown) -> Result<(), Fault> {
        let State::Open(session) = &mut self.state else { return Err(Fault::Unexpected) };
        let acked = session.sender.handle_cumulative(now, shutdown.cumulative_tsn_ack, &mut self.outbox);
        match session.phase {
            Phase::Established | Phase::ShutdownPending => session.phase = Phase::ShutdownReceived,
            Phase::ShutdownSent | Phase::ShutdownAckSent => {
                session.phase = Phase::ShutdownAckSent;
                session.shutdown_due = true;
            }
            Phase::ShutdownReceived => {}
        }
        self.advance_shutdown();
        if acked == Err(Fault::StaleSack) { Ok(()) } else { acked }
    }

    pub(super) fn handle_shutdown_ack(&mut self) -> Result<(), Fault> {
        match &self.state {
            State::Open(session) if matches!(session.phase, Phase::ShutdownSent | Phase::ShutdownAckSent) => {
                let tag = session.peer_tag;
                self.push_prepared(tag, |out| ShutdownComplete { reflected: false }.write(out));
                self.end(CloseReason::Shutdown);
                Ok(())
            }
            State::Ended => {
                // Our SHUTDOWN COMPLETE got lost (RFC 9260 §8.4, rule 5).
                let tag = self.local.initiate_tag;
                self.push_prepared(tag, |out| ShutdownComplete { reflected: true }.write(out));
                Ok(())
            }
            _ => Err(Fault::Unexpected),
        }
    }

    pub(super) fn handle_shutdown_complete(&mut self) -> Result<(), Fault> {
        match &self.state {
            State::Open(session) if session.phase == Phase::ShutdownAckSent => {
                self.end(CloseReason::Shutdown);
                Ok(())
            }
            _ => Err(Fault::Unexpected),
        }
    }
}

impl super::session::Session {
    /// Appends SHUTDOWN or SHUTDOWN ACK, where due.
    pub(super) fn write_shutdown(&mut self, now: Time, writer: &mut PacketWriter<'_>) {
        if !self.shutdown_due || writer.room() < 8 {
            return;
        }
        match self.phase {
            Phase::ShutdownSent => {
                Shutdown { cumulative_tsn_ack: low(self.map.cumulative()) }.write(writer.buffer());
            }
            Phase::ShutdownAckSent => ShutdownAck.write(writer.buffer()),
            _ => {}
        }
        self.shutdown_due = false;
        self.shutdown_timer = Some(now.plus(self.sender.round_trip().timeout()));
    }
}
