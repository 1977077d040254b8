//! A room beside a model of what each receiver may see, whatever is asked of it: numbers have gaps only where the source
//! lost packets, streams begin with key frames, time goes on, pictures count by one and depend on nothing that was left
//! out, and nothing comes that nobody wants.

#![expect(clippy::disallowed_methods, reason = "any instant will do to count from")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use peer::{MediaKind, MediaPacket, TransceiverId};
use proptest::prelude::*;
use rtp::codec::{Codec, PictureId, vp8};
use rtp::extension::ExtensionMap;
use rtp::{Fields, HeaderWriter, PayloadType, SequenceNumber, Ssrc, Timestamp};
use twocan_sfu::{Event, Forward, Offer, ParticipantId, PublicationId, Room, Source, SubscriptionId, Wish};

const PUBLICATIONS: usize = 2;
const ENCODINGS: usize = 3;

#[derive(Clone, Debug)]
enum Command {
    /// A frame, of which the packets with a bit are lost.
    Frame {
        encoding: usize,
        key: bool,
        temporal: u8,
        sync: bool,
        packets: u8,
        lost: u8,
        swap: bool,
    },
    /// What was lost comes after all.
    Repair {
        which: usize,
    },
    Padding {
        encoding: usize,
    },
    /// An encoding begins anew with another source.
    Restart {
        encoding: usize,
    },
    Wait {
        milliseconds: u64,
    },
    Wish {
        receiver: usize,
        paused: bool,
        size: Option<u16>,
        priority: u8,
    },
    Bitrate {
        receiver: usize,
        kilobits: Option<u64>,
    },
    KeyFrame {
        receiver: usize,
    },
    Subscribe {
        receiver: usize,
    },
    Unsubscribe {
        receiver: usize,
    },
    Mute {
        is_muted: bool,
    },
    /// A receiver's stream goes on with another publication, or with none.
    Switch {
        receiver: usize,
        to: Option<usize>,
    },
    /// What was published ends, and is published again.
    Republish {
        which: usize,
    },
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    // Of all publications, one after the other.
    let encoding = 0..PUBLICATIONS * ENCODINGS;
    let receiver = 0_usize..3;
    let frame = (encoding.clone(), 0_u8..20, 0_u8..3, any::<bool>(), 1_u8..4, any::<u8>(), 0_u8..8).prop_map(
        |(encoding, key, temporal, sync, packets, lost, swap)| {
            // One packet in eight, or so.
            let lost = lost & lost.rotate_left(3) & lost.rotate_left(5);
            Command::Frame { encoding, key: key == 0, temporal, sync, packets, lost, swap: swap == 0 }
        },
    );
    let wish = (receiver.clone(), any::<bool>(), proptest::option::of(100_u16..2_000), any::<u8>())
        .prop_map(|(receiver, paused, size, priority)| Command::Wish { receiver, paused, size, priority });
    let bitrate = (receiver.clone(), proptest::option::of(0_u64..800))
        .prop_map(|(receiver, kilobits)| Command::Bitrate { receiver, kilobits });
    let command = prop_oneof![
        40 => frame,
        4 => any::<usize>().prop_map(|which| Command::Repair { which }),
        2 => encoding.clone().prop_map(|encoding| Command::Padding { encoding }),
        1 => encoding.prop_map(|encoding| Command::Restart { encoding }),
        3 => (0_u64..500).prop_map(|milliseconds| Command::Wait { milliseconds }),
        2 => wish,
        2 => bitrate,
        1 => receiver.clone().prop_map(|receiver| Command::KeyFrame { receiver }),
        1 => receiver.clone().prop_map(|receiver| Command::Subscribe { receiver }),
        1 => receiver.clone().prop_map(|receiver| Command::Unsubscribe { receiver }),
        2 => (receiver, proptest::option::of(0..PUBLICATIONS))
            .prop_map(|(receiver, to)| Command::Switch { receiver, to }),
        1 => (0..PUBLICATIONS).prop_map(|which| Command::Republish { which }),
        1 => any::<bool>().prop_map(|is_muted| Command::Mute { is_muted }),
    ];
    proptest::collection::vec(command, 1..300)
}

