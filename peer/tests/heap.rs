//! What is taken from the heap: nothing for a packet in steady state, and little by a connection that idles. One test,
//! since it counts for the process.

#![expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use twocan_peer::{ChannelId, ChannelOptions, Configuration, Event, Kind, PeerConnection};
use wire::Received;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Ends that are connected for this comparison.
const PAIRS: usize = 50;
/// Heap of an idle end with a channel, its own size included, in bytes.
const IDLE: usize = 20 << 10;

struct End {
    peer: PeerConnection,
    address: SocketAddr,
    channel: Option<ChannelId>,
    received: usize,
}

struct Pair {
    now: Instant,
    ends: [End; 2],
    buffer: Vec<u8>,
}

impl Pair {
    fn new(certificates: &[Arc<dtls::Certificate>; 2], number: u8) -> Self {
        let now = Instant::now();
        let end = |name: u8| {
            let certificate = Arc::clone(&certificates[usize::from(name)]);
            let mut configuration = Configuration::new(certificate, [name + 2 * number; 32]);
            // Below what is tested, so that a queue does not grow in the middle of it.
            configuration.send_buffer = 2 << 20;
            let address = SocketAddr::from(([192, 0, 2, 1 + name], 5000));
            End { peer: PeerConnection::new(now, configuration), address, channel: None, received: 0 }
        };
        let mut pair = Self { now, ends: [end(0), end(1)], buffer: Vec::with_capacity(65_536) };
        let [ada, bob] = &mut pair.ends;
        ada.peer.create_data_channel(now, "channel", "", ChannelOptions::default()).unwrap();
        let offer = ada.peer.set_local_description_implicitly(now).unwrap();
        bob.peer.set_remote_description(now, &offer).unwrap();
        let answer = bob.peer.set_local_description_implicitly(now).unwrap();
        ada.peer.set_remote_description(now, &answer).unwrap();
        for index in [0, 1] {
            let candidate = ice::LocalCandidate::host(pair.ends[index].address);
            pair.ends[index].peer.add_local_candidate(now, candidate).unwrap();
            pair.ends[index].peer.end_of_local_candidates(now);
            while let Some(event) = pair.ends[index].peer.poll_event() {
                if let Event::IceCandidate(candidate) = event {
                    pair.ends[1 - index].peer.add_ice_candidate(now, candidate.as_ref()).unwrap();
                }
            }
        }
        pair.pass(Duration::from_secs(10));
        pair
    }

    /// Carries everything there is to carry.
    fn exchange(&mut self) {
        let Self { now, ends: [ada, bob], buffer } = self;
        while carry(*now, ada, bob, buffer) | carry(*now, bob, ada, buffer) {}
    }

    fn wait(&mut self, until: Instant) {
        let due = self.ends.iter().filter_map(|end| end.peer.poll_timeout()).map(|(at, _)| at);
        self.now = due.min().map_or(until, |due| due.clamp(self.now, until));
        for end in &mut self.ends {
            end.peer.handle_timeout(self.now);
        }
        self.exchange();
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        self.exchange();
        while self.now < until {
            self.wait(until);
        }
    }

    fn transfer(&mut self, message: &Bytes, bytes: usize) {
        let channel = self.ends[0].channel.unwrap();
        let target = self.ends[1].received + bytes;
        while self.ends[1].received < target {
            while self.ends[0].peer.buffered_amount(channel) < 1 << 20 {
                self.ends[0].peer.send(self.now, channel, Kind::Binary, message.clone()).unwrap();
            }
            self.exchange();
            self.wait(self.now + Duration::from_micros(100));
        }
    }
}

fn carry(now: Instant, from: &mut End, to: &mut End, buffer: &mut Vec<u8>) -> bool {
    let mut any = false;
    buffer.clear();
    while let Some(sent) = from.peer.poll_transmit(now, buffer) {
        any = true;
        let size = sent.segment_size.unwrap_or(buffer.len().max(1));
        for bytes in buffer.chunks_mut(size) {
            let received = Received { source: sent.source, destination: sent.destination, bytes };
            // A fault is counted.
            let _ = to.peer.handle_datagram(now, received);
        }
        buffer.clear();
        hear(to);
    }
    hear(from);
    any
}

fn hear(end: &mut End) {
    while let Some(event) = end.peer.poll_event() {
        match event {
            Event::ChannelOpen(id) | Event::DataChannel(id) => end.channel = Some(id),
            Event::Message(message) => {
                end.received += message.data.len();
                end.peer.recycle(message.data);
            }
            _ => {}
        }
    }
}

#[test]
fn nothing_for_a_packet_and_little_for_an_idle_connection() {
    let certificates = [1, 2].map(|seed| {
        Arc::new(
            dtls::Certificate::generate([seed; 32], SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30))
                .unwrap(),
        )
    });
    // What is made once per process.
    drop(Pair::new(&certificates, 0));

    let profiler = dhat::Profiler::builder().testing().build();
    let idle: Vec<Pair> = (0..PAIRS).map(|number| Pair::new(&certificates, number as u8)).collect();
    let buffers = PAIRS * (65_536 + size_of::<Pair>());
    let heap = (dhat::HeapStats::get().curr_bytes - buffers) / PAIRS / 2;
    let own = size_of::<PeerConnection>();
    println!("idle, with a channel: {heap} bytes of heap and {own} of its own");
    assert!(heap + own <= IDLE, "an idle connection takes {heap} + {own} bytes");
    drop(idle);
    drop(profiler);

    for length in [65_536, 1000] {
        let mut pair = Pair::new(&certificates, 7);
        let message = Bytes::from(vec![7; length]);
        pair.transfer(&message, 16 << 20);
        let profiler = dhat::Profiler::builder().testing().build();
        pair.transfer(&message, 8 << 20);
        let blocks = dhat::HeapStats::get().total_blocks;
        drop(profiler);
        assert_eq!(blocks, 0, "allocations while sending messages of {length} bytes");
    }
}
