//! A worker's table of the streams that its clients speak over.

use std::collections::HashMap;

use stun::framing::Deframer;
use turn::server::Client;

use super::stream::Outlet;

/// What gathers for one stream before it is handed over at once, in bytes.
const MAX_GATHERED: usize = 64 << 10;

struct Stream {
    outlet: Outlet,
    deframer: Deframer,
    gathered: Vec<u8>,
}

/// Streams by client.
#[derive(Default)]
pub(super) struct Streams {
    streams: HashMap<Client, Stream>,
    /// Those that have gathered something.
    ready: Vec<Client>,
    /// Bytes that a slow reader lost.
    pub(super) dropped_bytes: u64,
}

impl Streams {
    pub(super) fn open(&mut self, client: Client, outlet: Outlet) {
        self.streams.insert(client, Stream { outlet, deframer: Deframer::default(), gathered: Vec::new() });
    }

    pub(super) fn close(&mut self, client: &Client) {
        self.streams.remove(client);
    }

    /// Lends out what cuts a client's bytes into frames.
    pub(super) fn take_deframer(&mut self, client: &Client) -> Option<Deframer> {
        self.streams.get_mut(client).map(|stream| std::mem::take(&mut stream.deframer))
    }

    pub(super) fn return_deframer(&mut self, client: &Client, deframer: Deframer) {
        if let Some(stream) = self.streams.get_mut(client) {
            stream.deframer = deframer;
        }
    }

    /// Appends a frame for a client.
    pub(super) fn push(&mut self, client: &Client, parts: [&[u8]; 3]) {
        let Some(stream) = self.streams.get_mut(client) else { return };
        if stream.gathered.is_empty() {
            self.ready.push(*client);
        }
        for part in parts {
            stream.gathered.extend_from_slice(part);
        }
        if stream.gathered.len() >= MAX_GATHERED {
            self.dropped_bytes += stream.hand_over();
        }
    }

    /// Hands over everything that has gathered.
    pub(super) fn flush(&mut self) {
        let mut dropped = 0;
        for client in self.ready.drain(..) {
            if let Some(stream) = self.streams.get_mut(&client) {
                dropped += stream.hand_over();
            }
        }
        self.dropped_bytes += dropped;
    }
}

impl Stream {
    /// Returns how many bytes were lost.
    fn hand_over(&mut self) -> u64 {
        if self.gathered.is_empty() {
            return 0;
        }
        let lost = self.outlet.send(std::mem::take(&mut self.gathered)).err();
        lost.map_or(0, |bytes| bytes as u64)
    }
}