fn offer() -> Offer {
    let (kind, source, codec) = (MediaKind::Video, Source::Camera, Codec::Vp8);
    Offer { kind, source, codec, extensions: ExtensionMap::default(), encodings: ENCODINGS }
}

/// What a packet is of.
#[derive(Clone, Debug)]
struct Origin {
    ssrc: u32,
    number: u64,
    picture: u64,
    key: bool,
    /// The first of its frame.
    start: bool,
    temporal: u8,
    sync: bool,
}

/// A packet that came.
#[derive(Clone, Debug)]
struct Came {
    /// None: it is of padding.
    origin: Option<Origin>,
    /// A later one came before.
    is_late: bool,
}

/// An encoding as its sender makes it.
#[derive(Debug)]
struct Encoder {
    encoding: usize,
    ssrc: u32,
    number: u64,
    base: u32,
    picture: u64,
    tl0: u8,
}

impl Encoder {
    fn new(encoding: usize, ssrc: u32) -> Self {
        let odd = ssrc.wrapping_mul(2_654_435_761);
        let number = 65_536 + u64::from(odd >> 16);
        Self { encoding, ssrc, number, base: odd, picture: u64::from(odd & 0x7FFF), tl0: odd as u8 }
    }

    fn packet(&mut self, world: &World, marker: bool, payload: &[u8]) -> MediaPacket {
        let ticks = (world.now - world.start).as_millis() as u32 * 90;
        let mut bytes = Vec::new();
        let fields = Fields {
            marker,
            payload_type: PayloadType::new(96).unwrap(),
            sequence_number: SequenceNumber(self.number as u16),
            timestamp: Timestamp(self.base.wrapping_add(ticks)),
            ssrc: Ssrc(self.ssrc),
        };
        HeaderWriter::new(&mut bytes, &fields).finish().buffer().extend_from_slice(payload);
        self.number += 1;
        MediaPacket {
            transceiver: TransceiverId::default(),
            encoding: self.encoding % ENCODINGS,
            sequence_number: self.number - 1,
            is_repair: false,
            arrived: world.now,
            bytes: bytes.into(),
        }
    }

    fn frame(
        &mut self,
        world: &World,
        key: bool,
        layer: (u8, bool),
        count: u8,
    ) -> Vec<(MediaPacket, Origin)> {
        self.picture += 1;
        self.tl0 = self.tl0.wrapping_add(u8::from(layer.0 == 0));
        let packets = 0..count;
        let packet = |index: u8| {
            let start = index == 0;
            let descriptor = vp8::Descriptor {
                start,
                picture_id: Some(PictureId { value: (self.picture & 0x7FFF) as u16, long: true }),
                tl0_picture_index: Some(self.tl0),
                temporal: Some(layer),
                ..vp8::Descriptor::default()
            };
            let mut payload = Vec::new();
            descriptor.write(&mut payload);
            if key && start {
                payload.extend([0, 0, 0, 0x9D, 0x01, 0x2A]);
                let (width, height) =
                    (320_u16 << (self.encoding % ENCODINGS), 180_u16 << (self.encoding % ENCODINGS));
                payload.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
            }
            payload.resize(100 << (self.encoding % ENCODINGS), u8::from(!key));
            let origin = Origin {
                ssrc: self.ssrc,
                number: self.number,
                picture: self.picture,
                key,
                start,
                temporal: layer.0,
                sync: layer.1,
            };
            (self.packet(world, index + 1 == count, &payload), origin)
        };
        packets.map(packet).collect()
    }
}

/// What one receiver has seen.
#[derive(Debug)]
struct Receiver {
    subscription: SubscriptionId,
    /// Of what; none: of nothing.
    of: Option<usize>,
    paused: bool,
    numbers: BTreeSet<u64>,
    newest: Option<(u64, Timestamp, u16)>,
    run: Option<Run>,
}

/// What it has seen since it was switched to a source last.
#[derive(Debug)]
struct Run {
    ssrc: u32,
    first: u64,
    /// Source's number to its own.
    numbers: BTreeMap<u64, u64>,
    newest: Origin,
    /// Pictures that came.
    pictures: BTreeSet<u64>,
}

