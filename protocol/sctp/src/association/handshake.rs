//! Coming into being: the four-way handshake (RFC 9260 §5.1), both ends beginning at once (§5.2.1, §5.2.4),
//! and both INITs known from SDP (draft-hancke-tsvwg-snap).

use std::error::Error;
use std::fmt;
use std::time::Instant;

use super::session::Session;
use super::{Association, State};
use crate::event::{CloseReason, Event};
use crate::fault::Fault;
use crate::packet::{Abort, Cause, CookieEcho, Init, InitAck, PacketWriter};
use crate::random::mix;
use crate::recovery::RoundTrip;
use crate::time::Time;

/// A chunk that is repeated until it is answered: INIT, COOKIE ECHO.
#[derive(Debug)]
pub(super) struct Retry {
    /// When it goes out again; `None`: now.
    pub(super) deadline: Option<Time>,
    sent_at: Time,
    attempts: u32,
    round_trip: RoundTrip,
}

/// We echoed the peer's cookie.
#[derive(Debug)]
pub(super) struct Echo {
    pub(super) retry: Retry,
    cookie: Vec<u8>,
    pub(super) session: Box<Session>,
}

/// The peer's INIT that we answered, and the cookie in the answer. The cookie is a number that nobody can
/// guess: what it stands for is kept here.
#[derive(Debug)]
pub(super) struct Answer {
    cookie: [u8; 16],
    peer: Init,
}

/// The peer's `sctp-init` cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadInit {
    /// It is not an INIT chunk.
    Malformed,
    /// This association was begun already; an `sctp-init` comes before that.
    AlreadyBegun,
}

impl fmt::Display for BadInit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "sctp-init is not an SCTP INIT chunk; have the peer send what its SCTP made",
            Self::AlreadyBegun => "the association was begun already; make a new one for a new sctp-init",
        })
    }
}

impl Error for BadInit {}

impl Retry {
    fn new(round_trip: RoundTrip) -> Self {
        Self { deadline: None, sent_at: Time::default(), attempts: 0, round_trip }
    }

    pub(super) fn sent(&mut self, now: Time) {
        self.deadline = Some(now.plus(self.round_trip.timeout()));
        self.sent_at = now;
        self.attempts += 1;
    }

    /// The answer came: measures the round trip, where it is clear which of several was answered.
    fn answered(mut self, now: Time) -> RoundTrip {
        self.round_trip.reset_backoff();
        if self.attempts == 1 {
            self.round_trip.measured(now.since(self.sent_at));
        }
        self.round_trip
    }

    /// Time passed. Whether to give up.
    pub(super) fn expire(&mut self, now: Time, most: u32) -> bool {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.round_trip.back_off();
            return self.attempts > most;
        }
        false
    }
}

impl Association {
    /// Begins the handshake. Both ends may.
    pub fn connect(&mut self, _now: Instant) {
        if matches!(self.state, State::Closed) {
            self.state = State::CookieWait(Retry::new(RoundTrip::new(&self.config)));
        }
    }

    /// The size of packets that every path carries, in bytes, in place of [`Config::packet_size`](crate::Config): what DTLS
    /// leaves of a datagram is known once it is up. Only before the handshake is begun.
    pub fn set_packet_size(&mut self, packet_size: usize) {
        if matches!(self.state, State::Closed) {
            self.config.packet_size = packet_size;
            self.config = std::mem::take(&mut self.config).within_bounds();
        }
    }

    /// Data goes another way from now on: what the one before carried says nothing of it. Discovery of what it does
    /// ([`Config::max_packet_size`](crate::Config)) ends at this size.
    pub fn leave_path(&mut self, max_packet_size: usize) {
        self.config.max_packet_size = max_packet_size;
        self.config = std::mem::take(&mut self.config).within_bounds();
        if let State::Open(session) = &mut self.state {
            session.leave_path(self.config.max_packet_size);
        }
    }

    /// Our INIT chunk, for `a=sctp-init` in SDP (base64). It changes nothing.
    pub fn local_init(&self) -> Vec<u8> {
        let mut chunk = Vec::with_capacity(64);
        self.local.write(&mut chunk);
        chunk
    }

    /// Whether these bytes would do as the peer's INIT chunk in [`Self::connect_with`].
    pub fn check_init(peer_init: &[u8]) -> Result<(), BadInit> {
        Init::parse_standalone(peer_init).map(drop).map_err(|_| BadInit::Malformed)
    }

    /// Begins without a handshake, since the peer's INIT chunk came in its SDP and ours in ours. Call it
    /// once DTLS is up.
    pub fn connect_with(&mut self, now: Instant, peer_init: &[u8]) -> Result<(), BadInit> {
        if !matches!(self.state, State::Closed) {
            return Err(BadInit::AlreadyBegun);
        }
        let peer = Init::parse_standalone(peer_init).map_err(|_| BadInit::Malformed)?;
        let now = self.clock.time(now);
        let session = self.make_session(now, &peer, RoundTrip::new(&self.config));
        self.establish(session);
        Ok(())
    }

    fn make_session(&self, now: Time, peer: &Init, round_trip: RoundTrip) -> Box<Session> {
        Session::new(now, &self.config, (&self.local, peer), round_trip, self.seed)
    }

