//! Two associations on a hostile network, and a hostile third that knows their tags (RFC 9260, 8260, 3758, 6525): while
//! the network only loses, repeats and reorders, every reliable message arrives exactly once and in order; whatever it
//! does, queues stay bounded and time goes on.

use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use sctp::packet::{
    Cause, Chunk, CookieEcho, Data, ForwardTsn, GapBlock, Heartbeat, HeartbeatAck, IData, IForwardTsn, Init,
    InitAck, OutgoingReset, PacketWriter, ReConfig, ReConfigParameter, ReConfigResponse, ReConfigResult,
    Sack, Shutdown, ShutdownAck, ShutdownComplete, SkippedMessage, StreamList,
};
use sctp::{Association, Config, Event, Options, Reliability};

use crate::machines::{self, Damage, Machines, Network, damage};

mod commands;
mod record;

use commands::{Command, Forged};
use record::Record;

const PORT: u16 = 5000;
const UNDER_WAY: usize = 256;
/// Packets that one moment may bring: what the window lets through, and more.
const BURST: usize = 20_000;
const SEND_BUFFER: usize = 256 << 10;
const STREAMS: u16 = 8;

struct Side {
    association: Association,
    /// What it sent, as the other should get it.
    record: Record,
    takes: bool,
    ended: bool,
    /// The tag in packets to it, as anybody who reads along knows it.
    tag: u32,
    /// The last TSN that it sent.
    tsn: u32,
    /// Whether it takes packets beyond what every path carries, and may send them to those who do.
    is_wide: bool,
}

struct World {
    now: Instant,
    sides: [Side; 2],
    network: Network<(usize, Vec<u8>)>,
    /// Nothing but the network's usual faults so far.
    honest: bool,
    zero_checksum: bool,
    /// Somebody wants to connect.
    has_begun: bool,
    sent: u32,
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(shapes) = input.arbitrary::<[u8; 2]>() else { return };
    let mut world = World::new(shapes);
    machines::run(&mut world, input);
    world.check_whole();
}

/// The largest packet of those who look for more than every path carries.
const WIDE: usize = 16_000;

fn config(shape: u8) -> Config {
    Config {
        interleaving: shape & 1 != 0,
        zero_checksum: shape & 2 != 0,
        receive_window: if shape & 4 != 0 { 64 << 10 } else { 1 << 20 },
        piece_size: 16 << 10,
        max_receive_message_size: 100 << 10,
        max_packet_size: if shape & 8 != 0 { WIDE } else { 0 },
        packet_size: if shape & 16 != 0 { 512 } else { 1160 },
        send_buffer: SEND_BUFFER,
        max_in_flight: 1 << 20,
        streams: if shape & 32 != 0 { STREAMS } else { u16::MAX },
        // The network is bad here, not dead: nobody gives up before the end.
        max_retransmissions: 1000,
        max_init_retransmissions: 1000,
        max_rto: Duration::from_secs(2),
        ..Config::default()
    }
}

impl Machines for World {
    type Command = Command;
    type Reason = sctp::Reason;
    const END: Duration = Duration::from_secs(600);
    const WAKE_UPS: usize = 200_000;

    fn now(&mut self) -> &mut Instant {
        &mut self.now
    }

    fn poll_timeout(&self, who: usize) -> Option<(Instant, Self::Reason)> {
        self.sides[who].association.poll_timeout()
    }

    fn handle_timeout(&mut self, who: usize) {
        self.sides[who].association.handle_timeout(self.now);
    }

    fn finally(&mut self) {
        // It is good, and both take what comes.
        self.sides.iter_mut().for_each(|side| side.takes = true);
        self.settle_all();
        while !self.network.is_empty() {
            self.deliver_all();
        }
    }

