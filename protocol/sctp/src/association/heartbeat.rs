//! Is the path alive? (RFC 9260 §8.3)

use super::{Association, State};
use crate::fault::Fault;
use crate::packet::{self, HeartbeatAck};
use crate::random::mix;
use crate::time::{Nanos, Time};

/// HEARTBEATs of the peer's that wait for their answer.
const MAX_ANSWERS: usize = 4;
/// Bytes of such a HEARTBEAT's info.
const MAX_INFO: usize = 256;

/// What we put into a HEARTBEAT: a number that only we know, when it left, the size that it probes (zero:
/// none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) nonce: u64,
    pub(super) sent_at: Time,
    pub(super) probed: u32,
}

impl Info {
    pub(super) fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.nonce.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.sent_at.to_nanos().to_be_bytes());
        bytes[16..].copy_from_slice(&self.probed.to_be_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = wire::Reader::new(bytes);
        let nonce = reader.u64().ok()?;
        let sent_at = Time::from_nanos(reader.u64().ok()?);
        let probed = reader.u32().ok()?;
        reader.is_empty().then_some(Self { nonce, sent_at, probed })
    }
}

#[derive(Debug)]
pub(super) struct Heartbeats {
    interval: Nanos,
    /// When the next is due; none with an interval of zero.
    next: Option<Time>,
    is_due: bool,
    nonce: u64,
    /// The one that waits for its answer.
    waiting: Option<Info>,
    answers: Vec<Vec<u8>>,
}

impl Heartbeats {
    pub(super) fn new(now: Time, interval: Nanos, timeout: Nanos, seed: u64) -> Self {
        let next = (interval > 0).then(|| now.plus(interval + timeout));
        Self { interval, next, is_due: false, nonce: mix(seed ^ 3), waiting: None, answers: Vec::new() }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.next
    }

    /// The peer wants this back.
    pub(super) fn queue_answer(&mut self, info: &[u8]) -> Result<(), Fault> {
        if self.answers.len() >= MAX_ANSWERS || info.len() > MAX_INFO {
            return Err(Fault::TooManyHeartbeats);
        }
        self.answers.push(info.to_vec());
        Ok(())
    }

    /// Appends what is due, as far as it fits.
    #[inline]
    pub(super) fn write(&mut self, now: Time, writer: &mut packet::PacketWriter<'_>) {
        while let Some(info) = self.answers.pop_if(|info| writer.room() >= info.len() + 12) {
            HeartbeatAck { info: &info }.write(writer.buffer());
        }
        if self.is_due && writer.room() >= 32 {
            self.is_due = false;
            self.nonce = mix(self.nonce);
            let info = Info { nonce: self.nonce, sent_at: now, probed: 0 };
            packet::Heartbeat { info: &info.to_bytes() }.write(writer.buffer());
            self.waiting = Some(info);
        }
    }

    /// The time came. Whether the last one had no answer.
    pub(super) fn expire(&mut self, now: Time, timeout: Nanos, is_idle: bool) -> bool {
        self.next = Some(now.plus(self.interval + timeout));
        self.is_due = is_idle;
        self.waiting.take().is_some()
    }
}

impl Association {
    pub(super) fn handle_heartbeat_ack(&mut self, now: Time, ack: &HeartbeatAck<'_>) -> Result<(), Fault> {
        let State::Open(session) = &mut self.state else { return Err(Fault::Unexpected) };
        let info = Info::parse(ack.info).ok_or(Fault::BadHeartbeat)?;
        if session.heartbeats.waiting == Some(info) {
            session.heartbeats.waiting = None;
            session.sender.timeouts = 0;
            session.sender.measured(now.since(info.sent_at));
            return Ok(());
        }
        let size = session.path_mtu.confirmed(now, info).ok_or(Fault::BadHeartbeat)?;
        session.packet_size = size;
        Ok(())
    }
}
