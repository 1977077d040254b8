//! Messages over data channels.

use std::time::Duration;

use netsim::{Home, Link, Loss};
use twocan_peer::{Event, Kind, PeerConnectionState};

use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn two_ends_connect_and_talk_both_ways() {
    let mut world = World::lan(1);
    let (ada, bob) = world.channel("chat");
    assert!(world.is_connected());
    let now = world.now;
    world.ends[ADA].peer.send_copy(now, ada, Kind::String, b"hello").unwrap();
    world.ends[BOB].peer.send_copy(now, bob, Kind::Binary, b"").unwrap();
    world.until(PATIENCE, |world| world.ends.iter().all(|end| end.messages.len() == 1));
    assert_eq!(world.ends[BOB].messages, [(bob, b"hello".to_vec())]);
    assert_eq!(world.ends[ADA].messages, [(ada, Vec::new())]);
}

#[test]
fn large_messages_arrive_whole_through_a_bad_network() {
    for seed in 1..=8 {
        let link = Link {
            reordered: 0.01,
            reordered_by: Duration::from_millis(5),
            duplicated: 0.01,
            ..Link::default()
        };
        let link = || Link { delay: Duration::from_millis(10), ..link.clone() }.loss(Loss::Random(0.02));
        let home = |address| Home::public(address).links(link(), Link::default());
        let mut world = World::new(seed, [home("192.0.2.1"), home("192.0.2.2")]);
        let (ada, bob) = world.channel("files");
        let now = world.now;
        let message = |number: usize| -> Vec<u8> {
            (0..200_000 + number).map(|byte| ((byte * 31) >> 3) as u8).collect()
        };
        for number in 0..5 {
            world.ends[ADA].peer.send(now, ada, Kind::Binary, message(number).into()).unwrap();
        }
        world.until(PATIENCE, |world| {
            world.ends[BOB].messages.iter().map(|(_, message)| message.len()).sum::<usize>() == 1_000_010
        });
        for (number, (channel, received)) in world.ends[BOB].messages.iter().enumerate() {
            assert_eq!(*channel, bob);
            assert!(*received == message(number), "seed {seed}: message {number} is another");
        }
    }
}

#[test]
fn a_closed_channel_is_closed_at_both_ends() {
    let mut world = World::lan(2);
    let (ada, bob) = world.channel("short");
    let now = world.now;
    world.ends[ADA].peer.close_channel(now, ada);
    world.until(PATIENCE, |world| {
        world.ends[ADA].events.contains(&Event::ChannelClosed(ada))
            && world.ends[BOB].events.contains(&Event::ChannelClosed(bob))
    });
    assert!(world.ends[BOB].peer.channel(bob).is_none());
}

#[test]
fn a_closed_connection_is_told_to_the_peer() {
    let mut world = World::lan(3);
    let (_, bob) = world.channel("chat");
    let now = world.now;
    world.ends[ADA].peer.close(now);
    world.ends[ADA].peer.close(now);
    assert_eq!(world.ends[ADA].peer.connection_state(), PeerConnectionState::Closed);
    world.until(PATIENCE, |world| world.ends[BOB].peer.connection_state() == PeerConnectionState::Failed);
    assert!(world.ends[BOB].events.contains(&Event::ChannelClosed(bob)));
    assert_eq!(world.ends[ADA].peer.poll_timeout(), None);
    // Whatever is asked of it now, nothing more happens.
    let ada = &mut world.ends[ADA].peer;
    ada.remove_local_candidates(now, "192.0.2.1:5000".parse().unwrap());
    let _ = ada.set_local_description_implicitly(now);
    assert_eq!(ada.poll_event(), None);
}