    fn obey(&mut self, command: Command) {
        let now = self.now;
        match command {
            Command::Connect { who } => {
                self.sides[usize::from(who)].association.connect(now);
                self.has_begun = true;
            }
            Command::Snap { who, damage: at } => {
                let mut init = self.sides[usize::from(!who)].association.local_init();
                damage(&mut init, at);
                // One end alone, or with another INIT than the other's: not what signaling does.
                self.honest = false;
                let _ = self.sides[usize::from(who)].association.connect_with(now, &init);
            }
            Command::Send { who, stream, length, how } => self.send(usize::from(who), stream, length, how),
            Command::Reset { who, streams } => {
                let streams: Vec<u16> = streams.iter().map(|stream| u16::from(stream % 16)).collect();
                // What was sent before arrives before.
                let _ = self.sides[usize::from(who)].association.reset_streams(&streams);
            }
            Command::Shutdown { who } => {
                self.sides[usize::from(who)].association.shutdown();
                self.sides.iter_mut().for_each(|side| side.record.is_whole = false);
            }
            Command::Abort { who } => {
                self.sides[usize::from(who)].association.abort("enough");
                self.sides.iter_mut().for_each(|side| side.record.is_whole = false);
            }
            Command::Takes { who, takes } => self.sides[usize::from(who)].takes = takes,
            Command::Threshold { who, stream, bytes } => {
                let association = &mut self.sides[usize::from(who)].association;
                association.set_buffered_amount_low_threshold(stream.into(), bytes.into());
                association.set_weight(stream.into(), bytes);
            }
            Command::Deliver { which, damage, keep } => self.deliver(which, damage, keep),
            Command::DeliverAll => self.deliver_all(),
            Command::Lose { which } => drop(self.network.take(which, false)),
            Command::Noise { to, bytes } => {
                self.honest = false;
                self.arrive(usize::from(to), &bytes);
            }
            Command::Forge { to, chunks, wrong_tag } => self.forge(usize::from(to), &chunks, wrong_tag),
            Command::Wait { milliseconds } => self.wait(Duration::from_millis(milliseconds.into())),
            Command::Wake { who } => self.wake(who.into()),
        }
    }

    fn drain(&mut self, who: usize) {
        while self.sides[who].takes
            && let Some(event) = self.sides[who].association.poll_event()
        {
            self.happen(who, event);
        }
        // Whoever forges may say so in the other's name.
        let takes_more = self.sides[1 - who].is_wide || !self.honest;
        let side = &mut self.sides[who];
        let (mut bytes, mut count) = (Vec::new(), 0);
        while side.association.poll_transmit(self.now, &mut bytes).is_some() {
            let packet = sctp::packet::Packet::parse(&bytes).expect("an association sends packets");
            let mut chunks = 0;
            for raw in packet.chunks() {
                let chunk = Chunk::parse(raw.expect("whole chunks")).expect("good chunks");
                chunks += 1;
                match chunk {
                    Chunk::Data(Data { tsn, stream, .. }) | Chunk::IData(IData { tsn, stream, .. }) => {
                        assert!(
                            stream < side.association.stream_limit(),
                            "the peer takes no stream {stream}"
                        );
                        side.tsn = tsn;
                    }
                    Chunk::Init(init) => side.tag = init.initiate_tag,
                    Chunk::InitAck(ack) => side.tag = ack.init.initiate_tag,
                    _ => {}
                }
            }
            let most = if takes_more && side.is_wide { WIDE } else { 1500 };
            assert!(chunks > 0 && bytes.len() <= most, "{chunks} chunks, {} bytes", bytes.len());
            self.network.put((1 - who, std::mem::take(&mut bytes)));
            count += 1;
            assert!(count <= BURST, "one moment brings {count} packets");
        }
        let buffered = side.association.stats().buffered;
        // A quarter more is for streams that have little waiting.
        assert!(buffered <= SEND_BUFFER + SEND_BUFFER / 4, "{buffered} bytes wait");
    }
}

impl World {
    fn new(shapes: [u8; 2]) -> Self {
        let now = Instant::now();
        let side = |index: usize| Side {
            association: Association::new(now, config(shapes[index]), index as u64 + 1),
            record: Record::default(),
            takes: true,
            ended: false,
            tag: 0,
            tsn: 0,
            is_wide: config(shapes[index]).max_packet_size > 0,
        };
        let zero_checksum = shapes.iter().any(|shape| config(*shape).zero_checksum);
        let network = Network::new(UNDER_WAY);
        Self {
            now,
            sides: [side(0), side(1)],
            network,
            honest: true,
            zero_checksum,
            has_begun: false,
            sent: 0,
        }
    }

