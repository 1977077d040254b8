//! Two ends and the network between them, in virtual time: everything follows from the seed.

use std::time::{Duration, Instant};

use crate::dtls::{Config, Role};
use crate::ends::{End, start};

/// What the network does to datagrams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// In 1,000.
    pub(crate) loss: u64,
    pub(crate) duplication: u64,
    /// One way.
    pub(crate) delay: Duration,
    /// Added to some datagrams, which are then late.
    pub(crate) jitter: Duration,
}

pub(crate) const CALM: Weather =
    Weather { loss: 0, duplication: 0, delay: Duration::from_millis(10), jitter: Duration::ZERO };

#[derive(Debug)]
struct Datagram {
    due: Instant,
    order: u64,
    to_server: bool,
    bytes: Vec<u8>,
}

pub(crate) struct Link {
    pub(crate) client: End,
    pub(crate) server: End,
    pub(crate) now: Instant,
    pub(crate) weather: Weather,
    /// Everything that was sent, in order.
    pub(crate) sent: Vec<(bool, Vec<u8>)>,
    flying: Vec<Datagram>,
    pub(crate) random: u64,
    count: u64,
}

impl Link {
    pub(crate) fn new(client: Config, server: Config) -> Self {
        let now = start();
        let client = End::new(client, Role::Client, 1, now);
        let server = End::new(server, Role::Server, 2, now);
        Self::of(client, server, now)
    }

    pub(crate) fn of(mut client: End, mut server: End, now: Instant) -> Self {
        client.dtls.set_peer_fingerprints(now, &[server.fingerprint()]).unwrap();
        server.dtls.set_peer_fingerprints(now, &[client.fingerprint()]).unwrap();
        Self::strangers(client, server, now)
    }

    /// Ends that do not know yet who the other is.
    pub(crate) fn strangers(client: End, server: End, now: Instant) -> Self {
        Self { client, server, now, weather: CALM, sent: Vec::new(), flying: Vec::new(), random: 1, count: 0 }
    }

    pub(crate) fn in_weather(mut self, weather: Weather, seed: u64) -> Self {
        self.weather = weather;
        self.random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        self
    }

    pub(crate) fn random(&mut self, below: u64) -> u64 {
        // xorshift64*
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below.max(1)
    }

    pub(crate) fn send(&mut self, to_server: bool, bytes: Vec<u8>) {
        let copies = if self.random(1000) < self.weather.duplication { 2 } else { 1 };
        for _ in 0..copies {
            if self.random(1000) < self.weather.loss {
                continue;
            }
            let jitter = self.random(u64::try_from(self.weather.jitter.as_micros()).unwrap());
            let due = self.now + self.weather.delay + Duration::from_micros(jitter);
            self.count += 1;
            self.flying.push(Datagram { due, order: self.count, to_server, bytes: bytes.clone() });
        }
        self.sent.push((to_server, bytes));
    }

    /// Both ends say what they have to say.
    pub(crate) fn flush(&mut self) {
        for datagram in self.client.transmit(self.now) {
            self.send(true, datagram);
        }
        for datagram in self.server.transmit(self.now) {
            self.send(false, datagram);
        }
    }

    /// Goes on to whatever happens next, at most until `end`. Returns whether anything did.
    pub(crate) fn step(&mut self, end: Instant) -> bool {
        self.flush();
        let timeouts = [self.client.dtls.poll_timeout(), self.server.dtls.poll_timeout()];
        let timeout = timeouts.into_iter().flatten().map(|(at, _)| at).min();
        let arrival = self.flying.iter().map(|datagram| datagram.due).min();
        let Some(next) = [timeout, arrival].into_iter().flatten().min().filter(|next| *next <= end) else {
            self.now = self.now.max(end);
            return false;
        };
        self.now = self.now.max(next);
        for end in [&mut self.client, &mut self.server] {
            // A driver calls only when it was told to.
            if end.dtls.poll_timeout().is_some_and(|(at, _)| at <= self.now) {
                end.dtls.handle_timeout(self.now);
                end.events();
            }
        }
        self.flying.sort_by_key(|datagram| (datagram.due, datagram.order));
        let later = self.flying.partition_point(|datagram| datagram.due <= self.now);
        let arrived: Vec<_> = self.flying.drain(..later).collect();
        for datagram in arrived {
            let end = if datagram.to_server { &mut self.server } else { &mut self.client };
            end.receive(self.now, datagram.bytes);
        }
        self.flush();
        true
    }

    /// Runs for at most this long, or until `is_done`. Returns whether it was.
    pub(crate) fn run_until(&mut self, time: Duration, is_done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + time;
        // Far more steps than any handshake takes: a loop that makes no progress is a fault.
        for _ in 0..20_000 {
            if is_done(self) {
                return true;
            }
            if !self.step(end) {
                return is_done(self);
            }
        }
        panic!("no end of it: {:?} {:?}", self.client.dtls, self.server.dtls);
    }

    pub(crate) fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    pub(crate) fn connect(&mut self) {
        self.run_until(Duration::from_secs(20), |link| {
            let is_ready = |end: &End| end.connected.is_some() || end.is_over();
            is_ready(&link.client) && is_ready(&link.server)
        });
    }

    /// Sends data from both ends and looks whether it arrives.
    pub(crate) fn talk(&mut self) {
        let (from_client, from_server) = (self.client.seal(b"ping"), self.server.seal(b"pong"));
        self.send(true, from_client);
        self.send(false, from_server);
        self.run(Duration::from_secs(1));
    }
}
