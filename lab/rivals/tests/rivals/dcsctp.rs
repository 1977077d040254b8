//! Google's SCTP in Rust, which is Chromium's in C++ translated, and ours: in memory, in virtual time, with loss.

use std::time::{Duration, Instant};

use dcsctp::api::{
    DcSctpSocket, Message, Options as TheirOptions, PpId, SendOptions, SocketEvent, SocketState, SocketTime,
    StreamId, ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS as DTLS,
};
use sctp::{Association, CloseReason, Config, Event, Options, Reliability};
use twocan_rivals::pattern;

/// In virtual time.
const PATIENCE: Duration = Duration::from_secs(600);
const DELAY: Duration = Duration::from_millis(20);

/// What both ends offer.
#[derive(Clone, Copy, Debug)]
struct Shape {
    we_connect: bool,
    they_connect: bool,
    interleaving: bool,
    zero_checksum: bool,
    /// Of 1,000 packets.
    loss: u64,
}

struct Pair {
    start: Instant,
    now: Instant,
    ours: Association,
    theirs: Box<dyn DcSctpSocket>,
    /// When, whether to us, what.
    flying: Vec<(Instant, bool, Vec<u8>)>,
    loss: u64,
    random: u64,
    our_events: Vec<Event>,
    their_events: Vec<String>,
    /// Whole messages: stream, bytes.
    we_got: Vec<(u16, Vec<u8>)>,
    they_got: Vec<(u16, Vec<u8>)>,
    /// Bytes of messages that they have sent, those they repeated included.
    they_sent: usize,
    /// The same, when they sent their first SHUTDOWN.
    they_sent_before_shutdown: Option<usize>,
}

impl Pair {
    fn new(shape: Shape) -> Self {
        let config = Config {
            interleaving: shape.interleaving,
            zero_checksum: shape.zero_checksum,
            max_receive_message_size: 4 << 20,
            ..Config::default()
        };
        let mut options = TheirOptions {
            enable_message_interleaving: shape.interleaving,
            max_message_size: 4 << 20,
            per_stream_send_queue_limit: 16 << 20,
            max_send_buffer_size: 16 << 20,
            ..TheirOptions::default()
        };
        if shape.zero_checksum {
            options.zero_checksum_alternate_error_detection_method = DTLS;
        }
        let start = Instant::now();
        let mut pair = Self {
            start,
            now: start,
            ours: Association::new(start, config, 7),
            theirs: dcsctp::new_socket("theirs", &options),
            flying: Vec::new(),
            loss: shape.loss,
            random: 1,
            our_events: Vec::new(),
            their_events: Vec::new(),
            we_got: Vec::new(),
            they_got: Vec::new(),
            they_sent: 0,
            they_sent_before_shutdown: None,
        };
        if shape.we_connect {
            pair.ours.connect(pair.now);
        }
        if shape.they_connect {
            pair.theirs.connect();
        }
        pair.until("both are connected", |pair| {
            pair.our_events.contains(&Event::Established) && pair.theirs.state() == SocketState::Connected
        });
        pair
    }

    /// xorshift64*.
    fn is_lost(&mut self) -> bool {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % 1000 < self.loss
    }

    fn put(&mut self, to_us: bool, packet: Vec<u8>) {
        if !self.is_lost() {
            self.flying.push((self.now + DELAY, to_us, packet));
        }
    }

    fn settle(&mut self) {
        let mut buffer = Vec::new();
        while let Some(event) = self.ours.poll_event() {
            match event {
                Event::Message(message) => {
                    if message.first {
                        self.we_got.push((message.stream, Vec::new()));
                    }
                    let last = self.we_got.last_mut().expect("a message begins with its first piece");
                    last.1.extend_from_slice(&message.data);
                }
                event => self.our_events.push(event),
            }
        }
        while self.ours.poll_transmit(self.now, &mut buffer).is_some() {
            let packet = std::mem::take(&mut buffer);
            self.put(false, packet);
        }
        while let Some(event) = self.theirs.poll_event() {
            match event {
                SocketEvent::SendPacket(packet) => {
                    self.look_at(&packet);
                    self.put(true, packet);
                }
                event => self.their_events.push(format!("{event:?}")),
            }
        }
        while let Some(message) = self.theirs.get_next_message() {
            self.they_got.push((message.stream_id.0, message.payload));
        }
    }

