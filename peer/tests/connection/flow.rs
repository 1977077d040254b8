//! Packets of media between two ends, over networks that lose and delay them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use netsim::{Home, Link, Loss};
use rtp::Timestamp;
use rtp::extension::AudioLevel;
use twocan_peer::{
    Direction, EncodingInit, Event, MediaCapabilities, MediaKind, MediaPacket, OutgoingPacket, Prefix,
    TransceiverId, TransceiverInit,
};

use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(60);
const FRAME: Duration = Duration::from_millis(33);

pub(crate) fn world(seed: u64, links: impl Fn() -> Link) -> World {
    world_where(seed, links, true)
}

/// Bob can do what only some can, or what all can alone.
fn world_where(seed: u64, links: impl Fn() -> Link, is_new: bool) -> World {
    let home = |address| Home::public(address).links(links(), Link::default());
    World::configured(seed, [home("192.0.2.1"), home("192.0.2.2")], |index, configuration| {
        let (congestion_feedback, cryptex) = (is_new || index == ADA, is_new || index == ADA);
        let media = MediaCapabilities { congestion_feedback, cryptex, ..MediaCapabilities::default() };
        configuration.media = Some(Arc::new(media));
        configuration.unix_time = Duration::from_secs(1_800_000_000);
    })
}

/// Ada sends one medium; the transceiver's name at either end.
pub(crate) fn connected(world: &mut World, kind: MediaKind, encodings: Vec<EncodingInit>) -> TransceiverId {
    let init = TransceiverInit { direction: Direction::SendOnly, encodings, ..TransceiverInit::default() };
    let id = world.ends[ADA].peer.add_transceiver(kind, init).unwrap();
    world.until(PATIENCE, World::is_connected);
    id
}

/// Ada's next frame: packets of 1,000 bytes, each of which says its frame and place.
pub(crate) fn send(world: &mut World, (id, encoding): (TransceiverId, usize), frame: u32, count: u32) {
    let now = world.now;
    let peer = &mut world.ends[ADA].peer;
    let agreed = peer.transceiver(id).unwrap().agreement().unwrap();
    let payload_type = agreed.preferred().unwrap().send;
    for place in 0..count {
        let packet = OutgoingPacket {
            payload_type,
            marker: place + 1 == count,
            timestamp: Timestamp(frame.wrapping_mul(2970)),
            sequence_number: None,
            prefix: Prefix::new(&frame.to_be_bytes()).unwrap(),
            payload: [place.to_be_bytes().as_slice(), &[7; 992]].concat().into(),
        };
        peer.send_packet(now, id, encoding, packet, |_, _| ()).unwrap();
    }
    world.settle();
}

pub(crate) fn taken(world: &mut World) -> Vec<MediaPacket> {
    std::iter::from_fn(|| world.ends[BOB].peer.poll_packet()).collect()
}

pub(crate) fn pass(world: &mut World, time: Duration) {
    let until = world.now + time;
    while world.step(until) {}
    world.settle();
}

/// Frame and place of a packet.
pub(crate) fn said(packet: &MediaPacket) -> (u32, u32) {
    let packet = packet.read().unwrap();
    let (frame, rest) = packet.payload().split_first_chunk().unwrap();
    let place = rest.first_chunk().unwrap();
    assert_eq!(packet.payload().len(), 1000);
    (u32::from_be_bytes(*frame), u32::from_be_bytes(*place))
}

