//! Every deadline of an association, and what happens when it comes (RFC 9260 §6.3, §8.1 to §8.3).

use super::session::Phase;
use super::{Association, State, earlier};
use crate::Reason;
use crate::event::CloseReason;
use crate::time::Time;

impl Association {
    pub(super) fn deadline(&self) -> Option<(Time, Reason)> {
        match &self.state {
            State::Closed | State::Ended => None,
            State::CookieWait(retry) => Some((retry.deadline?, Reason::Handshake)),
            State::CookieEchoed(echo) => Some((echo.retry.deadline?, Reason::Handshake)),
            State::Open(session) => {
                let mut first = session.sender.timeout(&self.outbox);
                for (time, reason) in [
                    (session.acknowledger.deadline(), Reason::Sack),
                    (session.heartbeats.deadline(), Reason::Heartbeat),
                    (session.path_mtu.deadline(), Reason::PathMtu),
                    (session.resets.deadline(), Reason::StreamReset),
                    (session.shutdown_timer, Reason::Shutdown),
                ] {
                    first = earlier(first, time.map(|time| (time, reason)));
                }
                first
            }
        }
    }

    pub(super) fn expire(&mut self, now: Time) {
        self.expire_handshake(now);
        let State::Open(session) = &mut self.state else { return };
        session.acknowledger.handle_timeout(now);
        if session.sender.handle_timeout(now, &self.outbox)
            && session.sender.timeouts >= 2
            && let Some(size) = session.path_mtu.black_hole(now)
        {
            session.packet_size = size;
        }
        session.path_mtu.expire(now);
        if session.resets.expire(now) {
            session.sender.timeouts += 1;
        }
        if session.heartbeats.deadline().is_some_and(|time| time <= now) {
            let is_idle = session.sender.is_idle() && self.outbox.is_empty();
            let timeout = session.sender.round_trip().timeout();
            if session.heartbeats.expire(now, timeout, is_idle) {
                session.sender.timeouts += 1;
            }
            if is_idle {
                session.sender.shrink();
                session.map.shrink();
                self.outbox.shrink();
                self.inbox.shrink();
                self.events.shrink_to_fit();
            }
        }
        if session.shutdown_timer.is_some_and(|time| time <= now) {
            session.shutdown_timer = None;
            session.shutdown_due = matches!(session.phase, Phase::ShutdownSent | Phase::ShutdownAckSent);
            session.sender.timeouts += 1;
        }
        if session.sender.timeouts > self.config.max_retransmissions {
            self.abort_with(crate::packet::Cause::USER_INITIATED, b"timeout", CloseReason::TimedOut);
        }
    }
}
