//! A room that forwards few voices, beside a model of which: places go by all that has been heard of whoever has them. What is
//! left out is a pause for who receives it, and whoever alone is loud is heard.

#![expect(clippy::disallowed_methods, reason = "any instant will do to count from")]

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use peer::{MediaKind, MediaPacket, TransceiverId};
use proptest::prelude::*;
use rtp::codec::Codec;
use rtp::extension::{AudioLevel, ExtensionMap, Kind};
use rtp::{Fields, HeaderWriter, PayloadType, SequenceNumber, Ssrc, Timestamp};
use twocan_sfu::{Forward, Offer, ParticipantId, PublicationId, Room, Source, SubscriptionId, Wish};

const HANGOVER: Duration = Duration::from_millis(300);

/// What a packet says of its level, and whether it is a voice.
type Level = Option<(u8, bool)>;

/// Who owns the voices: the last two are one person's.
const OWNERS: [usize; 6] = [0, 1, 2, 3, 4, 4];

#[derive(Clone, Copy, Debug)]
enum Command {
    /// A packet of a voice, which may be lost, or come after the next one.
    Packet {
        of: usize,
        level: Option<u8>,
        voice: bool,
        fate: Fate,
    },
    Wait {
        milliseconds: u64,
    },
    Mute {
        of: usize,
        is_muted: bool,
    },
    /// So many are forwarded from now on; 0: all.
    Most {
        most: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Comes,
    Lost,
    Late,
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let level = prop_oneof![8 => (0_u8..=127).prop_map(Some), 2 => Just(Some(127)), 1 => Just(None)];
    let fate = prop_oneof![10 => Just(Fate::Comes), 1 => Just(Fate::Lost), 1 => Just(Fate::Late)];
    let packet = (0..OWNERS.len(), level, 0_u8..4, fate)
        .prop_map(|(of, level, voice, fate)| Command::Packet { of, level, voice: voice > 0, fate });
    let command = prop_oneof![
        40 => packet,
        20 => (0_u64..60).prop_map(|milliseconds| Command::Wait { milliseconds }),
        1 => (100_u64..2_000).prop_map(|milliseconds| Command::Wait { milliseconds }),
        1 => (0..OWNERS.len(), any::<bool>()).prop_map(|(of, is_muted)| Command::Mute { of, is_muted }),
        1 => (0_usize..6).prop_map(|most| Command::Most { most }),
    ];
    proptest::collection::vec(command, 1..400)
}

/// Who has a place, and all that was heard of them since.
struct Place {
    of: usize,
    since: Instant,
    heard: Vec<(Instant, i64)>,
}

impl Place {
    /// Thousandths of a decibel.
    fn loudness(&self, now: Instant) -> i64 {
        let is_silent = self.heard.last().is_none_or(|(at, _)| now - *at >= HANGOVER);
        let fallen = |(at, decibels): &(Instant, i64)| 1000 * decibels - 30 * (now - *at).as_millis() as i64;
        if is_silent { 0 } else { self.heard.iter().map(fallen).max().unwrap_or(0).max(0) }
    }
}

struct World {
    now: Instant,
    room: Room,
    publications: Vec<PublicationId>,
    subscriptions: Vec<SubscriptionId>,
    sources: Vec<Voice>,
    most: usize,
    places: Vec<Place>,
}

/// A voice as it is sent, and what the receiver has of it.
struct Voice {
    number: u64,
    newest: u64,
    muted: bool,
    has_level: bool,
    marks: bool,
    /// The receiver's number less the source's, in this stretch, which began so.
    stretch: Option<(u64, u64)>,
    /// The highest of the receiver's numbers.
    last: Option<u64>,
}

fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::default();
    map.insert(1, Kind::AudioLevel).unwrap();
    map
}