#[test]
fn sound_arrives_with_what_its_header_should_say() {
    let mut world = world(1, || Link::of(Duration::from_millis(10)));
    let id = connected(&mut world, MediaKind::Audio, Vec::new());
    let now = world.now;
    let agreed = world.ends[ADA].peer.transceiver(id).unwrap().agreement().unwrap();
    let payload_type = agreed.preferred().unwrap().send;
    let packet = OutgoingPacket {
        payload_type,
        marker: true,
        timestamp: Timestamp(960),
        sequence_number: Some(70_000),
        prefix: Prefix::default(),
        payload: b"sound".as_slice().into(),
    };
    let level = AudioLevel { level: 20, voice: true };
    let peer = &mut world.ends[ADA].peer;
    let add = |writer: &mut rtp::HeaderWriter<'_>, map: &rtp::extension::ExtensionMap| {
        assert!(writer.extension(map, &level));
    };
    peer.send_packet(now, id, 0, packet.clone(), add).unwrap();
    assert!(peer.send_packet(now, id, 0, packet, |_, _| ()).is_err(), "that number is taken");
    pass(&mut world, Duration::from_millis(100));
    let [came] = &taken(&mut world)[..] else { panic!("one packet") };
    let packet = came.read().unwrap();
    assert_eq!(packet.payload(), b"sound");
    assert_eq!((packet.header().timestamp(), packet.header().marker()), (Timestamp(960), true));
    assert_eq!(came.sequence_number % 65_536, 70_000 % 65_536);
    let other = world.ends[BOB].peer.transceiver(came.transceiver).unwrap();
    assert_eq!(packet.header().read(&other.agreement().unwrap().extensions), Some(level));
    assert_eq!(packet.header().payload_type(), payload_type);
    assert!(!came.is_repair);
}

#[test]
fn what_is_lost_is_asked_for_and_sent_again() {
    for seed in 1..=4 {
        let mut world = world(seed, || Link::of(Duration::from_millis(20)).loss(Loss::Random(0.05)));
        let id = connected(&mut world, MediaKind::Video, Vec::new());
        let (mut came, mut repaired) = (BTreeSet::new(), 0);
        for frame in 0..300 {
            send(&mut world, (id, 0), frame, 4);
            pass(&mut world, FRAME);
            for packet in taken(&mut world) {
                assert!(came.insert(said(&packet)), "seed {seed}: {:?} came twice", said(&packet));
                repaired += usize::from(packet.is_repair);
            }
        }
        pass(&mut world, Duration::from_secs(2));
        came.extend(taken(&mut world).iter().map(said));
        // All but what was lost too often, and what came at the very end, behind which nothing shows a gap.
        assert!(came.len() >= 1198, "seed {seed}: {} of 1200", came.len());
        assert!(repaired >= 30, "seed {seed}: {repaired} repaired");
    }
}

#[test]
fn the_target_finds_what_the_path_carries() {
    for is_new in [true, false] {
        target_is_found(is_new);
    }
}

/// By feedback about streams (RFC 8888), or about the transport.
fn target_is_found(is_new: bool) {
    let links = || Link { rate: Some(2_000_000), ..Link::of(Duration::from_millis(20)) };
    let mut world = world_where(3, links, is_new);
    let id = connected(&mut world, MediaKind::Video, Vec::new());
    let agreed = world.ends[ADA].peer.transceiver(id).unwrap().agreement().unwrap();
    assert_eq!((agreed.congestion_feedback, agreed.cryptex), (is_new, is_new));
    let (mut targets, mut owed) = (Vec::new(), 0);
    for frame in 0..600 {
        let target = world.ends[ADA].peer.target_bitrate().unwrap();
        targets.push(target);
        owed += target / 8 * 33 / 1000;
        let packets = owed / 1060;
        owed -= packets * 1060;
        send(&mut world, (id, 0), frame, packets as u32);
        pass(&mut world, FRAME);
        taken(&mut world);
    }
    let last = &targets[300..];
    let mean = last.iter().sum::<u64>() / last.len() as u64;
    assert!((1_400_000..2_300_000).contains(&mean), "{mean} bit/s of 2,000,000");
    let told = |event: &Event| matches!(event, Event::TargetBitrate(_));
    assert!(world.ends[ADA].events.iter().any(told));
}

