use rtp::codec::Codec;
use rtp::extension::{LayerSize, SpatialLayer, VideoLayersAllocation};

use super::*;
use crate::event::Why;
use crate::publication::Source;
use crate::tests::{Feed, World, descriptor, extensions, ms, offer};

mod voices;

fn key_frames(event: &Event) -> bool {
    matches!(event, Event::RequestKeyFrame { .. })
}

#[test]
fn sound_passes_through() {
    let mut world = World::new(offer(Codec::Opus, 1), Wish::default());
    let mut feed = Feed::new(0);
    let first = world.give(&feed.sound(30)).unwrap();
    assert!(first.marker, "silence was before");
    assert_eq!((first.timestamp.0, first.sequence_number), (feed.timestamp, 1 << 16));
    assert_eq!((&*first.prefix, &first.payload[..]), (&[][..], &[0xF8, 1, 2, 3][..]));
    assert_eq!(world.give(&feed.padding()), None);
    let second = world.give(&feed.sound(30)).unwrap();
    assert_eq!((second.timestamp.0, second.sequence_number), (feed.timestamp, (1 << 16) + 1));
    assert!(!second.marker);

    world.room.set_wish(world.now, world.subscription, Wish { paused: true, ..Wish::default() }).unwrap();
    assert_eq!(world.give(&feed.sound(30)), None);
    world.room.set_wish(world.now, world.subscription, Wish::default()).unwrap();
    world.pass(ms(500));
    let third = world.give(&feed.sound(30)).unwrap();
    assert_eq!((third.timestamp.0, third.sequence_number), (feed.timestamp, (1 << 16) + 2));
    assert!(third.marker);
    assert_eq!(world.events(key_frames), []);
}

#[test]
fn video_begins_with_a_key_frame_that_is_asked_for() {
    let mut world = World::new(offer(Codec::Vp8, 1), Wish::default());
    let publication = world.publication;
    let ask = Event::RequestKeyFrame { publication, encoding: 0 };
    assert_eq!(world.events(key_frames), [ask]);
    let mut feed = Feed::new(0);
    assert_eq!(world.give(&feed.simple(false)), None);
    world.pass(ms(990));
    assert_eq!(world.events(key_frames), []);
    world.pass(ms(20));
    assert_eq!(world.events(key_frames), [ask], "none came");

    let late = feed.simple(false);
    let frame = feed.frame(3000, true, (0, false), 3);
    let numbers: Vec<_> =
        frame.iter().map(|packet| world.give(packet).map(|forward| forward.sequence_number)).collect();
    assert_eq!(numbers, [Some(65_536), Some(65_537), Some(65_538)]);
    assert_eq!(world.give(&late), None, "it is from before");
    world.pass(ms(5_000));
    assert_eq!(world.events(key_frames), [], "one came");

    // What is missing stays missing, until it comes.
    let (missing, next) = (feed.simple(false), feed.simple(false));
    assert_eq!(world.give(&next).unwrap().sequence_number, 65_540);
    let repaired = world.give(&MediaPacket { is_repair: true, ..missing }).unwrap();
    assert_eq!(repaired.sequence_number, 65_539);
}

#[test]
fn requests_for_key_frames_are_merged_and_limited() {
    let mut world = World::new(offer(Codec::Vp8, 1), Wish::default());
    let (publication, receiver) = (world.publication, world.receiver);
    let other = world.room.subscribe(world.now, receiver, publication, Wish::default()).unwrap();
    let ask = Event::RequestKeyFrame { publication, encoding: 0 };
    assert_eq!(world.events(key_frames), [ask]);
    let mut feed = Feed::new(0);
    world.give(&feed.simple(true));
    world.room.request_key_frame(world.now, world.subscription);
    world.room.request_key_frame(world.now, other);
    assert_eq!(world.events(key_frames), [], "it was asked just now");
    world.pass(ms(299));
    assert_eq!(world.events(key_frames), []);
    assert_eq!(world.room.poll_timeout(), Some((world.now + ms(1), Reason::KeyFrame)));
    world.pass(ms(1));
    assert_eq!(world.events(key_frames), [ask]);
    world.room.unsubscribe(world.now, world.subscription);
    world.room.unsubscribe(world.now, other);
    world.pass(ms(3_000));
    assert_eq!(world.events(key_frames), [], "nobody needs one");
}