#[derive(Debug)]
struct World {
    start: Instant,
    now: Instant,
    room: Room,
    sender: ParticipantId,
    publications: Vec<PublicationId>,
    /// The first one is.
    is_muted: bool,
    receivers: Vec<Option<Receiver>>,
    participants: Vec<ParticipantId>,
    /// What came of each source, by number.
    came: BTreeMap<u32, BTreeMap<u64, Came>>,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let mut room = Room::new(now);
        let sender = room.join(now).unwrap();
        let publications = (0..PUBLICATIONS).map(|_| room.publish(now, sender, offer()).unwrap()).collect();
        let participants = (0..3).map(|_| room.join(now).unwrap()).collect();
        let receivers = (0..3).map(|_| None).collect();
        let came = BTreeMap::new();
        let mut world = Self {
            start: now,
            now,
            room,
            sender,
            publications,
            is_muted: false,
            receivers,
            participants,
            came,
        };
        world.subscribe(0);
        world
    }

    fn subscribe(&mut self, at: usize) {
        if self.receivers[at].is_some() {
            return;
        }
        let participant = self.participants[at];
        let subscription =
            self.room.subscribe(self.now, participant, self.publications[0], Wish::default()).unwrap();
        let (numbers, newest, run) = (BTreeSet::new(), None, None);
        self.receivers[at] =
            Some(Receiver { subscription, of: Some(0), paused: false, numbers, newest, run });
    }

    fn give(&mut self, which: usize, packet: &MediaPacket, origin: Option<&Origin>) {
        let mut packet = packet.clone();
        packet.arrived = self.now;
        let mut all = Vec::new();
        let publication = self.publications[which];
        self.room.handle_packet(self.now, publication, &packet, |id, forward| all.push((id, forward)));
        for (id, forward) in all {
            let receivers = self.receivers.iter_mut().flatten();
            let receiver =
                receivers.into_iter().find(|one| one.subscription == id).expect("it is subscribed");
            let is_muted = self.is_muted && which == 0;
            assert!(!receiver.paused && !is_muted, "nobody wants it");
            assert_eq!(receiver.of, Some(which), "it is of something else");
            let origin = origin.expect("padding is forwarded to nobody");
            let came = self.came.entry(origin.ssrc).or_default();
            receiver.take(&forward, origin, came);
        }
        let ssrc = packet.read().unwrap().header().ssrc().0;
        let came = self.came.entry(ssrc).or_default();
        let is_late = came.last_key_value().is_some_and(|(newest, _)| *newest > packet.sequence_number);
        came.insert(packet.sequence_number, Came { origin: origin.cloned(), is_late });
        self.events();
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some((due, _)) = self.room.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = self.now.max(due);
            self.room.handle_timeout(self.now);
            self.events();
            let next = self.room.poll_timeout();
            assert!(next.is_none_or(|(next, _)| next > self.now), "time stands still: {next:?}");
        }
        self.now = end;
    }

    /// What is told about layers is so.
    fn events(&mut self) {
        while let Some(event) = self.room.poll_event() {
            if let Event::Layer { subscription, layer, .. } = event {
                let mut receivers = self.receivers.iter_mut().flatten();
                let Some(receiver) = receivers.find(|one| one.subscription == subscription) else { continue };
                match layer {
                    Some(_) => assert!(receiver.run.is_some(), "nothing has come of it"),
                    // What comes next begins anew.
                    None => receiver.run = None,
                }
            }
        }
    }
}

impl Receiver {
    fn take(&mut self, forward: &Forward, origin: &Origin, came: &BTreeMap<u64, Came>) {
        let payload = [&forward.prefix, &forward.payload[..]].concat();
        let (descriptor, _) = vp8::Descriptor::parse(&payload).unwrap();
        let picture = descriptor.picture_id.unwrap().value;
        let number = forward.sequence_number;
        assert!(self.numbers.insert(number), "a number is given twice");
        let same = self.run.as_ref().is_some_and(|run| run.ssrc == origin.ssrc && origin.number >= run.first);
        if !same {
            assert!(origin.key && origin.start, "it begins with a key frame");
            if let Some((newest, timestamp, before)) = self.newest {
                assert_eq!(number, newest + 1, "a switch leaves no gap");
                assert!(forward.timestamp.ahead_of(timestamp) > 0, "time goes on");
                assert_eq!(picture, (before + 1) & 0x7FFF, "pictures count by one");
            }
            let (numbers, pictures) = (BTreeMap::new(), BTreeSet::new());
            let (ssrc, first, newest) = (origin.ssrc, origin.number, origin.clone());
            self.run = Some(Run { ssrc, first, numbers, newest, pictures });
        } else {
            self.check_order(forward, origin, came, picture);
        }
        let run = self.run.as_mut().unwrap();
        run.numbers.insert(origin.number, number);
        run.pictures.insert(origin.picture);
        if origin.number >= run.newest.number {
            run.newest = origin.clone();
            self.newest = Some((number, forward.timestamp, picture));
        }
    }