#[test]
fn encodings_are_told_apart_by_name_and_only_until_they_are_known() {
    let mut world = world(5, || Link::of(Duration::from_millis(10)).loss(Loss::Random(0.02)));
    let names = ["q", "h", "f"].map(EncodingInit::named).to_vec();
    let id = connected(&mut world, MediaKind::Video, names);
    let mut by_encoding: BTreeMap<usize, u32> = BTreeMap::new();
    let mut named = Vec::new();
    for frame in 0..150 {
        for encoding in 0..3 {
            send(&mut world, (id, encoding), frame * 10 + encoding as u32, 2);
        }
        pass(&mut world, FRAME);
        for packet in taken(&mut world) {
            assert_eq!(said(&packet).0 % 10, packet.encoding as u32);
            *by_encoding.entry(packet.encoding).or_default() += 1;
            let other = world.ends[BOB].peer.transceiver(packet.transceiver).unwrap();
            let ids = &other.agreement().unwrap().extensions;
            let header = packet.read().unwrap().header();
            // What is sent again always says what it repeats.
            named.extend(
                (!packet.is_repair).then(|| header.read::<rtp::extension::RtpStreamId<'_>>(ids).is_some()),
            );
        }
    }
    assert!(by_encoding.len() == 3 && by_encoding.values().all(|count| *count > 280), "{by_encoding:?}");
    assert!(named[0] && named[named.len() - 10..].iter().all(|named| !*named));
}

#[test]
fn a_key_frame_is_asked_for_by_who_wants_one() {
    let mut world = world(6, || Link::of(Duration::from_millis(10)));
    let id = connected(&mut world, MediaKind::Video, Vec::new());
    let other = world.ends[BOB].peer.transceivers().next().unwrap().id();
    let now = world.now;
    assert!(!world.ends[BOB].peer.request_key_frame(now, other, 0), "nothing has come");
    send(&mut world, (id, 0), 0, 1);
    pass(&mut world, FRAME);
    let now = world.now;
    assert!(world.ends[BOB].peer.request_key_frame(now, other, 0));
    world.settle();
    pass(&mut world, FRAME);
    let asked = Event::KeyFrameRequested { transceiver: id, encoding: 0 };
    assert_eq!(world.ends[ADA].events.iter().filter(|event| **event == asked).count(), 1);

    // Who does not listen for a while is told once, however often it is asked.
    let address = |at: usize| world.ends[at].peer.ice().path().unwrap();
    let (path, mut datagrams) = (address(ADA), Vec::new());
    for _ in 0..100 {
        let [ada, bob] = &mut world.ends;
        assert!(bob.peer.request_key_frame(now, other, 0));
        while bob.peer.poll_transmit(now, &mut datagrams).is_some() {
            let received =
                wire::Received { source: path.remote, destination: path.local, bytes: &mut datagrams };
            ada.peer.handle_datagram(now, received).unwrap();
            datagrams.clear();
        }
    }
    let told = std::iter::from_fn(|| world.ends[ADA].peer.poll_event());
    assert_eq!(told.filter(|event| *event == asked).count(), 1);
}

#[test]
fn media_and_channels_share_the_path() {
    let mut world = world(7, || Link::of(Duration::from_millis(5)));
    let init = TransceiverInit::default();
    let id = world.ends[ADA].peer.add_transceiver(MediaKind::Video, init).unwrap();
    let (ada, bob) = world.channel("chat");
    // Media that is added to a connection that stands has its keys at once.
    let late = world.ends[ADA].peer.add_transceiver(MediaKind::Audio, TransceiverInit::default()).unwrap();
    world.until(PATIENCE, |world| {
        world.ends[ADA].peer.transceiver(late).is_some_and(|one| one.agreement().is_some())
    });
    for frame in 0..30 {
        send(&mut world, (id, 0), frame, 3);
        send(&mut world, (late, 0), frame, 1);
        let now = world.now;
        world.ends[ADA].peer.send_copy(now, ada, twocan_peer::Kind::Binary, &[9; 5_000]).unwrap();
        pass(&mut world, FRAME);
    }
    pass(&mut world, FRAME);
    assert_eq!(taken(&mut world).len(), 30 * 4);
    assert_eq!(world.ends[BOB].messages.iter().filter(|(channel, _)| *channel == bob).count(), 30);
}

#[test]
fn statistics_say_what_was_lost_and_what_came_again() {
    use twocan_peer::stats::Stats;
    let mut world = world(8, || Link::of(Duration::from_millis(20)).loss(Loss::Random(0.05)));
    let id = connected(&mut world, MediaKind::Video, Vec::new());
    for frame in 0..200 {
        send(&mut world, (id, 0), frame, 4);
        pass(&mut world, FRAME);
        taken(&mut world);
    }
    pass(&mut world, Duration::from_secs(3));
    let now = world.now;
    let (ours, theirs) = (world.ends[ADA].peer.stats(now), world.ends[BOB].peer.stats(now));
    let sent = ours.stats.iter().find_map(|stats| match stats {
        Stats::OutboundRtp(sent) => Some(sent.clone()),
        _ => None,
    });
    let came = theirs.stats.iter().find_map(|stats| match stats {
        Stats::InboundRtp(came) => Some(came.clone()),
        _ => None,
    });
    let remote = ours.stats.iter().find_map(|stats| match stats {
        Stats::RemoteInboundRtp(remote) => Some(remote.clone()),
        _ => None,
    });
    let (sent, came, remote) = (sent.unwrap(), came.unwrap(), remote.unwrap());
    assert_eq!((sent.packets_sent, sent.bytes_sent), (800, 800_000));
    assert!(came.packets_received + came.packets_lost.unsigned_abs() >= 799);
    assert!(came.packets_lost <= 2 && came.nack_count > 0 && sent.nack_count > 0, "{came:?}");
    assert!(came.retransmitted_packets_received > 10 && sent.retransmitted_packets_sent > 10);
    assert_eq!(came.bytes_received, came.packets_received * 1000);
    assert_eq!(
        (remote.local_id.as_str(), sent.remote_id.as_deref()),
        (&*sent.stream.id, Some(&*remote.stream.id))
    );
    let round_trip = remote.round_trip_time.unwrap();
    assert!((Duration::from_millis(39)..Duration::from_millis(45)).contains(&round_trip), "{round_trip:?}");
    let json = theirs.to_json(0.0);
    assert!(json.contains("\"type\":\"inbound-rtp\"") && json.contains("\"packetsLost\":"), "{json}");
}

#[test]
fn a_path_is_measured_before_there_are_pictures_for_it() {
    let mut world = world(9, || Link { rate: Some(5_000_000), ..Link::of(Duration::from_millis(20)) });
    connected(&mut world, MediaKind::Video, Vec::new());
    let now = world.now;
    world.ends[ADA].peer.set_wanted_bitrate(now, 2_500_000);
    world.until(PATIENCE, |world| world.ends[ADA].peer.target_bitrate() >= Some(2_500_000));
    assert!(world.now - now < Duration::from_secs(5), "{:?}", world.now - now);
    assert!(taken(&mut world).is_empty(), "padding is nothing to hand out");
}

#[test]
fn reports_on_many_streams_are_several_datagrams() {
    use twocan_peer::stats::Stats;
    let mut world = world(10, || Link { mtu: 1200, ..Link::of(Duration::from_millis(10)) });
    let init = TransceiverInit { direction: Direction::SendOnly, ..TransceiverInit::default() };
    let ids: Vec<TransceiverId> = (0..50)
        .map(|_| world.ends[ADA].peer.add_transceiver(MediaKind::Audio, init.clone()).unwrap())
        .collect();
    world.until(PATIENCE, World::is_connected);
    for frame in 0..100 {
        for id in &ids {
            send(&mut world, (*id, 0), frame, 1);
        }
        pass(&mut world, FRAME);
        taken(&mut world);
    }
    let stats = world.ends[ADA].peer.stats(world.now);
    let heard = stats.stats.iter().filter(|stats| match stats {
        Stats::RemoteInboundRtp(remote) => remote.round_trip_time.is_some(),
        _ => false,
    });
    assert_eq!(heard.count(), 50, "both ends have told of all");
}

#[test]
fn after_a_gap_that_is_too_long_a_key_frame_is_asked_for() {
    let mut world = world(11, || Link::of(Duration::from_millis(10)));
    let id = connected(&mut world, MediaKind::Video, Vec::new());
    for (number, ticks) in [(70_000, 0), (71_000, 9_000)] {
        let now = world.now;
        let peer = &mut world.ends[ADA].peer;
        let payload_type = peer.transceiver(id).unwrap().agreement().unwrap().preferred().unwrap().send;
        let packet = OutgoingPacket {
            payload_type,
            marker: true,
            timestamp: Timestamp(ticks),
            sequence_number: Some(number),
            prefix: Prefix::default(),
            payload: b"a picture".as_slice().into(),
        };
        peer.send_packet(now, id, 0, packet, |_, _| ()).unwrap();
        world.settle();
        pass(&mut world, FRAME * 10);
    }
    let asked = Event::KeyFrameRequested { transceiver: id, encoding: 0 };
    assert!(world.ends[ADA].events.contains(&asked));
}

/// What is asked for and kept no more is a key frame's work: who sends knows that at once, and does not fill the way with what is
/// older.
#[test]
fn what_is_kept_no_more_asks_for_a_key_frame() {
    let asked = |world: &World, id| {
        let asked = Event::KeyFrameRequested { transceiver: id, encoding: 0 };
        world.ends[ADA].events.iter().filter(|event| **event == asked).count()
    };
    for (outage, expected) in [(400, 0), (2_000, 1)] {
        let mut world = world(12, || Link::of(Duration::from_millis(50)));
        let id = connected(&mut world, MediaKind::Video, Vec::new());
        let (mut came, mut repaired) = (BTreeSet::new(), 0);
        let mut play = |world: &mut World, frames: std::ops::Range<u32>| {
            for frame in frames {
                send(world, (id, 0), frame, 1);
                pass(world, FRAME);
                for packet in taken(world) {
                    assert!(came.insert(said(&packet).0));
                    repaired += usize::from(packet.is_repair);
                }
            }
        };
        play(&mut world, 0..60);
        let (before, lasting) = (asked(&world, id), Duration::from_millis(outage));
        let (ada, line) = (world.ends[ADA].host, Link::of(Duration::from_millis(50)));
        let cut = Link { mtu: 0, ..line.clone() };
        world.network.relink(ada, cut.clone(), cut);
        play(&mut world, 60..60 + (lasting.as_millis() / FRAME.as_millis()) as u32);
        world.network.relink(ada, line, Link::default());
        play(&mut world, 200..230);
        assert_eq!(asked(&world, id) - before, expected, "{outage} ms");
        let lost = (60..200).filter(|frame| came.contains(frame)).count();
        assert_eq!(lost > 0 && repaired > 0, expected == 0, "{outage} ms: {lost}, {repaired}");
    }
}

/// Receivers go by what a forwarder knows of when media was taken; what comes late says nothing new.
#[test]
fn reports_are_dated_by_the_clock_that_is_known() {
    let mut world = world(11, || Link::of(Duration::from_millis(10)));
    let id = connected(&mut world, MediaKind::Video, Vec::new());
    // What the timestamp would be at the epoch.
    let said = |world: &World| {
        let clock = world.ends[BOB].peer.sender_clock(id, 0).unwrap();
        let ticks = (u128::from(clock.ntp.0) * 90_000) >> 32;
        clock.timestamp.0.wrapping_sub(ticks as u32)
    };
    let mut frame = 0;
    let mut show = |world: &mut World, late: bool| {
        for _ in 0..100 {
            frame += 1;
            send(world, (id, 0), frame, 1);
            if late {
                send(world, (id, 0), frame - 3, 1);
            }
            pass(world, FRAME);
        }
    };
    show(&mut world, false);
    let plain = said(&world);
    show(&mut world, true);
    let drift = said(&world).wrapping_sub(plain).cast_signed();
    assert!(drift.abs() < 90, "{drift}: a late one would be 100 ms");
    // What was sent just now was taken a second ago.
    let now = world.now;
    let peer = &mut world.ends[ADA].peer;
    peer.set_clock(id, 0, Some((now, Timestamp(201 * 2970 + 90_000))));
    show(&mut world, false);
    let ahead = said(&world).wrapping_sub(plain).cast_signed();
    assert!((89_900..90_100).contains(&ahead), "{ahead}");
    world.ends[ADA].peer.set_clock(id, 0, None);
    show(&mut world, false);
    assert!(said(&world).wrapping_sub(plain).cast_signed().abs() < 90);
}
