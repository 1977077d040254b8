//! What happens to the path: restarts, silence.

use std::time::Duration;

use netsim::Link;
use twocan_peer::{Event, Kind, PeerConnectionState};

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