#[test]
fn a_higher_encoding_is_switched_to_at_its_key_frame() {
    let mut world = World::new(offer(Codec::Vp8, 2), Wish::default());
    let (mut low, mut high) = (Feed::new(0), Feed::new(1));
    let first = world.give(&low.simple(true)).unwrap();
    // The other clock runs 10 ms behind on its way.
    world.pass(ms(10));
    assert_eq!(world.give(&high.simple(false)), None);
    world.pass(ms(23));
    let second = world.give(&low.simple(false)).unwrap();
    assert_eq!(second.timestamp.ahead_of(first.timestamp), 3000);
    world.pass(ms(33));
    let third = world.give(&high.frame(6000, true, (0, false), 2)[0]).unwrap();
    assert_eq!(third.sequence_number, second.sequence_number + 1);
    assert_eq!(third.timestamp.ahead_of(second.timestamp), 33 * 90, "by arrival");
    assert_eq!(world.give(&low.simple(false)), None);
    let ids = [&first, &second, &third].map(|forward| {
        let descriptor = descriptor(forward);
        (descriptor.picture_id.unwrap().value, descriptor.tl0_picture_index.unwrap())
    });
    assert_eq!([ids[1].0 - ids[0].0, ids[2].0 - ids[1].0], [1, 1]);
    assert_eq!([ids[1].1 - ids[0].1, ids[2].1 - ids[1].1], [1, 1]);
    let layers = world.events(|event| matches!(event, Event::Layer { .. }));
    let encodings = layers.iter().map(|event| match event {
        Event::Layer { layer, .. } => layer.map(|layer| layer.encoding),
        _ => None,
    });
    assert_eq!(encodings.collect::<Vec<_>>(), [Some(0), Some(1)]);
}

#[test]
fn another_source_of_an_encoding_begins_anew() {
    let mut world = World::new(offer(Codec::Vp8, 1), Wish::default());
    let mut feed = Feed::new(0);
    let first = world.give(&feed.simple(true)).unwrap();
    let late = feed.simple(false);
    world.events(|_| false);
    world.pass(ms(400));
    let mut other = Feed { encoding: 0, ..Feed::new(2) };
    assert_eq!(world.give(&other.simple(false)), None);
    let ask = Event::RequestKeyFrame { publication: world.publication, encoding: 0 };
    assert_eq!(world.events(key_frames), [ask]);
    assert_eq!(world.give(&late), None);
    assert_eq!(world.room.counters().get(Fault::FormerSource), 1);
    let second = world.give(&other.simple(true)).unwrap();
    assert_eq!(second.sequence_number, first.sequence_number + 1);
    assert!(second.timestamp.ahead_of(first.timestamp) >= 3000);
}

#[test]
fn all_ends_with_what_it_depends_on() {
    let mut world = World::new(offer(Codec::Opus, 1), Wish::default());
    let mut feed = Feed::new(0);
    world.room.leave(world.now, world.sender);
    assert_eq!(world.give(&feed.sound(1)), None);
    assert_eq!(world.room.counters().get(Fault::UnknownPublication), 1);
    // A subscription waits for what it is switched to, as long as its receiver is there.
    let again = world.room.set_wish(world.now, world.subscription, Wish::default());
    assert_eq!(again, Ok(()));
    world.room.leave(world.now, world.receiver);
    let again = world.room.set_wish(world.now, world.subscription, Wish::default());
    assert_eq!(again, Err(Refused::UnknownSubscription));
    let refused = world.room.publish(world.now, world.sender, offer(Codec::Vp8, 1));
    assert_eq!(refused, Err(Refused::UnknownParticipant));
}

