//! Packets on their way out (RFC 9260 §6.10: control chunks first, then data; at most one SACK).

use super::session::Session;
use super::{Association, State, Transmit};
use crate::packet::{Cause, CookieAck, ErrorChunk, PacketWriter};
use crate::receive::Inbox;
use crate::send::Outbox;
use crate::time::Time;

impl Association {
    pub(super) fn transmit(&mut self, now: Time, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if let Some((tag, chunk)) = self.prepared.pop_front() {
            let mut writer = PacketWriter::new(
                buffer,
                chunk.len() + crate::packet::COMMON_HEADER_LEN,
                self.config.ports,
                tag,
            );
            writer.buffer().extend_from_slice(&chunk);
            writer.finish(false);
            return Some(Transmit::default());
        }
        match &mut self.state {
            State::Open(session) => {
                session.transmit(now, self.config.ports, &mut self.outbox, &self.inbox, buffer)
            }
            State::Closed | State::Ended => None,
            _ => self.write_handshake(now, buffer).then(Transmit::default),
        }
    }
}

impl Session {
    #[inline]
    fn transmit(
        &mut self,
        now: Time,
        ports: (u16, u16),
        outbox: &mut Outbox,
        inbox: &Inbox,
        buffer: &mut Vec<u8>,
    ) -> Option<Transmit> {
        let mut writer = PacketWriter::new(buffer, self.packet_size, ports, self.peer_tag);
        if self.cookie_ack_due {
            self.cookie_ack_due = false;
            CookieAck.write(writer.buffer());
        }
        let has_data = self.sender.is_ready(now, outbox);
        if self.acknowledger.is_due() || (has_data && self.acknowledger.is_wanted()) {
            let window = inbox.window();
            let a_rwnd = u32::try_from(window).unwrap_or(u32::MAX);
            let room = writer.room();
            self.map.write_sack(writer.buffer(), a_rwnd, room);
            self.acknowledger.sent(window);
        }
        self.heartbeats.write(now, &mut writer);
        self.resets.write(now, (&self.sender, outbox), &mut writer);
        self.write_shutdown(now, &mut writer);
        if !self.unknown_chunk.is_empty() && writer.room() >= self.unknown_chunk.len() + 12 {
            let cause = Cause { code: Cause::UNRECOGNIZED_CHUNK, info: &self.unknown_chunk };
            ErrorChunk::write(writer.buffer(), cause);
            self.unknown_chunk.clear();
        }
        self.sender.write_skip(now, outbox, &mut writer);
        if has_data {
            self.path_mtu.on_waiting(now, outbox.total_buffered());
            self.sender.write(now, outbox, &mut writer);
            // What was given up just now can be told just now.
            self.sender.write_skip(now, outbox, &mut writer);
        }
        let mut transmit = Transmit::default();
        if writer.is_empty() {
            if !self.path_mtu.is_due() {
                writer.cancel();
                return None;
            }
            self.path_mtu.write(now, &mut writer);
            transmit.is_probe = true;
        }
        writer.finish(self.zero_checksum);
        Some(transmit)
    }
}