    fn check_order(&self, forward: &Forward, origin: &Origin, came: &BTreeMap<u64, Came>, picture: u16) {
        let run = self.run.as_ref().unwrap();
        let number = forward.sequence_number;
        let (newest, timestamp, before) = self.newest.unwrap();
        if origin.number < run.newest.number {
            let earlier = run.numbers.range(..origin.number).next_back();
            let later = run.numbers.range(origin.number..).next();
            assert!(earlier.is_none_or(|(_, earlier)| *earlier < number), "late ones have their place");
            assert!(later.is_none_or(|(_, later)| *later > number), "late ones have their place");
            return;
        }
        let gap = number - newest - 1;
        assert!(
            missing(came, run.newest.number, origin.number).contains(&gap),
            "gaps are where packets are missing"
        );
        let ahead = forward.timestamp.ahead_of(timestamp);
        if origin.picture == run.newest.picture {
            assert_eq!((ahead, picture), (0, before), "a frame has one time and one number");
            return;
        }
        assert!(ahead > 0, "time goes on");
        let lost = lost_pictures(came, run.newest.picture, origin.picture);
        let gap = u64::from(picture.wrapping_sub(before + 1) & 0x7FFF);
        assert!(lost.contains(&gap), "pictures count by one");
        if origin.start {
            self.check_dependencies(run, origin, came);
        }
    }

    /// A frame depends on nothing that came and was left out.
    fn check_dependencies(&self, run: &Run, origin: &Origin, came: &BTreeMap<u64, Came>) {
        if origin.key {
            return;
        }
        let earlier = came.range(run.first..origin.number).rev().filter_map(|(_, came)| came.origin.as_ref());
        let (mut layers, mut seen) = (BTreeSet::new(), BTreeSet::from([origin.picture]));
        layers.extend(if origin.sync { 0..=0 } else { 0..=origin.temporal });
        for frame in earlier.filter(|frame| frame.picture >= run.pictures.first().copied().unwrap_or(0)) {
            if !seen.insert(frame.picture) {
                continue;
            }
            if layers.remove(&frame.temporal) {
                assert!(run.pictures.contains(&frame.picture), "it depends on what was left out: {frame:?}");
            }
            if frame.key {
                break;
            }
        }
    }
}

/// How many packets between two of a source had not come when the next ones did: those that came late may have had
/// their places then.
fn missing(came: &BTreeMap<u64, Came>, after: u64, before: u64) -> RangeInclusive<u64> {
    let between = came.range(after + 1..before.max(after + 1));
    let missing = before.saturating_sub(after + 1) - between.clone().count() as u64;
    missing..=missing + between.filter(|(_, came)| came.is_late).count() as u64
}

/// The same of pictures.
fn lost_pictures(came: &BTreeMap<u64, Came>, after: u64, before: u64) -> RangeInclusive<u64> {
    let of = |came: &Came| came.origin.as_ref().map(|origin| origin.picture);
    let known: BTreeSet<_> = came.values().filter_map(of).collect();
    let in_time: BTreeSet<_> = came.values().filter(|came| !came.is_late).filter_map(of).collect();
    let lost = |known: &BTreeSet<u64>| (after + 1..before).filter(|one| !known.contains(one)).count() as u64;
    lost(&known)..=lost(&in_time)
}

