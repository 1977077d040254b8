//! What is taken from the heap: nothing for a packet in steady state (RFC 9260 sets no such limit; this
//! project does), and little for an association that idles. One test, since it counts for the process.

use std::time::{Duration, Instant};

use bytes::Bytes;
use twocan_sctp::channel::{ChannelEvent, ChannelId, ChannelOptions, DataChannels, Kind, Role};
use twocan_sctp::{Association, Config};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

struct Ends {
    now: Instant,
    a: DataChannels,
    b: DataChannels,
    channel: ChannelId,
    buffer: Vec<u8>,
    received: usize,
}

impl Ends {
    fn new(now: Instant, seed: u64) -> Self {
        let new = |seed| DataChannels::new(Association::new(now, Config::default(), seed));
        let (mut a, mut b) = (new(seed), new(!seed));
        a.set_role(now, Role::Client);
        b.set_role(now, Role::Server);
        a.association_mut().connect(now);
        let channel = a.open(now, "channel", "", ChannelOptions::default()).unwrap();
        let mut ends = Self { now, a, b, channel, buffer: Vec::with_capacity(2048), received: 0 };
        ends.run(Duration::from_secs(1));
        ends
    }

    fn exchange(&mut self) {
        let Self { now, a, b, buffer, received, .. } = self;
        let mut is_busy = true;
        while is_busy {
            is_busy = false;
            for side in [0, 1] {
                let (from, to) = if side == 0 { (&mut *a, &mut *b) } else { (&mut *b, &mut *a) };
                // As many as a system call brings.
                for _ in 0..64 {
                    if from.poll_transmit(*now, buffer).is_none() {
                        break;
                    }
                    to.handle_packet(*now, buffer).unwrap();
                    buffer.clear();
                    is_busy = true;
                }
                while let Some(event) = to.poll_event(*now) {
                    if let ChannelEvent::Message(message) = event {
                        *received += message.data.len();
                        to.recycle(message.data);
                    }
                }
            }
        }
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            self.exchange();
            let timeouts = [self.a.poll_timeout(), self.b.poll_timeout()];
            let Some(next) = timeouts.into_iter().flatten().map(|(time, _)| time).min() else { return };
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            self.a.handle_timeout(self.now);
            self.b.handle_timeout(self.now);
        }
    }

    fn transfer(&mut self, message: &Bytes, bytes: usize) {
        let target = self.received + bytes;
        while self.received < target {
            while self.a.buffered_amount(self.channel) < 1 << 20 {
                self.a.send(self.now, self.channel, Kind::Binary, message.clone()).unwrap();
            }
            self.exchange();
            self.now += Duration::from_micros(100);
            self.a.handle_timeout(self.now);
            self.b.handle_timeout(self.now);
        }
    }
}

fn main() {
    #[expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]
    let now = Instant::now();

    let profiler = dhat::Profiler::builder().testing().build();
    let idle: Vec<Ends> = (0..50).map(|seed| Ends::new(now, seed)).collect();
    let heap = dhat::HeapStats::get().curr_bytes / 100;
    let size = size_of::<DataChannels>();
    println!("idle, with a channel: {heap} bytes of heap and {size} of its own");
    assert!(heap + size <= 8 << 10, "an idle association takes {heap} + {size} bytes");
    drop(idle);
    drop(profiler);

    for length in [65_536, 1000] {
        let mut ends = Ends::new(now, 7);
        let message = Bytes::from(vec![7; length]);
        ends.transfer(&message, 16 << 20);
        let profiler = dhat::Profiler::builder().testing().build();
        ends.transfer(&message, 16 << 20);
        let blocks = dhat::HeapStats::get().total_blocks;
        drop(profiler);
        assert_eq!(blocks, 0, "allocations while sending messages of {length} bytes");

        // After a while of idleness the memory of the busy time is given back.
        let profiler = dhat::Profiler::builder().testing().build();
        let mut ends = Ends::new(now, 7);
        ends.transfer(&message, 4 << 20);
        ends.run(Duration::from_secs(120));
        let heap = dhat::HeapStats::get().curr_bytes;
        drop(profiler);
        assert!(heap <= 24 << 10, "both ends keep {heap} bytes after a transfer");
    }
}