#[test]
fn a_stream_goes_on_when_it_is_switched() {
    let mut world = World::new(offer(Codec::Vp8, 1), Wish::default());
    let (mut ada, mut eve) = (Feed::new(0), Feed::new(0));
    (eve.ssrc, eve.number, eve.timestamp, eve.picture) = (7, 99_000, 3_000_000_000, 9);
    let other = world.room.join(world.now).unwrap();
    let second = world.room.publish(world.now, other, offer(Codec::Vp8, 1)).unwrap();
    let first = world.give(&ada.simple(true)).unwrap();
    // Both are known, so that their clocks are.
    let from_eve = |world: &mut World, packet: &MediaPacket| {
        world.publication = second;
        let given = world.give(packet);
        world.publication = PublicationId(0);
        given
    };
    assert_eq!(from_eve(&mut world, &eve.simple(true)), None);
    world.pass(ms(1_000));
    world.events(|_| true);
    world.room.switch(world.now, world.subscription, Some(second)).unwrap();
    let ask = Event::RequestKeyFrame { publication: second, encoding: 0 };
    assert!(world.events(key_frames).contains(&ask));
    assert_eq!(world.give(&ada.simple(true)), None, "it is left");
    eve.timestamp = eve.timestamp.wrapping_add(90_000 - 3_000);
    assert_eq!(from_eve(&mut world, &eve.simple(false)), None, "it begins with a key frame");
    let began = from_eve(&mut world, &eve.simple(true)).unwrap();
    assert_eq!(began.sequence_number, first.sequence_number + 1);
    assert_eq!(began.timestamp.ahead_of(first.timestamp), 90_000, "as much as has passed");
    let picture = |forward: &Forward| descriptor(forward).picture_id.unwrap().value;
    assert_eq!(picture(&began), picture(&first) + 1);
    let layers = |event: &Event| matches!(event, Event::Layer { layer: Some(_), .. });
    assert_eq!(world.events(layers).len(), 1, "what it gets now is told");

    // Nothing for a while, and then something again.
    world.room.switch(world.now, world.subscription, None).unwrap();
    assert_eq!(from_eve(&mut world, &eve.simple(true)), None);
    world.pass(ms(1_000));
    world.room.unpublish(world.now, second);
    world.room.switch(world.now, world.subscription, Some(world.publication)).unwrap();
    ada.timestamp = ada.timestamp.wrapping_add(2 * 90_000);
    let again = world.give(&ada.simple(true)).unwrap();
    assert_eq!(again.sequence_number, began.sequence_number + 1);
    assert!((89_000..92_000).contains(&again.timestamp.ahead_of(began.timestamp)));
    let gone = world.room.switch(world.now, world.subscription, Some(second));
    assert_eq!(gone, Err(Refused::UnknownPublication));
}

#[test]
fn a_clock_of_another_rate_goes_on_from_the_last_packet() {
    let mut world = World::new(offer(Codec::Opus, 1), Wish::default());
    let other = world.room.join(world.now).unwrap();
    let second = world.room.publish(world.now, other, offer(Codec::Pcmu, 1)).unwrap();
    let mut feed = Feed::new(0);
    let first = world.give(&feed.sound(30)).unwrap();
    world.room.switch(world.now, world.subscription, Some(second)).unwrap();
    world.publication = second;
    (feed.ssrc, feed.timestamp) = (9, 77);
    let next = world.give(&feed.sound(30)).unwrap();
    assert_eq!(next.timestamp, first.timestamp);
    assert_eq!(next.sequence_number, first.sequence_number + 1);
}

