//! What happens to the path: restarts, silence.

use std::time::Duration;

use netsim::{Home, Link};
use twocan_peer::stats::Stats;
use twocan_peer::{ChannelId, Event, Kind, PeerConnectionState};

use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_restart_of_ice_brings_new_credentials_and_loses_nothing() {
    for end in [ADA, BOB] {
        let mut world = World::lan(7);
        let (ada, _) = world.channel("chat");
        let fragments =
            |world: &World| [ADA, BOB].map(|end| world.ends[end].peer.ice().credentials().ufrag.to_string());
        let before = fragments(&world);
        world.ends[end].peer.restart_ice();
        for number in 0..20 {
            let now = world.now;
            world.ends[ADA].peer.send_copy(now, ada, Kind::Binary, &[number]).unwrap();
            world.pass(Duration::from_millis(5));
        }
        world.until(PATIENCE, |world| {
            world.ends[BOB].messages.len() == 20
                && world.ends.iter().all(|end| end.peer.ice_connection_state() == ice::State::Completed)
        });
        let after = fragments(&world);
        assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
        assert!(world.is_connected());
    }
}

#[test]
fn a_peer_that_is_gone_is_disconnected_then_failed() {
    let mut world = World::lan(8);
    world.channel("chat");
    let cut = Link { mtu: 0, ..Link::default() };
    let bob = world.ends[BOB].host;
    world.network.relink(bob, cut.clone(), cut);
    let is = |state| move |world: &World| world.ends[ADA].peer.connection_state() == state;
    world.until(PATIENCE, is(PeerConnectionState::Disconnected));
    world.until(PATIENCE, is(PeerConnectionState::Failed));
    let states =
        world.ends[ADA].events.iter().filter(|event| matches!(event, Event::ConnectionState(_))).count();
    assert_eq!(states, 4, "connecting, connected, disconnected, failed");
}

#[test]
fn nobody_is_woken_for_data_that_cannot_leave() {
    let mut world = World::lan(9);
    let (ada, _) = world.channel("chat");
    let (now, bob) = (world.now, world.ends[BOB].host);
    let cut = Link { mtu: 0, ..Link::default() };
    world.network.relink(bob, cut.clone(), cut);
    world.ends[ADA].peer.send_copy(now, ada, Kind::Binary, &[1; 200_000]).unwrap();
    // Would time stand still, the world says so.
    world.pass(Duration::from_secs(120));
    assert!(world.ends[ADA].peer.ice().path().is_none());
    assert!(world.ends[ADA].peer.buffered_amount(ada) > 0);
    world.network.relink(bob, Link::default(), Link::default());
    world.ends[ADA].peer.restart_ice();
    world.until(PATIENCE, |world| world.ends[BOB].messages.len() == 1);
}

/// Bytes of a datagram, on average, of a message of a megabyte.
fn datagram(world: &mut World, channel: ChannelId) -> u64 {
    let sent = |world: &World| {
        let report = world.ends[ADA].peer.stats(world.now);
        let transports = report.stats.into_iter().filter_map(|stats| match stats {
            Stats::Transport(transport) => Some((transport.sent.bytes, transport.sent.packets)),
            _ => None,
        });
        transports.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    };
    let arrived = |world: &World| world.ends[BOB].messages.iter().map(|(_, data)| data.len()).sum::<usize>();
    let (before, already, now) = (sent(world), arrived(world), world.now);
    world.ends[ADA].peer.send_copy(now, channel, Kind::Binary, &[1; 1 << 20]).unwrap();
    world.until(PATIENCE, |world| arrived(world) == already + (1 << 20));
    let after = sent(world);
    (after.0 - before.0) / (after.1 - before.1)
}

#[test]
fn datagrams_are_as_large_as_the_way_carries_and_shrink_with_it() {
    let link = |mtu| Link { mtu, ..Link::of(Duration::from_millis(5)) };
    let homes = ["192.0.2.1", "192.0.2.2"].map(|ip| Home::public(ip).link(link(65_000)));
    let mut world = World::configured(12, homes, |_, configuration| {
        configuration.max_datagram_size = 16_384;
        configuration.max_message_size = 1 << 20;
    });
    let (ada, _) = world.channel("files");
    // It is found out with the first that there is to carry.
    datagram(&mut world, ada);
    let size = datagram(&mut world, ada);
    assert!(size > 14_000, "{size}");
    let bob = world.ends[BOB].host;
    world.network.relink(bob, link(1200), link(1200));
    let size = datagram(&mut world, ada);
    assert!(size < 4000, "what was under way was too large: {size}");
    // Another way is looked at anew.
    world.network.relink(bob, link(9000), link(9000));
    world.ends[ADA].peer.restart_ice();
    datagram(&mut world, ada);
    world.pass(Duration::from_secs(90));
    let size = datagram(&mut world, ada);
    assert!((6000..9000).contains(&size), "{size}");
}