impl World {
    fn new(most: usize) -> Self {
        let now = Instant::now();
        let mut room = Room::new(now);
        room.set_voices(NonZeroUsize::new(most));
        let people: Vec<ParticipantId> = (0..OWNERS.len()).map(|_| room.join(now).unwrap()).collect();
        let (kind, source, codec) = (MediaKind::Audio, Source::Microphone, Codec::Opus);
        let offer = Offer { kind, source, codec, extensions: extensions(), encodings: 1 };
        let publish = |owner: &usize| room.publish(now, people[*owner], offer.clone()).unwrap();
        let publications: Vec<PublicationId> = OWNERS.iter().map(publish).collect();
        let subscribe = |id: &PublicationId| room.subscribe(now, people[5], *id, Wish::default()).unwrap();
        let subscriptions = publications.iter().map(subscribe).collect();
        let source = |at: usize| Voice {
            number: 70_000 + 1_000 * at as u64,
            newest: 0,
            muted: false,
            has_level: false,
            marks: false,
            stretch: None,
            last: None,
        };
        let sources = (0..OWNERS.len()).map(source).collect();
        Self { now, room, publications, subscriptions, sources, most, places: Vec::new() }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        if self.room.poll_timeout().is_some_and(|(due, _)| due <= self.now) {
            self.room.handle_timeout(self.now);
        }
        while self.room.poll_event().is_some() {}
    }

    /// Whether the model forwards a packet.
    fn admits(&mut self, of: usize, decibels: i64) -> bool {
        let now = self.now;
        let heard = if decibels > 0 { vec![(now, decibels)] } else { Vec::new() };
        if self.most == 0 {
            return true;
        }
        if let Some(place) = self.places.iter_mut().find(|place| place.of == of) {
            place.heard.extend(heard);
            return true;
        }
        let own = Place { of, since: now, heard };
        if self.places.len() < self.most {
            self.places.push(own);
            return true;
        }
        let owner = |place: &Place| OWNERS[place.of];
        let has_one = self.places.iter().any(|place| owner(place) == OWNERS[of]);
        let loudness = |at: usize| {
            let place = &self.places[at];
            let is_second = self.places[..at].iter().any(|first| owner(first) == owner(place));
            if is_second { 0 } else { place.loudness(now) }
        };
        let may_go = |at: &usize| {
            let place = &self.places[*at];
            (loudness(*at) == 0 || now - place.since >= HANGOVER) && (!has_one || owner(place) == OWNERS[of])
        };
        let quietest = (0..self.places.len()).filter(may_go).min_by_key(|at| loudness(*at));
        let Some(at) = quietest else { return false };
        let is_louder = loudness(at) == 0 || 1000 * decibels >= loudness(at) + 6000;
        if decibels > 0 && is_louder {
            self.places[at] = own;
            return true;
        }
        false
    }

    fn packet(&mut self, of: usize, level: Level) -> MediaPacket {
        let ticks = self.sources[of].number as u32 * 960;
        let number = self.sources[of].number;
        self.sources[of].number += 1;
        let mut bytes = Vec::new();
        let fields = Fields {
            marker: false,
            payload_type: PayloadType::new(111).unwrap(),
            sequence_number: SequenceNumber(number as u16),
            timestamp: Timestamp(ticks),
            ssrc: Ssrc(of as u32 + 1),
        };
        let mut writer = HeaderWriter::new(&mut bytes, &fields);
        if let Some((level, voice)) = level {
            assert!(writer.extension(&extensions(), &AudioLevel { level, voice }));
        }
        writer.finish().buffer().extend_from_slice(&[0xF8, 1, 2]);
        MediaPacket {
            transceiver: TransceiverId::default(),
            encoding: 0,
            sequence_number: number,
            is_repair: false,
            arrived: self.now,
            bytes: bytes.into(),
        }
    }

