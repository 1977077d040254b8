//! A room of a forwarder (RFC 7667 §3.7) whose senders send anything: no number is given twice, nothing comes that nobody
//! wants, video begins where its codec says that it can, voices are left out only where there are more of them than are
//! forwarded, and time does not stand still.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use peer::{MediaKind, MediaPacket, TransceiverId};
use rtp::codec::Codec;
use rtp::extension::{ExtensionMap, Kind};
use rtp::{Fields, HeaderWriter, PayloadType, SequenceNumber, Ssrc, Timestamp};
use sfu::{Event, Offer, ParticipantId, PublicationId, Room, Source, SubscriptionId, Wish};

#[derive(Arbitrary, Debug)]
enum Command {
    Join,
    Leave { who: u8 },
    Publish { who: u8, codec: u8, source: u8, encodings: u8 },
    Unpublish { which: u8 },
    Subscribe { who: u8, which: u8, size: Option<(u16, u16)>, priority: u8 },
    Wish { which: u8, size: Option<(u16, u16)>, priority: u8, paused: bool },
    Unsubscribe { which: u8 },
    Bitrate { who: u8, bitrate: Option<u32> },
    Packet(Sent),
    Packets { sent: Sent, count: u8 },
    KeyFrame { which: u8 },
    Mute { which: u8, is_muted: bool },
    MayPublish { who: u8, source: u8, may: bool },
    Switch { which: u8, to: Option<u8> },
    Voices { most: u8 },
    Wait { hundredths: u8 },
}

/// What of a packet may be anything.
#[derive(Arbitrary, Debug)]
struct Sent {
    which: u8,
    encoding: u8,
    ssrc: u8,
    ahead: i8,
    ticks: u16,
    is_repair: bool,
    marker: bool,
    descriptor: Option<[u8; 8]>,
    level: Option<u8>,
    payload: Vec<u8>,
    raw: Option<Vec<u8>>,
}

struct World {
    now: Instant,
    room: Room,
    participants: Vec<ParticipantId>,
    publications: Vec<PublicationId>,
    subscriptions: Vec<SubscriptionId>,
    paused: BTreeSet<SubscriptionId>,
    /// What each is of; none: of nothing.
    of: BTreeMap<SubscriptionId, Option<PublicationId>>,
    given: BTreeMap<SubscriptionId, BTreeSet<u64>>,
    /// Those that were published, and how many of them are forwarded at most; none: all.
    microphones: BTreeSet<PublicationId>,
    voices: Option<NonZeroUsize>,
    number: u64,
    timestamp: u32,
}

const CODECS: [Codec; 6] = [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::H265, Codec::Av1];
const SOURCES: [Source; 4] = [Source::Microphone, Source::Camera, Source::Screen, Source::Other];

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let now = Instant::now();
    let mut world = World {
        now,
        room: Room::new(now),
        participants: Vec::new(),
        publications: Vec::new(),
        subscriptions: Vec::new(),
        paused: BTreeSet::new(),
        of: BTreeMap::new(),
        given: BTreeMap::new(),
        microphones: BTreeSet::new(),
        voices: None,
        number: 1 << 20,
        timestamp: 0,
    };
    while !input.is_empty() {
        let Ok(command) = input.arbitrary() else { break };
        world.obey(command);
        world.events();
    }
}

fn pick<T: Copy>(all: &[T], which: u8) -> Option<T> {
    all.get(usize::from(which).checked_rem(all.len())?).copied()
}

fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::default();
    for (id, kind) in [(1, Kind::AudioLevel), (2, Kind::DependencyDescriptor)] {
        map.insert(id, kind).expect("two ids");
    }
    map
}

