//! Voices that are left out, as who receives them has it.

use std::num::NonZeroUsize;

use peer::MediaPacket;
use rtp::codec::Codec;

use super::*;
use crate::tests::{Feed, World, ms, offer};

/// So many until measures, and what is told of them, stand still.
const PACKETS: u64 = 500;

/// A room that forwards two voices: those of the sender, the receiver and another one, who have a feed each.
fn three_voices() -> (World, [PublicationId; 3], [Feed; 3]) {
    let mut world = World::new(offer(Codec::Opus, 1), Wish::default());
    world.room.set_voices(NonZeroUsize::new(2));
    let other = world.room.join(world.now).unwrap();
    let second = world.room.publish(world.now, other, offer(Codec::Opus, 1)).unwrap();
    let third = world.room.publish(world.now, world.receiver, offer(Codec::Opus, 1)).unwrap();
    let publications = [world.publication, second, third];
    (world, publications, [0, 1, 2].map(Feed::new))
}

/// Everybody sends 20 ms of sound of this level; what the subscription gets.
fn say(
    world: &mut World,
    (publications, feeds): ([PublicationId; 3], &mut [Feed; 3]),
    levels: [u8; 3],
) -> Option<Forward> {
    world.pass(ms(20));
    let mut given = None;
    for ((publication, feed), level) in publications.into_iter().zip(feeds).zip(levels) {
        world.publication = publication;
        let packet = MediaPacket { encoding: 0, ..feed.sound(level) };
        given = world.give(&packet).or(given);
    }
    given
}

#[test]
fn a_voice_that_is_left_out_has_paused_for_who_receives_it() {
    let (mut world, all, mut feeds) = three_voices();
    let first = say(&mut world, (all, &mut feeds), [30, 30, 127]).unwrap();
    for _ in 0..50 {
        assert!(say(&mut world, (all, &mut feeds), [90, 30, 127]).is_some());
    }
    let last = say(&mut world, (all, &mut feeds), [90, 30, 30]).unwrap();
    assert_eq!(last.sequence_number, first.sequence_number + 51);
    let mut late = None;
    let before = world.room.left_out();
    for _ in 0..500 {
        late = Some(feeds[0].sound(90));
        assert_eq!(say(&mut world, (all, &mut feeds), [90, 30, 30]), None, "others are louder");
    }
    assert_eq!(world.room.left_out() - before, 500);
    assert_eq!(world.room.source_of(world.subscription), Some((all[0], 0, 0)), "reports go on being dated");

    // The one who speaks no more gives way, with the first packet.
    for _ in 0..50 {
        say(&mut world, (all, &mut feeds), [127, 30, 90]);
    }
    let again = say(&mut world, (all, &mut feeds), [30, 30, 90]).unwrap();
    assert_eq!(again.sequence_number, last.sequence_number + 1, "nothing is missing");
    assert_eq!(again.timestamp.0, feeds[0].timestamp, "as much has passed as at the sender");
    assert!(again.marker && !last.marker);
    let next = say(&mut world, (all, &mut feeds), [30, 30, 90]).unwrap();
    assert_eq!(next.sequence_number, again.sequence_number + 1);
    assert!(!next.marker);
    // What was left out is not made up for.
    world.publication = all[0];
    let late = MediaPacket { is_repair: true, ..late.unwrap() };
    assert_eq!(world.give(&late), None);
}

#[test]
fn what_is_no_microphone_or_says_nothing_of_its_level_is_always_forwarded() {
    let (mut world, all, mut feeds) = three_voices();
    for _ in 0..20 {
        say(&mut world, (all, &mut feeds), [90, 30, 30]);
    }
    let (now, sender, receiver) = (world.now, world.sender, world.receiver);
    for (source, level) in [(Source::Screen, Some(127)), (Source::Other, Some(0)), (Source::Microphone, None)]
    {
        let offer = Offer { source, ..offer(Codec::Opus, 1) };
        world.publication = world.room.publish(now, sender, offer).unwrap();
        world.subscription = world.room.subscribe(now, receiver, world.publication, Wish::default()).unwrap();
        let mut feed = Feed::new(0);
        for _ in 0..10 {
            let packet = feed.packet(false, &[0xF8, 1], level);
            assert!(world.give(&packet).is_some(), "{source:?}");
        }
    }
    let before = world.room.left_out();
    say(&mut world, (all, &mut feeds), [90, 30, 30]);
    assert_eq!(world.room.left_out(), before + 1, "none of them has taken a place");
    // Who has once said how loud they are is taken at their word: nothing is no voice.
    let mut feed = Feed::new(0);
    let packet = feed.sound(90);
    assert!(world.give(&packet).is_none());
    assert_eq!(world.give(&feed.packet(false, &[0xF8, 1], None)), None);
}

#[test]
fn who_is_muted_has_no_place_and_sound_takes_what_is_forwarded_of_it() {
    let (mut world, all, mut feeds) = three_voices();
    let (now, receiver) = (world.now, world.receiver);
    for publication in &all[1..] {
        world.room.subscribe(now, receiver, *publication, Wish::default()).unwrap();
    }
    let mut wants = 0;
    let mut talk = |world: &mut World, levels| {
        for _ in 0..PACKETS {
            say(world, (all, &mut feeds), levels);
        }
        let mut said = world.events(|_| true).into_iter().filter_map(|event| match event {
            Event::WantsBitrate { bits_per_second, .. } => Some(bits_per_second),
            _ => None,
        });
        wants = said.next_back().unwrap_or(wants);
        wants
    };
    let two = talk(&mut world, [30, 30, 127]);
    let left_out = world.room.left_out();
    assert_eq!(left_out, PACKETS);
    world.room.set_muted(world.now, all[0], true).unwrap();
    let still_two = talk(&mut world, [30, 30, 127]);
    assert_eq!(world.room.left_out(), left_out, "the place is the third's");
    assert!(still_two.abs_diff(two) < two / 9, "{two} {still_two}");
    world.room.set_voices(None);
    world.room.set_muted(world.now, all[0], false).unwrap();
    let three = talk(&mut world, [30, 30, 127]);
    assert!(two * 14 < three * 10 && three * 10 < two * 16, "{two} {three}");
    assert_eq!(world.room.left_out(), left_out);
}