    fn send(&mut self, who: usize, stream: u8, length: u16, how: u8) {
        let stream = u16::from(stream % 16);
        // Now and then one of many pieces.
        let length =
            if how & 0xE0 == 0xE0 { 2 * usize::from(length % 40_000) } else { usize::from(length % 3000) };
        self.sent += 1;
        let message = Record::message(self.sent, length);
        let reliability = match how >> 1 & 3 {
            0 => Reliability::MaxRetransmits(u16::from(how >> 3)),
            1 => Reliability::MaxLifetime(Duration::from_millis(u64::from(how))),
            _ => Reliability::Reliable,
        };
        let options = Options { unordered: how & 1 != 0, reliability };
        let side = &mut self.sides[who];
        let sent = match how & 0x10 {
            0 => side.association.send(self.now, stream, 53, message.clone().into(), options),
            _ => side.association.send_copy(self.now, stream, 53, &message, options),
        };
        if sent.is_ok() {
            side.record.sent(stream, self.sent, message, options);
        }
    }

    fn deliver(&mut self, which: u8, place: Damage, keep: bool) {
        if let Some((to, mut bytes)) = self.network.take(which, keep) {
            // The checksum tells, where there is one: DTLS tells where there is none.
            self.honest &= !damage(&mut bytes, place) || !self.zero_checksum;
            self.arrive(to, &bytes);
        }
    }

    fn deliver_all(&mut self) {
        for (to, bytes) in self.network.take_all() {
            self.arrive(to, &bytes);
        }
    }

    fn arrive(&mut self, to: usize, bytes: &[u8]) {
        let _ = self.sides[to].association.handle_packet(self.now, bytes);
        self.settle(to);
    }

    fn forge(&mut self, to: usize, chunks: &[Forged], wrong_tag: bool) {
        self.honest = false;
        let (tsn, tag) = (self.sides[1 - to].tsn, self.sides[to].tag ^ u32::from(wrong_tag));
        let mut bytes = Vec::new();
        let mut writer = PacketWriter::new(&mut bytes, 70_000, (PORT, PORT), tag);
        for chunk in chunks.iter().take(16) {
            let theirs = self.sides[to].tsn;
            write(chunk, (tsn, theirs), writer.buffer());
        }
        writer.finish(false);
        self.arrive(to, &bytes);
    }

    fn happen(&mut self, who: usize, event: Event) {
        let side = &mut self.sides[who];
        assert!(!side.ended, "nothing follows the end: {event:?}");
        match event {
            Event::Message(message) => {
                // A piece ends with the packet that fills it.
                assert!(message.data.len() < (16 << 10) + 1500);
                let record = &mut self.sides[1 - who].record;
                record.arrived(&message, self.honest);
                self.sides[who].association.recycle(message.data);
            }
            Event::MessageAborted { id, .. } => self.sides[1 - who].record.aborted(id),
            Event::Closed(_) => {
                side.ended = true;
                self.sides.iter_mut().for_each(|side| side.record.is_whole = false);
            }
            _ => {}
        }
    }

    /// They are connected, unless somebody did not want that, and what is reliable has arrived.
    fn check_whole(&self) {
        let [ada, bob] = self.sides.each_ref().map(|side| side.association.is_established());
        let is_wanted = self.has_begun && self.sides.iter().all(|side| side.record.is_whole);
        assert!(!(self.honest && is_wanted) || ada && bob, "established: {ada}, {bob}");
        if self.honest && ada && bob {
            let check = |side: &Side| side.record.check_whole(side.association.stream_limit());
            self.sides.iter().for_each(check);
        }
    }
}