impl World {
    fn obey(&mut self, command: Command) {
        let now = self.now;
        match command {
            Command::Join => self.participants.extend(self.room.join(now)),
            Command::Leave { who } => {
                if let Some(id) = pick(&self.participants, who) {
                    self.room.leave(now, id);
                }
            }
            Command::Publish { who, codec, source, encodings } => {
                let Some((id, codec)) = pick(&self.participants, who).zip(pick(&CODECS, codec)) else {
                    return;
                };
                let kind = if codec.is_audio() { MediaKind::Audio } else { MediaKind::Video };
                let source = SOURCES[usize::from(source) % 4];
                let encodings = usize::from(encodings % 10);
                let offer = Offer { kind, source, codec, extensions: extensions(), encodings };
                let is_microphone = codec.is_audio() && source == Source::Microphone;
                if let Ok(id) = self.room.publish(now, id, offer) {
                    self.publications.push(id);
                    self.microphones.extend(is_microphone.then_some(id));
                }
            }
            Command::Unpublish { which } => {
                if let Some(id) = pick(&self.publications, which) {
                    self.room.unpublish(now, id);
                    self.microphones.remove(&id);
                    self.of.values_mut().filter(|of| **of == Some(id)).for_each(|of| *of = None);
                }
            }
            Command::Subscribe { who, which, size, priority } => {
                let ids = pick(&self.participants, who).zip(pick(&self.publications, which));
                let Some((who, which)) = ids else { return };
                let wish = Wish { size, priority, paused: false };
                if let Ok(id) = self.room.subscribe(now, who, which, wish) {
                    self.subscriptions.push(id);
                    self.of.insert(id, Some(which));
                }
            }
            Command::Wish { which, size, priority, paused } => {
                let Some(id) = pick(&self.subscriptions, which) else { return };
                if self.room.set_wish(now, id, Wish { size, priority, paused }).is_err() {
                    return;
                }
                if paused {
                    self.paused.insert(id);
                } else {
                    self.paused.remove(&id);
                }
            }
            Command::Unsubscribe { which } => {
                if let Some(id) = pick(&self.subscriptions, which) {
                    self.room.unsubscribe(now, id);
                    self.paused.insert(id);
                }
            }
            Command::Bitrate { who, bitrate } => {
                if let Some(id) = pick(&self.participants, who) {
                    self.room.set_bitrate(now, id, bitrate.map(u64::from));
                }
            }
            Command::Packet(sent) => self.send(&sent),
            Command::Packets { sent, count } => (0..count % 32).for_each(|_| self.send(&sent)),
            Command::KeyFrame { which } => {
                if let Some(id) = pick(&self.subscriptions, which) {
                    self.room.request_key_frame(now, id);
                }
            }
            Command::Mute { which, is_muted } => {
                if let Some(id) = pick(&self.publications, which) {
                    let _ = self.room.set_muted(now, id, is_muted);
                }
            }
            Command::MayPublish { who, source, may } => {
                if let Some(id) = pick(&self.participants, who) {
                    let source = SOURCES[usize::from(source) % 4];
                    let _ = self.room.set_may_publish(now, id, source, may);
                }
            }
            Command::Switch { which, to } => {
                let Some(id) = pick(&self.subscriptions, which) else { return };
                let to = to.and_then(|to| pick(&self.publications, to));
                if self.room.switch(now, id, to).is_ok() {
                    self.of.insert(id, to);
                }
            }
            Command::Voices { most } => {
                self.voices = NonZeroUsize::new((most % 8).into());
                self.room.set_voices(self.voices);
            }
            Command::Wait { hundredths } => self.pass(Duration::from_millis(10 * u64::from(hundredths))),
        }
    }

    fn send(&mut self, sent: &Sent) {
        let Some(publication) = pick(&self.publications, sent.which) else { return };
        // A session gives no number of a source twice.
        self.number += 200;
        let number = self.number.saturating_add_signed(i64::from(sent.ahead));
        self.timestamp = self.timestamp.wrapping_add(u32::from(sent.ticks));
        let packet = MediaPacket {
            transceiver: TransceiverId::default(),
            encoding: usize::from(sent.encoding % 9),
            sequence_number: number,
            is_repair: sent.is_repair,
            arrived: self.now,
            bytes: sent.raw.clone().unwrap_or_else(|| self.bytes(sent, number)).into(),
        };
        let (given, paused, of) = (&mut self.given, &self.paused, &self.of);
        let (left_out, mut forwarded) = (self.room.left_out(), false);
        self.room.handle_packet(self.now, publication, &packet, |id, forward| {
            assert!(!paused.contains(&id), "nobody wants it");
            assert_eq!(of.get(&id), Some(&Some(publication)), "it is of something else");
            assert!(given.entry(id).or_default().insert(forward.sequence_number), "a number is given twice");
            assert!(forward.payload.len() + forward.prefix.len() <= packet.bytes.len());
            forwarded = true;
        });
        if self.room.left_out() > left_out {
            assert!(!forwarded && self.microphones.contains(&publication), "it is left out");
            let most = self.voices.map_or(usize::MAX, NonZeroUsize::get);
            assert!(self.microphones.len() > most, "there is a place for each");
        }
    }

    fn bytes(&self, sent: &Sent, number: u64) -> Vec<u8> {
        let fields = Fields {
            marker: sent.marker,
            payload_type: PayloadType::new(96).expect("it is one"),
            sequence_number: SequenceNumber(number as u16),
            timestamp: Timestamp(self.timestamp),
            ssrc: Ssrc(u32::from(sent.ssrc % 4)),
        };
        let mut bytes = Vec::new();
        let mut writer = HeaderWriter::new(&mut bytes, &fields);
        if let Some(descriptor) = &sent.descriptor {
            writer.raw_extension(&extensions(), Kind::DependencyDescriptor, descriptor);
        }
        if let Some(level) = sent.level {
            writer.raw_extension(&extensions(), Kind::AudioLevel, &[level]);
        }
        writer.finish().buffer().extend_from_slice(&sent.payload);
        bytes
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

    fn events(&mut self) {
        while let Some(event) = self.room.poll_event() {
            if let Event::RequestKeyFrame { encoding, .. } = event {
                assert!(encoding < sfu::limits::ENCODINGS);
            }
        }
    }
}