    /// Gives the room a packet; whether it was forwarded.
    fn give(&mut self, of: usize, packet: MediaPacket, level: Level) -> bool {
        let packet = MediaPacket { arrived: self.now, ..packet };
        let (before, mut given) = (self.room.left_out(), None);
        let wanted = self.subscriptions[of];
        self.room.handle_packet(self.now, self.publications[of], &packet, |id, forward| {
            assert_eq!(id, wanted);
            assert!(given.replace(forward).is_none());
        });
        let was_left_out = self.room.left_out() > before;
        let is_late = packet.sequence_number < self.sources[of].newest;
        let source = &mut self.sources[of];
        source.newest = source.newest.max(packet.sequence_number);
        source.has_level |= level.is_some();
        source.marks |= level.is_some_and(|(_, voice)| voice);
        let decibels = match level {
            Some((level, voice)) if !is_late && (voice || !source.marks) => 127 - i64::from(level),
            _ => 0,
        };
        let admitted = source.muted || !source.has_level || self.admits(of, decibels);
        assert_eq!(was_left_out, !admitted, "{of} {level:?}");
        let source = &mut self.sources[of];
        if source.muted || !admitted {
            assert!(given.is_none());
            source.stretch = None;
        } else if let Some(forward) = &given {
            source.receive(forward, packet.sequence_number);
        } else {
            assert!(is_late, "what is not late is not missing");
        }
        given.is_some()
    }
}

impl Voice {
    fn receive(&mut self, forward: &Forward, number: u64) {
        let is_first = self.stretch.is_none();
        assert_eq!(forward.marker, is_first, "it follows a pause");
        assert_eq!(forward.timestamp.0, number as u32 * 960, "as much passes as at the sender");
        let (from, shift) =
            *self.stretch.get_or_insert((number, forward.sequence_number.wrapping_sub(number)));
        assert!(number >= from, "it is of before the pause");
        assert_eq!(forward.sequence_number, number.wrapping_add(shift), "gaps are where packets are missing");
        if is_first && let Some(last) = self.last {
            assert_eq!(forward.sequence_number, last + 1, "a pause leaves no gap");
        }
        self.last = self.last.max(Some(forward.sequence_number));
    }
}

fn run(most: usize, commands: Vec<Command>) {
    let mut world = World::new(most);
    let mut late: Vec<(usize, MediaPacket, Level)> = Vec::new();
    for command in commands {
        match command {
            Command::Packet { of, level, voice, fate } => {
                let level = level.map(|level| (level, voice));
                let packet = world.packet(of, level);
                match fate {
                    Fate::Comes => drop(world.give(of, packet, level)),
                    Fate::Lost => {}
                    Fate::Late => late.push((of, packet, level)),
                }
                if fate != Fate::Late
                    && let Some((of, packet, level)) = late.pop()
                {
                    world.give(of, packet, level);
                }
            }
            Command::Wait { milliseconds } => world.pass(Duration::from_millis(milliseconds)),
            Command::Mute { of, is_muted } => {
                let id = world.publications[of];
                world.room.set_muted(world.now, id, is_muted).unwrap();
                if world.sources[of].muted != is_muted {
                    world.sources[of].muted = is_muted;
                    world.sources[of].stretch = None;
                    world.places.retain(|place| place.of != of);
                }
            }
            Command::Most { most } => {
                world.room.set_voices(NonZeroUsize::new(most));
                world.most = most;
                world.places.truncate(most);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn few_voices_are_forwarded_and_others_pause(most in 1_usize..5, commands in commands()) {
        run(most, commands);
    }

    /// Others make noise of any kind; one speaks, with pauses.
    #[test]
    fn whoever_alone_is_loud_is_always_heard(
        most in 1_usize..4,
        noise in proptest::collection::vec((0_usize..4, 75_u8..=127, any::<bool>(), 0_u64..30), 50..500),
        speech in proptest::collection::vec((0_u8..50, 1_u64..20), 1..50),
    ) {
        let mut world = World::new(most);
        let mut speech = speech.into_iter();
        let mut next = Duration::from_secs(1);
        let mut passed = Duration::ZERO;
        for (of, level, voice, wait) in noise {
            passed += Duration::from_millis(wait);
            world.pass(Duration::from_millis(wait));
            let level = Some((level, voice));
            let packet = world.packet(of, level);
            world.give(of, packet, level);
            // All places may have been taken just now.
            let is_held = |place: &Place| place.of != 5 && world.now - place.since < HANGOVER;
            let waits = world.places.len() == most && world.places.iter().all(is_held);
            if passed >= next && !waits && let Some((loud, pause)) = speech.next() {
                next = passed + Duration::from_millis(20 * pause);
                let level = Some((loud, true));
                let packet = world.packet(5, level);
                prop_assert!(world.give(5, packet, level), "{loud}");
            }
        }
    }
}
