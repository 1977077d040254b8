//! The handshake's datagrams on their way out, with alerts and acknowledgements (RFC 9147 §5.5, §7).

use std::time::Instant;

use super::Dtls;
use crate::handshake::State;
use crate::message::{ack, alert};
use crate::record::content_type::ContentType;

/// A datagram that was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Its length, in bytes.
    pub length: usize,
    /// To which flight of the handshake it belongs. They count up: datagrams of an earlier flight need not be sent any
    /// more, wherever they wait. `None`: an alert or an acknowledgement, which belongs to none.
    pub flight: Option<u32>,
}

impl Dtls {
    /// Appends the next datagram of the handshake to `buffer`. It can travel in any way: on its own, or inside of a
    /// STUN message.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        self.core.now = now;
        let start = buffer.len();
        let flight = if self.write_alert(buffer) || self.write_ack(now, buffer) {
            None
        } else if self.write_flight(now, buffer) {
            Some(self.core.flight.number())
        } else {
            return None;
        };
        Some(Transmit { length: buffer.len() - start, flight })
    }

    fn write_alert(&mut self, buffer: &mut Vec<u8>) -> bool {
        let Some(description) = self.core.alert.take() else { return false };
        let writing = &mut self.core.writing;
        let epoch = writing.epoch();
        let bytes = alert::bytes(description);
        writing.put(epoch, ContentType::Alert, buffer, |out| out.extend_from_slice(&bytes)).is_ok()
    }

    fn write_ack(&mut self, now: Instant, buffer: &mut Vec<u8>) -> bool {
        let Some(numbers) = self.core.acks.due(now) else { return false };
        let writing = &mut self.core.writing;
        let epoch = writing.epoch();
        writing.put(epoch, ContentType::Ack, buffer, |out| ack::write(out, numbers)).is_ok()
    }

    fn write_flight(&mut self, now: Instant, buffer: &mut Vec<u8>) -> bool {
        if let State::Complete(complete) = &mut self.state {
            complete.prepare_update(&mut self.core);
        }
        let core = &mut self.core;
        core.flight.write(now, &mut core.writing, core.mtu, buffer)
    }
}