    /// Appends INIT, or COOKIE ECHO, where it is due. After a COOKIE ECHO data may follow in the packet.
    pub(super) fn write_handshake(&mut self, now: Time, buffer: &mut Vec<u8>) -> bool {
        let (size, ports) = (self.config.packet_size, self.config.ports);
        match &mut self.state {
            State::CookieWait(retry) if retry.deadline.is_none() => {
                let mut writer = PacketWriter::new(buffer, size, ports, 0);
                self.local.write(writer.buffer());
                writer.finish(false);
                retry.sent(now);
                self.inits = self.inits.saturating_add(1);
                true
            }
            State::CookieEchoed(echo) if echo.retry.deadline.is_none() => {
                let mut writer = PacketWriter::new(buffer, size, ports, echo.session.peer_tag);
                CookieEcho { cookie: &echo.cookie }.write(writer.buffer());
                if echo.session.sender.is_ready(now, &self.outbox) {
                    echo.session.sender.write(now, &mut self.outbox, &mut writer);
                }
                // RFC 9653 §5.2: always with a checksum.
                writer.finish(false);
                echo.retry.sent(now);
                true
            }
            _ => false,
        }
    }

    /// RFC 9260 §5.1 B, §5.2.1, §5.2.2.
    pub(super) fn handle_init(&mut self, peer: &Init) -> Result<(), Fault> {
        self.inits = self.inits.saturating_add(1);
        match &self.state {
            State::Ended => return Err(Fault::Ended),
            State::Open(session) if session.peer_tag != peer.initiate_tag => {
                // Over DTLS a peer that lost its association has lost DTLS too: nothing to restart.
                let cause = Cause { code: Cause::RESTART, info: &[] };
                self.push_prepared(peer.initiate_tag, |out| Abort::write(out, false, cause));
                return Err(Fault::Restart);
            }
            _ => {}
        }
        let nonce = mix(self.seed ^ u64::from(peer.initiate_tag));
        let mut cookie = [0; 16];
        cookie[..8].copy_from_slice(&nonce.to_be_bytes());
        cookie[8..].copy_from_slice(&mix(nonce ^ self.seed).to_be_bytes());
        let ack = InitAck { init: self.local, cookie: &cookie };
        self.push_prepared(peer.initiate_tag, |out| ack.write(out));
        self.answer = Some(Answer { cookie, peer: *peer });
        Ok(())
    }

    /// RFC 9260 §5.1 C.
    pub(super) fn handle_init_ack(&mut self, now: Time, ack: &InitAck<'_>) -> Result<(), Fault> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::CookieWait(retry) => {
                let round_trip = retry.answered(now);
                let session = self.make_session(now, &ack.init, round_trip.clone());
                self.agree(&session);
                let retry = Retry::new(round_trip);
                self.state = State::CookieEchoed(Echo { retry, cookie: ack.cookie.to_vec(), session });
                Ok(())
            }
            state => {
                // RFC 9260 §5.2.3: one that comes again, or unasked.
                self.state = state;
                Err(Fault::Unexpected)
            }
        }
    }

    /// RFC 9260 §5.1 D, §5.2.4. Over DTLS every cookie is of this association, so that of §5.2.4's table only
    /// the rows B and D remain.
    pub(super) fn handle_cookie_echo(&mut self, now: Time, echo: &CookieEcho<'_>) -> Result<(), Fault> {
        let answer = self.answer.as_ref().filter(|answer| answer.cookie == echo.cookie);
        let peer = answer.ok_or(Fault::BadCookie)?.peer;
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Open(mut session) => {
                // Our COOKIE ACK got lost.
                session.cookie_ack_due |= session.peer_tag == peer.initiate_tag;
                self.state = State::Open(session);
            }
            State::CookieEchoed(Echo { mut session, .. }) if session.peer_tag == peer.initiate_tag => {
                session.cookie_ack_due = true;
                self.establish(session);
            }
            State::Closed | State::CookieWait(_) | State::CookieEchoed(_) => {
                let mut session = self.make_session(now, &peer, RoundTrip::new(&self.config));
                session.cookie_ack_due = true;
                self.establish(session);
            }
            State::Ended => {
                self.state = State::Ended;
                return Err(Fault::Ended);
            }
        }
        Ok(())
    }

    /// RFC 9260 §5.1 E.
    pub(super) fn handle_cookie_ack(&mut self, now: Time) -> Result<(), Fault> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::CookieEchoed(Echo { mut session, retry, .. }) => {
                if let Some(rtt) = retry.answered(now).smoothed() {
                    session.sender.measured(rtt);
                }
                self.state = State::Open(session);
                self.events.push_back(Event::Established);
                Ok(())
            }
            state => {
                // RFC 9260 §5.2.5: one that comes again.
                self.state = state;
                Err(Fault::Unexpected)
            }
        }
    }

    /// An ERROR said that our cookie came too late (RFC 9260 §5.2.6): begin anew.
    pub(super) fn handle_stale_cookie(&mut self) {
        if matches!(self.state, State::CookieEchoed(_)) {
            self.state = State::CookieWait(Retry::new(RoundTrip::new(&self.config)));
        }
    }

    pub(super) fn expire_handshake(&mut self, now: Time) {
        let most = self.config.max_init_retransmissions;
        let gives_up = match &mut self.state {
            State::CookieWait(retry) => retry.expire(now, most),
            State::CookieEchoed(echo) => echo.retry.expire(now, most),
            _ => false,
        };
        if gives_up {
            self.end(CloseReason::NoAnswer);
        }
    }
}