fn run(commands: Vec<Command>) {
    let mut world = World::new();
    let all = PUBLICATIONS * ENCODINGS;
    let mut encoders: Vec<_> = (0..all).map(|at| Encoder::new(at, at as u32 + 1)).collect();
    let mut lost: Vec<(usize, MediaPacket, Origin)> = Vec::new();
    let mut sources = all as u32;
    for command in commands {
        match command {
            Command::Frame { encoding, key, temporal, sync, packets, lost: mask, swap } => {
                world.pass(Duration::from_millis(7));
                let temporal = if key { 0 } else { temporal };
                let layer = (temporal, sync && temporal > 0);
                let mut all = encoders[encoding].frame(&world, key, layer, packets);
                if swap {
                    all.reverse();
                }
                for (index, (packet, origin)) in all.into_iter().enumerate() {
                    if mask >> index & 1 == 1 {
                        lost.push((encoding, packet, origin));
                    } else {
                        world.give(encoding / ENCODINGS, &packet, Some(&origin));
                    }
                }
            }
            Command::Repair { which } if !lost.is_empty() => {
                let (encoding, packet, origin) = lost.swap_remove(which % lost.len());
                // Its session does not hand out what comes later than this.
                let is_ancient = encoders[encoding].number.abs_diff(packet.sequence_number) > 1_000;
                if encoders[encoding].ssrc == origin.ssrc && !is_ancient {
                    world.give(
                        encoding / ENCODINGS,
                        &MediaPacket { is_repair: true, ..packet },
                        Some(&origin),
                    );
                }
            }
            Command::Repair { .. } => {}
            Command::Padding { encoding } => {
                let packet = encoders[encoding].packet(&world, false, &[]);
                world.give(encoding / ENCODINGS, &packet, None);
            }
            Command::Restart { encoding } => {
                sources += 1;
                encoders[encoding] = Encoder::new(encoding, sources);
            }
            Command::Wait { milliseconds } => world.pass(Duration::from_millis(milliseconds)),
            Command::Wish { receiver, paused, size, priority } => {
                let now = world.now;
                if let Some(receiver) = &mut world.receivers[receiver] {
                    let size = size.map(|width| (width, width / 2));
                    let wish = Wish { size, priority, paused };
                    world.room.set_wish(now, receiver.subscription, wish).unwrap();
                    if paused && !receiver.paused {
                        receiver.run = None;
                    }
                    receiver.paused = paused;
                }
            }
            Command::Bitrate { receiver, kilobits } => {
                let bitrate = kilobits.map(|kilobits| kilobits * 1000);
                world.room.set_bitrate(world.now, world.participants[receiver], bitrate);
            }
            Command::KeyFrame { receiver } => {
                if let Some(receiver) = &world.receivers[receiver] {
                    world.room.request_key_frame(world.now, receiver.subscription);
                }
            }
            Command::Subscribe { receiver } => world.subscribe(receiver),
            Command::Unsubscribe { receiver } => {
                if let Some(receiver) = world.receivers[receiver].take() {
                    world.room.unsubscribe(world.now, receiver.subscription);
                }
            }
            Command::Mute { is_muted } => {
                world.room.set_muted(world.now, world.publications[0], is_muted).unwrap();
                world.is_muted = is_muted;
            }
            Command::Switch { receiver, to } => {
                let (now, publication) = (world.now, to.map(|to| world.publications[to]));
                if let Some(receiver) = &mut world.receivers[receiver] {
                    world.room.switch(now, receiver.subscription, publication).unwrap();
                    if receiver.of != to {
                        (receiver.of, receiver.run) = (to, None);
                    }
                }
            }
            Command::Republish { which } => {
                let (now, sender) = (world.now, world.sender);
                world.room.unpublish(now, world.publications[which]);
                world.publications[which] = world.room.publish(now, sender, offer()).unwrap();
                world.is_muted &= which != 0;
                for encoder in &mut encoders[which * ENCODINGS..][..ENCODINGS] {
                    sources += 1;
                    *encoder = Encoder::new(encoder.encoding, sources);
                }
                for receiver in world.receivers.iter_mut().flatten().filter(|one| one.of == Some(which)) {
                    (receiver.of, receiver.run) = (None, None);
                }
            }
        }
        world.events();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn receivers_see_one_continuous_stream(commands in commands()) {
        run(commands);
    }
}