    /// Counts what they send (RFC 9260 §3.2: type, flags, length; padded to four bytes).
    fn look_at(&mut self, packet: &[u8]) {
        let mut rest = packet.get(12..).unwrap_or_default();
        while let [kind, _, high, low, ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            match kind {
                0 => self.they_sent += length - 16,
                64 => self.they_sent += length - 20,
                7 => _ = self.they_sent_before_shutdown.get_or_insert(self.they_sent),
                _ => {}
            }
            rest = rest.get(length.next_multiple_of(4).max(4)..).unwrap_or_default();
        }
    }

    fn step(&mut self) {
        let theirs = self.theirs.poll_timeout();
        let theirs =
            (theirs != SocketTime::infinite_future()).then(|| self.start + (theirs - SocketTime::zero()));
        let ours = self.ours.poll_timeout().map(|(at, _)| at);
        let arrival = self.flying.iter().map(|(at, ..)| *at).min();
        let next = [theirs, ours, arrival].into_iter().flatten().min().expect("something is waited for");
        self.now = next.max(self.now);
        self.theirs.advance_time(SocketTime::zero() + (self.now - self.start));
        self.ours.handle_timeout(self.now);
        while let Some(index) = self.flying.iter().position(|(at, ..)| *at <= self.now) {
            let (_, to_us, packet) = self.flying.remove(index);
            match to_us {
                true => drop(self.ours.handle_packet(self.now, &packet)),
                false => self.theirs.handle_input(&packet),
            }
        }
    }

    #[track_caller]
    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = self.now + PATIENCE;
        loop {
            self.settle();
            if is_so(self) {
                return;
            }
            let seen = (&self.our_events, &self.their_events, self.ours.stats());
            assert!(self.now < deadline, "it never comes about that {what}: {seen:#?}");
            self.step();
        }
    }

    fn send_theirs(&mut self, stream: u16, bytes: Vec<u8>, options: &SendOptions) {
        let message = Message::new(StreamId(stream), PpId(53), bytes);
        self.theirs.send(message, options).expect("there is room");
    }

    fn send_ours(&mut self, stream: u16, bytes: Vec<u8>, options: Options) {
        self.ours.send(self.now, stream, 53, bytes.into(), options).expect("there is room");
    }
}

fn shapes() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (we_connect, they_connect) in [(true, false), (false, true), (true, true)] {
        for interleaving in [false, true] {
            for zero_checksum in [false, true] {
                for loss in [0, 50] {
                    shapes.push(Shape { we_connect, they_connect, interleaving, zero_checksum, loss });
                }
            }
        }
    }
    shapes
}

#[test]
fn messages_of_every_length_arrive_both_ways_in_order() {
    let lengths = [1, 3, 1100, 1200, 5000, 300_000, 1];
    for shape in shapes() {
        println!("{shape:?}");
        let mut pair = Pair::new(shape);
        for length in lengths {
            pair.send_ours(1, pattern(length), Options::default());
            pair.send_theirs(2, pattern(length), &SendOptions::default());
        }
        pair.until("all arrived", |pair| {
            let all = |got: &[(u16, Vec<u8>)]| {
                got.len() == lengths.len() && got.last().is_some_and(|last| last.1.len() == 1)
            };
            all(&pair.we_got) && all(&pair.they_got)
        });
        let wanted = |stream| lengths.map(|length| (stream, pattern(length))).to_vec();
        assert!(pair.they_got == wanted(1) && pair.we_got == wanted(2), "{shape:?}");
        assert_eq!(pair.ours.stats().interleaving, shape.interleaving);
        assert_eq!(pair.ours.stats().zero_checksum, shape.zero_checksum);
        let metrics = pair.theirs.get_metrics().expect("it is connected");
        assert_eq!(metrics.uses_message_interleaving, shape.interleaving);
        assert_eq!(metrics.uses_zero_checksum, shape.zero_checksum);
    }
}

#[test]
fn streams_are_reset_by_either_side_and_used_again() {
    for shape in shapes() {
        println!("{shape:?}");
        let mut pair = Pair::new(shape);
        for round in 1..=3 {
            pair.send_ours(1, pattern(5000), Options::default());
            pair.ours.reset_streams(&[1]).expect("it is connected");
            pair.send_theirs(1, pattern(5000), &SendOptions::default());
            pair.theirs.reset_streams(&[StreamId(1)]).expect("it is connected");
            pair.until("both directions are reset", |pair| {
                let theirs =
                    |name: &str| pair.their_events.iter().filter(|event| event.starts_with(name)).count();
                let is_reset = |event: &&Event| matches!(event, Event::IncomingStreamsReset { .. });
                let is_done = |event: &&Event| matches!(event, Event::StreamsReset { performed: true, .. });
                pair.our_events.iter().filter(is_reset).count() == round
                    && pair.our_events.iter().filter(is_done).count() == round
                    && theirs("OnIncomingStreamReset") == round
                    && theirs("OnStreamsResetPerformed") == round
            });
            assert_eq!(
                (pair.we_got.len(), pair.they_got.len()),
                (round, round),
                "data comes before the reset"
            );
        }
    }
}