#[test]
fn a_room_is_bounded() {
    let mut world = World::new(offer(Codec::Opus, 1), Wish::default());
    let (now, sender, receiver) = (world.now, world.sender, world.receiver);
    let refused = [
        world.room.publish(now, sender, Offer { codec: Codec::Vp8, ..offer(Codec::Opus, 1) }),
        world.room.publish(now, sender, offer(Codec::Opus, 2)),
        world.room.publish(now, sender, offer(Codec::Vp8, 0)),
        world.room.publish(now, sender, offer(Codec::Vp8, limits::ENCODINGS + 1)),
    ];
    let expected = [Refused::Codec, Refused::Encodings, Refused::Encodings, Refused::Encodings];
    assert_eq!(refused, expected.map(Err));
    for _ in 1..limits::PUBLICATIONS {
        world.room.publish(now, sender, offer(Codec::Opus, 1)).unwrap();
    }
    let more = world.room.publish(now, sender, offer(Codec::Opus, 1));
    assert_eq!(more, Err(Refused::TooManyPublications));
    for _ in 1..limits::SUBSCRIPTIONS {
        world.room.subscribe(now, receiver, world.publication, Wish::default()).unwrap();
    }
    let more = world.room.subscribe(now, receiver, world.publication, Wish::default());
    assert_eq!(more, Err(Refused::TooManySubscriptions));
}

/// Three encodings of 30 frames per second, of which the sender sends those with a bit.
struct Simulcast {
    feeds: [Feed; 3],
    on: u8,
    /// Which of them owe a key frame.
    key: [bool; 3],
}

/// Bits per second of each, near enough.
const RATES: [u64; 3] = [120_000, 360_000, 1_200_000];

impl Simulcast {
    fn new() -> Self {
        let feed = |at: usize| Feed { length: (RATES[at] / 240) as usize - 60, ..Feed::new(at) };
        Self { feeds: [feed(0), feed(1), feed(2)], on: 0b111, key: [true; 3] }
    }

    /// Sends for a while; the events, and the encodings that were forwarded, each once in a row.
    fn run(&mut self, world: &mut World, time: u64) -> (Vec<Event>, Vec<usize>) {
        let (mut events, mut encodings) = (Vec::new(), Vec::new());
        for _ in 0..time * 30 / 1000 {
            world.pass(ms(33));
            for (at, feed) in self.feeds.iter_mut().enumerate() {
                let packet = feed.simple(self.key[at]);
                if self.on >> at & 1 == 0 {
                    feed.number -= 1;
                    continue;
                }
                self.key[at] = false;
                if world.give(&packet).is_some() && encodings.last() != Some(&at) {
                    encodings.push(at);
                }
            }
            for event in world.events(|_| true) {
                match event {
                    Event::RequestKeyFrame { encoding, .. } => self.key[encoding] = true,
                    Event::Wanted { encodings, .. } => {
                        (0..3).for_each(|at| self.key[at] |= encodings & !self.on & (1 << at) != 0);
                        self.on = encodings;
                    }
                    _ => {}
                }
                events.push(event);
            }
        }
        (events, encodings)
    }
}

fn layers(events: &[Event]) -> Vec<(Option<usize>, Why)> {
    let layer = |event: &Event| match event {
        Event::Layer { layer, why, .. } => Some((layer.map(|layer| layer.encoding), *why)),
        _ => None,
    };
    events.iter().filter_map(layer).collect()
}

#[test]
fn layers_follow_the_estimate_down_at_once_and_up_after_a_while() {
    let mut world = World::new(offer(Codec::Vp8, 3), Wish::default());
    let mut sender = Simulcast::new();
    let (_, encodings) = sender.run(&mut world, 5_500);
    assert_eq!(encodings, [0, 2], "until the highest one's key frame came");

    let receiver = world.receiver;
    world.room.set_bitrate(world.now, receiver, Some(500_000));
    let (events, encodings) = sender.run(&mut world, 500);
    assert_eq!(encodings.last(), Some(&1));
    assert_eq!(layers(&events).last(), Some(&(Some(1), Why::Bandwidth)));

    world.room.set_bitrate(world.now, receiver, Some(50_000));
    let (events, encodings) = sender.run(&mut world, 1_000);
    assert!(encodings.is_empty());
    assert_eq!(layers(&events), [(None, Why::Bandwidth)]);

    world.room.set_bitrate(world.now, receiver, Some(2_000_000));
    let (_, encodings) = sender.run(&mut world, 800);
    assert!(encodings.is_empty(), "it might be an error");
    let (events, encodings) = sender.run(&mut world, 1_000);
    assert_eq!(encodings.last(), Some(&2));
    assert_eq!(layers(&events).last(), Some(&(Some(2), Why::Source)));
}

