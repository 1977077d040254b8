//! Exchanges of descriptions with transports behind them: glare, no trickling, somebody in the middle.

use std::time::Duration;

use twocan_peer::{Event, PeerConnectionState};

use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn offers_that_meet_end_in_one_connection() {
    let mut world = World::lan(4);
    let now = world.now;
    for end in &mut world.ends {
        end.peer.create_data_channel(now, "mine", "", Default::default()).unwrap();
    }
    world.until(PATIENCE, |world| {
        world.is_connected()
            && world
                .ends
                .iter()
                .all(|end| end.events.iter().any(|event| matches!(event, Event::DataChannel(_))))
    });
}

#[test]
fn candidates_may_all_come_with_the_descriptions() {
    let mut world = World::lan(5);
    world.trickles = false;
    world.channel("chat");
    assert_eq!(world.ends[ADA].peer.can_trickle_ice_candidates(), Some(true));
}

#[test]
fn somebody_in_the_middle_is_found_out_before_any_data() {
    let mut world = World::lan(6);
    world.swap_fingerprint = true;
    let now = world.now;
    let channel = world.ends[ADA].peer.create_data_channel(now, "secret", "", Default::default()).unwrap();
    world.until(PATIENCE, |world| {
        world.ends[ADA].events.contains(&Event::Failed(dtls::Failure::FingerprintMismatch))
    });
    assert_eq!(world.ends[ADA].peer.connection_state(), PeerConnectionState::Failed);
    assert!(world.ends[BOB].messages.is_empty());
    assert!(!world.ends[ADA].events.contains(&Event::ChannelOpen(channel)));
}
