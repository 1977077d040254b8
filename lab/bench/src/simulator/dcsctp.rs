//! The crate `dcsctp` (the SCTP of Chromium, in Rust): SCTP alone, as if in DTLS records.

use std::time::{Duration, Instant};

use dcsctp::api::{
    DcSctpSocket as _, Message, Options, PpId, SendOptions, SocketEvent, SocketTime, StreamId,
};

use super::stack::{End, Heard, Lane, Output, Pair};
use super::twocan_sctp::{PACKET, RECORD};

struct Socket {
    socket: dcsctp::api::Socket,
    start: Instant,
    buffer: Vec<u8>,
    is_open: bool,
}

pub(crate) fn pair(now: Instant) -> Pair {
    let end = |name| {
        let options = Options {
            mtu: PACKET,
            enable_message_interleaving: true,
            max_retransmissions: None,
            ..Options::default()
        };
        let socket = dcsctp::api::Socket::new(name, &options);
        Socket { socket, start: now, buffer: Vec::new(), is_open: false }
    };
    let (mut a, b) = (end("a"), end("b"));
    a.socket.connect();
    [Box::new(a), Box::new(b)]
}

impl Socket {
    fn time(&self, now: Instant) -> SocketTime {
        SocketTime::zero() + (now - self.start)
    }
}

impl End for Socket {
    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        self.socket.advance_time(self.time(now));
        self.socket.handle_input(&datagram[..datagram.len().saturating_sub(RECORD)]);
    }

    fn advance(&mut self, now: Instant, output: &mut Output) {
        self.socket.advance_time(self.time(now));
        while let Some(event) = self.socket.poll_event() {
            match event {
                SocketEvent::OnConnected() => self.is_open = true,
                SocketEvent::SendPacket(packet) => {
                    self.buffer.clear();
                    self.buffer.extend_from_slice(&packet);
                    self.buffer.resize(packet.len() + RECORD, 0);
                    output.send(&self.buffer);
                }
                _ => {}
            }
        }
        while let Some(message) = self.socket.get_next_message() {
            let lane = if message.stream_id == StreamId(0) { Lane::Bulk } else { Lane::Urgent };
            output.heard.push(Heard::new(lane, &message.payload, true));
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        let time = self.socket.poll_timeout();
        let never = SocketTime::zero() + Duration::from_secs(1 << 40);
        (time < never).then(|| self.start + (time - SocketTime::zero()))
    }

    fn is_open(&self) -> bool {
        self.is_open
    }

    fn send(&mut self, now: Instant, lane: Lane, message: &[u8]) -> bool {
        self.socket.advance_time(self.time(now));
        let message = Message::new(StreamId(lane as u16), PpId(53), message.to_vec());
        let options = SendOptions { unordered: lane == Lane::Urgent, ..SendOptions::default() };
        self.socket.send(message, &options).is_ok()
    }

    fn buffered(&mut self) -> usize {
        self.socket.buffered_amount(StreamId(Lane::Bulk as u16))
    }
}