#[test]
fn what_does_not_fit_goes_on_with_its_lowest_layer_until_less_comes() {
    let mut world = World::new(offer(Codec::Vp8, 3), Wish::default());
    let mut sender = Simulcast::new();
    sender.run(&mut world, 5_500);
    let mut given = |world: &mut World, temporal: u8| {
        let frame = sender.feeds[2].frame(3_000, false, (temporal, true), 1);
        world.give(&frame[0]).map(|forward| (forward.sequence_number, forward.begins))
    };
    let (first, _) = given(&mut world, 0).unwrap();
    assert_eq!(given(&mut world, 1), Some((first + 1, false)));
    world.room.set_bitrate(world.now, world.receiver, Some(500_000));
    assert_eq!(given(&mut world, 1), None);
    assert_eq!(given(&mut world, 0), Some((first + 2, false)));
    assert_eq!(given(&mut world, 2), None);
    assert_eq!(given(&mut world, 0), Some((first + 3, false)));
    let less = sender.feeds[1].frame(3_000, true, (0, false), 2);
    let less = less.iter().map(|packet| world.give(packet).map(|one| (one.sequence_number, one.begins)));
    assert_eq!(less.collect::<Vec<_>>(), [Some((first + 4, true)), Some((first + 5, false))]);
}

#[test]
fn a_stream_begins_whatever_the_estimate_says_and_is_paused_if_it_stays() {
    let mut world = World::new(offer(Codec::Vp8, 3), Wish::default());
    let mut sender = Simulcast::new();
    world.room.set_bitrate(world.now, world.receiver, Some(50_000));
    let (_, encodings) = sender.run(&mut world, 4_500);
    assert_eq!(encodings, [0]);
    let (events, _) = sender.run(&mut world, 1_000);
    assert_eq!(layers(&events), [(None, Why::Bandwidth)]);
}

#[test]
fn no_larger_picture_is_forwarded_than_is_shown() {
    let size = Some((640, 360));
    let mut world = World::new(offer(Codec::Vp8, 3), Wish { size, ..Wish::default() });
    let mut sender = Simulcast::new();
    let (events, encodings) = sender.run(&mut world, 3_000);
    assert_eq!(encodings.last(), Some(&1));
    assert_eq!(layers(&events).last(), Some(&(Some(1), Why::Wish)));
    let wants = events.iter().rev().find_map(|event| match event {
        Event::WantsBitrate { bits_per_second, .. } => Some(*bits_per_second),
        _ => None,
    });
    let wants = wants.unwrap();
    assert!((360_000..460_000).contains(&wants), "{wants}");
}

#[test]
fn what_nobody_watches_is_switched_off_and_on_again() {
    let size = Some((320, 180));
    let mut world = World::new(offer(Codec::Vp8, 3), Wish { size, ..Wish::default() });
    let mut sender = Simulcast::new();
    let publication = world.publication;
    let (events, encodings) = sender.run(&mut world, 6_000);
    assert!(events.contains(&Event::Wanted { publication, encodings: 0b001 }));
    assert_eq!((sender.on, encodings.last()), (0b001, Some(&0)));

    world.room.set_wish(world.now, world.subscription, Wish::default()).unwrap();
    let (events, encodings) = sender.run(&mut world, 1_000);
    assert!(events.contains(&Event::Wanted { publication, encodings: 0b101 }));
    assert_eq!(encodings, [0, 2], "the lower one until then");
    let (_, encodings) = sender.run(&mut world, 6_000);
    assert_eq!((sender.on, encodings), (0b100, vec![2]));

    // The lowest one is off when it is needed.
    world.room.set_bitrate(world.now, world.receiver, Some(200_000));
    let (_, encodings) = sender.run(&mut world, 1_000);
    assert_eq!(encodings, [2, 0]);
    world.room.unsubscribe(world.now, world.subscription);
    sender.run(&mut world, 6_000);
    assert_eq!(sender.on, 0);
}