#[test]
fn what_is_given_up_does_not_hold_up_what_comes_after() {
    for shape in shapes().into_iter().filter(|shape| shape.loss > 0) {
        println!("{shape:?}");
        let mut pair = Pair::new(Shape { loss: 200, ..shape });
        let ours = Options { reliability: Reliability::MaxRetransmits(0), ..Options::default() };
        let theirs = SendOptions { max_retransmissions: Some(0), ..SendOptions::default() };
        for _ in 0..200 {
            pair.send_ours(1, pattern(2000), ours);
            pair.send_theirs(1, pattern(2000), &theirs);
        }
        pair.send_ours(1, pattern(10), Options::default());
        pair.send_theirs(1, pattern(10), &SendOptions::default());
        pair.until("the last ones arrived", |pair| {
            let is_last = |got: &[(u16, Vec<u8>)]| got.last().is_some_and(|last| last.1.len() == 10);
            is_last(&pair.we_got) && is_last(&pair.they_got)
        });
        for got in [&pair.we_got, &pair.they_got] {
            assert!((2..201).contains(&got.len()), "{} of 201 arrived", got.len());
        }
    }
}

#[test]
fn an_association_ends_for_both() {
    for shape in shapes() {
        println!("{shape:?}");
        let mut pair = Pair::new(shape);
        pair.send_ours(1, pattern(100_000), Options::default());
        pair.ours.shutdown();
        pair.until("it is shut down", |pair| {
            pair.our_events.contains(&Event::Closed(CloseReason::Shutdown))
                && pair.their_events.iter().any(|event| event.starts_with("OnClosed"))
        });
        assert_eq!(pair.they_got.len(), 1, "what was queued is delivered");

        // With loss without data: see below.
        let mut pair = Pair::new(shape);
        let lengths: &[usize] = if shape.loss == 0 { &[5000] } else { &[] };
        lengths.iter().for_each(|length| pair.send_theirs(1, pattern(*length), &SendOptions::default()));
        pair.theirs.shutdown();
        pair.until("they shut it down", |pair| {
            pair.our_events.contains(&Event::Closed(CloseReason::Shutdown))
                && pair.theirs.state() == SocketState::Closed
        });
        assert!(
            pair.we_got.iter().map(|(_, bytes)| bytes.len()).eq(lengths.iter().copied()),
            "what was under way is delivered"
        );

        // Nobody repeats an ABORT.
        let mut pair = Pair::new(Shape { loss: 0, ..shape });
        pair.theirs.close();
        pair.until("they abort it", |pair| {
            pair.our_events
                .iter()
                .any(|event| matches!(event, Event::Closed(CloseReason::PeerAborted { .. })))
        });
        let mut pair = Pair::new(Shape { loss: 0, ..shape });
        pair.ours.abort("enough");
        pair.until("we abort it", |pair| {
            pair.their_events.iter().any(|event| event.starts_with("OnAborted"))
        });
    }
}

/// RFC 9260 §9.2 lets an endpoint send SHUTDOWN once all of its data was acknowledged. dcsctp 0.1.16 counts only what is in
/// flight (`unacked_items` in its `maybe_send_shutdown`): neither what still waits in its queue nor what is to be sent
/// again. Here nothing is lost, and it shuts down before the whole message has left it, so that no receiver could have
/// it. When this fails, they have mended it, and `an_association_ends_for_both` can ask more of them.
#[test]
fn dcsctp_forgets_what_it_has_only_queued_when_it_shuts_down() {
    const LENGTH: usize = 300_000;
    for shape in shapes().into_iter().filter(|shape| shape.loss == 0) {
        println!("{shape:?}");
        let mut pair = Pair::new(shape);
        pair.send_theirs(1, pattern(LENGTH), &SendOptions::default());
        pair.theirs.shutdown();
        pair.until("they shut it down", |pair| {
            pair.our_events.contains(&Event::Closed(CloseReason::Shutdown))
        });
        let sent = pair.they_sent_before_shutdown.expect("they sent a SHUTDOWN");
        assert!(sent < LENGTH, "they sent {sent} of {LENGTH} bytes before they shut it down");
        let got: usize = pair.we_got.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(got <= sent, "{got} of {sent}");
    }
}
