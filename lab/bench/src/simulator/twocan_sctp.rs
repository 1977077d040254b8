//! Our SCTP alone, as if in DTLS records.

use std::time::Instant;

use sctp::{Association, Config, Event, Options};

use super::stack::{End, Heard, Lane, Output, Pair};

/// Bytes that a record of DTLS 1.3 adds: so that nobody gains by having none.
pub(crate) const RECORD: usize = 24;
/// The SCTP packets of our peer connection, which leaves room in 1,200 bytes for the longest record there is.
pub(crate) const PACKET: usize = 1160;
/// What ours may keep while something before it is missing. The others keep their defaults: wider windows make them
/// overshoot the buffer and take seconds to repair that.
pub(crate) const WINDOW: usize = 64 << 20;

struct Alone {
    association: Association,
    buffer: Vec<u8>,
    is_open: bool,
}

pub(crate) fn pair(now: Instant, seed: u64) -> Pair {
    let end = |seed| {
        let config = Config { packet_size: PACKET, receive_window: WINDOW, ..Config::default() };
        Alone { association: Association::new(now, config, seed), buffer: Vec::new(), is_open: false }
    };
    let (mut a, b) = (end(seed * 2 + 1), end(seed * 2 + 2));
    a.association.connect(now);
    [Box::new(a), Box::new(b)]
}

fn stream(lane: Lane) -> u16 {
    match lane {
        Lane::Bulk => 0,
        Lane::Urgent => 1,
    }
}

impl End for Alone {
    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        let packet = &datagram[..datagram.len().saturating_sub(RECORD)];
        // A fault is counted.
        let _ = self.association.handle_packet(now, packet);
    }

    fn advance(&mut self, now: Instant, output: &mut Output) {
        if self.deadline().is_some_and(|time| time <= now) {
            self.association.handle_timeout(now);
        }
        while let Some(event) = self.association.poll_event() {
            match event {
                Event::Established => self.is_open = true,
                Event::Message(message) => {
                    let lane = if message.stream == 0 { Lane::Bulk } else { Lane::Urgent };
                    output.heard.push(Heard::new(lane, &message.data, message.first));
                    self.association.recycle(message.data);
                }
                _ => {}
            }
        }
        loop {
            self.buffer.clear();
            if self.association.poll_transmit(now, &mut self.buffer).is_none() {
                return;
            }
            self.buffer.resize(self.buffer.len() + RECORD, 0);
            output.send(&self.buffer);
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        self.association.poll_timeout().map(|(time, _)| time)
    }

    fn is_open(&self) -> bool {
        self.is_open
    }

    fn send(&mut self, now: Instant, lane: Lane, message: &[u8]) -> bool {
        let options = Options { unordered: lane == Lane::Urgent, ..Options::default() };
        self.association.send_copy(now, stream(lane), 53, message, options).is_ok()
    }

    fn buffered(&mut self) -> usize {
        self.association.buffered_amount(stream(Lane::Bulk))
    }
}