fn speakers(world: &mut World) -> Vec<Option<ParticipantId>> {
    let speaker = |event: Event| match event {
        Event::Speaker { participant } => Some(participant),
        _ => None,
    };
    world.events(|_| true).into_iter().filter_map(speaker).collect()
}

/// Somebody says something for a while.
fn speak(world: &mut World, feed: &mut Feed, publication: PublicationId, time: u64) {
    for _ in 0..time / 20 {
        world.pass(ms(20));
        let packet = MediaPacket { arrived: world.now, ..feed.sound(20) };
        world.room.handle_packet(world.now, publication, &packet, |_, _| {});
    }
}

#[test]
fn who_speaks_is_told() {
    let mut world = World::new(offer(Codec::Opus, 1), Wish::default());
    let (sender, receiver) = (world.sender, world.receiver);
    let other = world.room.publish(world.now, receiver, offer(Codec::Opus, 1)).unwrap();
    let (mut one, mut two) = (Feed::new(0), Feed::new(0));
    let own = world.publication;
    speak(&mut world, &mut one, own, 1_000);
    assert_eq!(speakers(&mut world), [Some(sender)]);
    speak(&mut world, &mut two, other, 2_000);
    assert_eq!(speakers(&mut world), [Some(receiver)]);
    world.room.set_muted(world.now, other, true).unwrap();
    speak(&mut world, &mut two, other, 3_000);
    assert_eq!(speakers(&mut world), [None], "nobody hears it");
    world.room.set_muted(world.now, other, false).unwrap();
    speak(&mut world, &mut two, other, 1_000);
    assert_eq!(speakers(&mut world), [Some(receiver)]);
    world.room.leave(world.now, receiver);
    assert_eq!(speakers(&mut world), [None]);
}

#[test]
fn what_may_not_be_published_is_not() {
    let mut world = World::new(offer(Codec::Vp8, 1), Wish::default());
    let (now, sender) = (world.now, world.sender);
    let mut feed = Feed::new(0);
    assert!(world.give(&feed.simple(true)).is_some());
    world.room.set_may_publish(now, sender, Source::Camera, false).unwrap();
    assert_eq!(world.give(&feed.simple(true)), None);
    assert_eq!(world.room.publish(now, sender, offer(Codec::Vp8, 1)), Err(Refused::NotPermitted));
    assert!(world.room.publish(now, sender, offer(Codec::Opus, 1)).is_ok());
    world.room.set_may_publish(now, sender, Source::Camera, true).unwrap();
    assert_eq!(world.give(&feed.simple(false)), None);
    assert!(world.give(&feed.simple(true)).is_some());
}

#[test]
fn a_sender_may_say_how_large_its_layers_are() {
    let size = Some((320, 180));
    let mut world = World::new(offer(Codec::H264, 2), Wish { size, ..Wish::default() });
    let layer = |width: u32| SpatialLayer {
        temporal_layers: 1,
        bitrates: [100, 0, 0, 0],
        size: Some(LayerSize { width, height: width / 2, max_framerate: 30 }),
    };
    let mut said = VideoLayersAllocation { stream: 0, streams: 2, layers: Default::default() };
    (said.layers[0][0], said.layers[1][0]) = (Some(layer(320)), Some(layer(640)));
    let (mut low, mut high) = (Feed::new(0), Feed::new(1));
    // A slice of an IDR picture.
    let idr = [0x65, 0x88, 1];
    for _ in 0..20 {
        world.pass(ms(33));
        low.timestamp += 3000;
        high.timestamp += 3000;
        let packet = low.packet_with(true, &idr, |writer| {
            assert!(writer.extension(&extensions(), &said));
        });
        world.give(&packet);
        world.give(&high.packet(true, &idr, None));
    }
    assert!(world.give(&low.packet(true, &idr, None)).is_some());
    assert_eq!(world.give(&high.packet(true, &idr, None)), None);
}