/// A chunk that might come from the peer; TSNs are near those that are in use.
fn write(chunk: &Forged, (theirs, ours): (u32, u32), out: &mut Vec<u8>) {
    let near = |base: u32, offset: i8| base.wrapping_add_signed(offset.into());
    let text = |length: u8| [7; 255][..usize::from(length)].to_vec();
    match *chunk {
        Forged::Data { tsn, stream, ssn, flags, length } => Data {
            tsn: near(theirs, tsn),
            stream: stream.into(),
            ssn: ssn.into(),
            ppid: 53,
            immediate: flags & 8 != 0,
            unordered: flags & 4 != 0,
            begin: flags & 2 != 0,
            end: flags & 1 != 0,
            payload: &text(length),
        }
        .write(out),
        Forged::IData { tsn, stream, mid, fsn, flags, length } => IData {
            tsn: near(theirs, tsn),
            stream: stream.into(),
            mid: mid.into(),
            ppid_or_fsn: fsn.into(),
            immediate: flags & 8 != 0,
            unordered: flags & 4 != 0,
            begin: flags & 2 != 0,
            end: flags & 1 != 0,
            payload: &text(length),
        }
        .write(out),
        Forged::Init { tag, ack, ref cookie, tsn, flags } => {
            let init = Init {
                initiate_tag: tag.max(1).into(),
                a_rwnd: u32::from(tag) << 9,
                outbound_streams: tag.max(1),
                inbound_streams: tag.max(1),
                initial_tsn: near(theirs, tsn),
                partial_reliability: flags & 1 != 0,
                reconfig: flags & 2 != 0,
                interleaving: flags & 4 != 0,
                zero_checksum: flags & 8 != 0,
                padding: flags & 16 != 0,
            };
            match ack {
                true => InitAck { init, cookie: &cookie[..cookie.len().min(300)] }.write(out),
                false => init.write(out),
            }
        }
        Forged::Sack { tsn, window, ref blocks, ref duplicates } => {
            let blocks: Vec<_> =
                blocks.iter().map(|(start, end)| GapBlock { start: *start, end: *end }).collect();
            let (blocks, duplicates) =
                (&blocks[..blocks.len().min(64)], &duplicates[..duplicates.len().min(64)]);
            Sack::write(out, (near(ours, tsn), window), blocks, duplicates);
        }
        Forged::Heartbeat { ack, ref info } => match (ack, &info[..info.len().min(300)]) {
            (true, info) => HeartbeatAck { info }.write(out),
            (false, info) => Heartbeat { info }.write(out),
        },
        Forged::Abort { code } => sctp::packet::Abort::write(out, false, Cause { code, info: &[] }),
        Forged::Error { code } => sctp::packet::ErrorChunk::write(out, Cause { code, info: &[] }),
        Forged::Shutdown { step, tsn } => match step % 3 {
            0 => Shutdown { cumulative_tsn_ack: near(ours, tsn) }.write(out),
            1 => ShutdownAck.write(out),
            _ => ShutdownComplete { reflected: false }.write(out),
        },
        Forged::Cookie { ack, ref cookie } => match ack {
            true => sctp::packet::CookieAck.write(out),
            false => CookieEcho { cookie: &cookie[..cookie.len().min(300)] }.write(out),
        },
        Forged::ForwardTsn { tsn, ref skipped } => {
            let skipped = skipped.iter().take(64).map(|(stream, ssn)| (u16::from(*stream), u16::from(*ssn)));
            ForwardTsn::write(out, near(theirs, tsn), skipped);
        }
        Forged::IForwardTsn { tsn, ref skipped } => {
            let skipped = skipped.iter().take(64).map(|(stream, unordered, mid)| SkippedMessage {
                stream: u16::from(*stream),
                unordered: *unordered,
                mid: u32::from(*mid),
            });
            IForwardTsn::write(out, near(theirs, tsn), skipped);
        }
        Forged::Reset { request, tsn, ref streams } => {
            let streams: Vec<[u8; 2]> = streams.iter().take(64).map(|stream| [0, *stream]).collect();
            let first = ReConfigParameter::OutgoingReset(OutgoingReset {
                request: near(theirs, request),
                response: ours,
                last_assigned_tsn: near(theirs, tsn),
                streams: StreamList::new(&streams),
            });
            ReConfig { first, second: None }.write(out);
        }
        Forged::Response { response, result } => {
            let results = [ReConfigResult::Nothing, ReConfigResult::Performed, ReConfigResult::Denied];
            let first = ReConfigParameter::Response(ReConfigResponse {
                request: near(ours, response),
                result: results[usize::from(result % 3)],
            });
            ReConfig { first, second: None }.write(out);
        }
        Forged::Raw { kind, flags, ref value } => {
            let value = &value[..value.len().min(1000)];
            out.extend_from_slice(&[kind, flags]);
            out.extend_from_slice(&(value.len() as u16 + 4).to_be_bytes());
            out.extend_from_slice(value);
            out.resize(out.len().next_multiple_of(4), 0);
        }
    }
}
