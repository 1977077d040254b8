//! Two associations that talk over a simulated path. A driver that calls `handle_timeout` only when told.

use std::time::{Duration, Instant};

use bytes::Bytes;
use twocan_sctp::packet::Packet;
use twocan_sctp::{Association, Config, Event, Options, ReceivedMessage};

use crate::link::{Conditions, Link};

/// An end, and what it told so far.
pub(crate) struct End {
    pub(crate) association: Association,
    pub(crate) events: Vec<Event>,
    pub(crate) messages: Vec<ReceivedMessage>,
    /// Keep messages, or only count them.
    pub(crate) keeps: bool,
    /// Take messages at all.
    pub(crate) takes: bool,
    pub(crate) received_bytes: u64,
    pub(crate) received_messages: u64,
    pub(crate) sent_packets: u64,
    pub(crate) link: Link,
    /// What it sent, where it is asked to write that down.
    pub(crate) trace: Option<Vec<String>>,
}

pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) start: Instant,
    pub(crate) a: End,
    pub(crate) b: End,
    buffer: Vec<u8>,
}

#[expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]
pub(crate) fn beginning() -> Instant {
    Instant::now()
}

pub(crate) fn config() -> Config {
    Config::default()
}

/// One that does not give up where the path is bad but not dead.
pub(crate) fn stubborn() -> Config {
    Config { max_retransmissions: 1000, max_init_retransmissions: 100, ..Config::default() }
}

impl End {
    fn new(now: Instant, config: Config, conditions: Conditions, seed: u64) -> Self {
        Self {
            association: Association::new(now, config, seed),
            events: Vec::new(),
            messages: Vec::new(),
            keeps: true,
            takes: true,
            received_bytes: 0,
            received_messages: 0,
            sent_packets: 0,
            link: Link::new(conditions, seed.wrapping_mul(31)),
            trace: None,
        }
    }

    pub(crate) fn poll(&mut self, now: Instant, buffer: &mut Vec<u8>) {
        if self.association.poll_timeout().is_some_and(|(time, _)| time <= now) {
            self.association.handle_timeout(now);
        }
        while self.takes
            && let Some(event) = self.association.poll_event()
        {
            match event {
                Event::Message(message) => {
                    self.received_bytes += message.data.len() as u64;
                    self.received_messages += u64::from(message.last);
                    if self.keeps {
                        self.messages.push(message);
                    } else {
                        self.association.recycle(message.data);
                    }
                }
                event => self.events.push(event),
            }
        }
        loop {
            buffer.clear();
            // Something of the caller's stands in front, as a DTLS header will.
            buffer.extend_from_slice(b"front");
            if self.association.poll_transmit(now, buffer).is_none() {
                assert_eq!(buffer, b"front", "nothing is appended without a packet");
                break;
            }
            let packet = &buffer[5..];
            self.sent_packets += 1;
            if let Some(trace) = &mut self.trace {
                let text = format!("{:?}", Packet::parse(packet).unwrap());
                trace.push(text.split_once(" | ").unwrap().1.to_owned());
            }
            self.link.send(now, packet);
        }
    }

    pub(crate) fn has(&self, event: &Event) -> bool {
        self.events.contains(event)
    }
}

impl Pair {
    /// Both ends, not yet connected.
    pub(crate) fn with(configs: (Config, Config), conditions: (Conditions, Conditions), seed: u64) -> Self {
        let now = beginning();
        Self {
            now,
            start: now,
            a: End::new(now, configs.0, conditions.0, seed * 2 + 1),
            b: End::new(now, configs.1, conditions.1, seed * 2 + 2),
            buffer: Vec::new(),
        }
    }

    /// Both ends, established, on a path with these conditions each way.
    pub(crate) fn connected(config: Config, conditions: Conditions, seed: u64) -> Self {
        let mut pair = Self::with((config.clone(), config), (conditions, conditions), seed);
        pair.a.association.connect(pair.now);
        assert!(pair.run_until(Duration::from_secs(600), |pair| {
            pair.a.has(&Event::Established) && pair.b.has(&Event::Established)
        }));
        pair
    }

    /// Sends from A to B.
    pub(crate) fn send(&mut self, stream: u16, bytes: impl Into<Bytes>, options: Options) {
        self.a.association.send(self.now, stream, 51, bytes.into(), options).unwrap();
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Lets both ends do what they can at this moment, until nothing changes.
    pub(crate) fn settle(&mut self) {
        let Self { now, a, b, buffer, .. } = self;
        loop {
            a.poll(*now, buffer);
            b.poll(*now, buffer);
            let mut any = false;
            a.link.receive(*now, |packet| {
                any = true;
                let _ = b.association.handle_packet(*now, packet);
            });
            b.link.receive(*now, |packet| {
                any = true;
                let _ = a.association.handle_packet(*now, packet);
            });
            let is_due = |end: &End| end.association.poll_timeout().is_some_and(|(time, _)| time <= *now);
            if !any && !is_due(a) && !is_due(b) {
                return;
            }
        }
    }

    /// When something happens next.
    pub(crate) fn next_wake_up(&self) -> Option<Instant> {
        let timeout = |end: &End| end.association.poll_timeout().map(|(time, _)| time);
        [timeout(&self.a), timeout(&self.b), self.a.link.next_arrival(), self.b.link.next_arrival()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Jumps from wake-up to wake-up until `is_done`, for `most` of virtual time. Whether it got done.
    pub(crate) fn run_until(&mut self, most: Duration, mut is_done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + most;
        loop {
            self.settle();
            if is_done(self) {
                return true;
            }
            match self.next_wake_up() {
                Some(next) if next <= end => self.now = next.max(self.now),
                _ => {
                    self.now = end;
                    return false;
                }
            }
        }
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        self.run_until(span, |_| false);
    }
}
