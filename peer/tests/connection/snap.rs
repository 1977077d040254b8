//! SCTP's INIT in descriptions (draft-hancke-tsvwg-snap §5).

use std::time::Duration;

use netsim::Home;
use twocan_peer::{Kind, SdpType, SessionDescription};

use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(60);

/// What a description says.
fn init(description: &SessionDescription) -> Option<&str> {
    description.sdp.lines().find_map(|line| line.strip_prefix("a=sctp-init:"))
}

fn says(world: &World, end: usize) -> Option<String> {
    init(&world.ends[end].peer.local_description().unwrap()).map(str::to_owned)
}

/// A world in which nobody offers by itself, and Ada's offer of a channel, which she has set.
fn offered(mut world: World) -> (World, SessionDescription) {
    world.ends.iter_mut().for_each(|end| end.offers = false);
    let now = world.now;
    let ada = &mut world.ends[ADA].peer;
    ada.create_data_channel(now, "chat", "", Default::default()).unwrap();
    let offer = ada.set_local_description_implicitly(now).unwrap();
    (world, offer)
}

fn renegotiate(world: &mut World, from: usize) {
    let restarted = world.ends[from].peer.ice().credentials().clone();
    world.ends[from].peer.restart_ice();
    world.until(PATIENCE, |world| {
        *world.ends[from].peer.ice().credentials() != restarted
            && world.ends.iter().all(|end| end.peer.ice_connection_state() == ice::State::Completed)
    });
}

#[test]
fn what_was_said_first_is_said_again() {
    let mut world = World::lan(1);
    let (ada, _) = world.channel("chat");
    let first = [ADA, BOB].map(|end| says(&world, end));
    assert!(first[ADA].is_some() && first[BOB].is_some() && first[ADA] != first[BOB]);
    for from in [ADA, BOB] {
        renegotiate(&mut world, from);
        assert_eq!([ADA, BOB].map(|end| says(&world, end)), first);
        let now = world.now;
        world.ends[ADA].peer.send_copy(now, ada, Kind::String, b"still here").unwrap();
        world.until(PATIENCE, |world| world.ends[BOB].messages.len() == from + 1);
    }
}

#[test]
fn an_association_that_began_without_it_goes_on_without_it() {
    let homes = || [Home::public("192.0.2.1"), Home::public("192.0.2.2")];
    for (without, first) in [(ADA, [false, false]), (BOB, [true, false])] {
        let mut world =
            World::configured(2, homes(), |end, configuration| configuration.snap = end != without);
        world.channel("chat");
        assert_eq!([ADA, BOB].map(|end| says(&world, end).is_some()), first);
        for from in [ADA, BOB] {
            renegotiate(&mut world, from);
            assert_eq!([ADA, BOB].map(|end| says(&world, end)), [None, None]);
        }
    }
}

#[test]
fn another_one_than_before_is_an_error() {
    let mut world = World::lan(3);
    world.channel("chat");
    let now = world.now;
    let offer = world.ends[ADA].peer.create_offer().unwrap();
    let bob = &mut world.ends[BOB].peer;
    let changed = SessionDescription::offer(
        offer.sdp.replace(init(&offer).unwrap(), "AQAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoLA"),
    );
    let error = bob.set_remote_description(now, &changed).unwrap_err();
    assert_eq!(error.to_string(), "the association was begun already; make a new one for a new sctp-init");
    bob.set_remote_description(now, &offer).unwrap();
}

#[test]
fn what_is_no_init_is_refused() {
    let mut world = World::lan(4);
    let now = world.now;
    world.ends[ADA].peer.create_data_channel(now, "chat", "", Default::default()).unwrap();
    let offer = world.ends[ADA].peer.create_offer().unwrap();
    let with = |text: &str| SessionDescription::offer(offer.sdp.replace(init(&offer).unwrap(), text));
    let bob = &mut world.ends[BOB].peer;
    // An INIT whose tag is zero; no base64 at all.
    for (text, name) in
        [("AQAAHgAAAAAAUAAA/////+B5ZR3AAAAEgAgABoLA", "OperationError"), ("!", "RTCError (sdp-syntax-error)")]
    {
        assert_eq!(bob.set_remote_description(now, &with(text)).unwrap_err().name(), name);
    }
    bob.set_remote_description(now, &offer).unwrap();
}

#[test]
fn an_offer_that_is_taken_back_leaves_nothing_behind() {
    let (mut world, offer) = offered(World::lan(5));
    let now = world.now;
    world.ends[ADA].peer.set_local_description(now, &SessionDescription::rollback()).unwrap();
    let bob = &mut world.ends[BOB].peer;
    bob.set_remote_description(now, &offer).unwrap();
    bob.set_remote_description(now, &SessionDescription::rollback()).unwrap();
    // Now the other way round.
    world.ends[BOB].offers = true;
    let now = world.now;
    world.ends[BOB].peer.create_data_channel(now, "late", "", Default::default()).unwrap();
    world.until(PATIENCE, World::is_connected);
    assert!([ADA, BOB].iter().all(|end| says(&world, *end).is_some()));
}

#[test]
fn what_a_provisional_answer_says_holds_until_the_final_one() {
    let (mut world, offer) = offered(World::lan(6));
    let now = world.now;
    let bob = &mut world.ends[BOB].peer;
    bob.set_remote_description(now, &offer).unwrap();
    let provisional = SessionDescription { kind: SdpType::Pranswer, ..bob.create_answer().unwrap() };
    bob.set_local_description(now, &provisional).unwrap();
    world.ends[ADA].peer.set_remote_description(now, &provisional).unwrap();
    world.until(PATIENCE, World::is_connected);
    let now = world.now;
    let bob = &mut world.ends[BOB].peer;
    let answer = bob.set_local_description_implicitly(now).unwrap();
    assert_eq!(init(&answer), init(&provisional));
    world.ends[ADA].peer.set_remote_description(now, &answer).unwrap();
    world.pass(Duration::from_secs(1));
    assert!(world.is_connected());
    assert!(world.incoming("chat").is_some());
}

#[test]
fn our_own_in_the_answer_is_nothing_that_the_peer_says() {
    let homes = [Home::public("192.0.2.1"), Home::public("192.0.2.2")];
    let world = World::configured(7, homes, |end, configuration| configuration.snap = end == ADA);
    let (mut world, offer) = offered(world);
    let now = world.now;
    let bob = &mut world.ends[BOB].peer;
    bob.set_remote_description(now, &offer).unwrap();
    let mut answer = bob.set_local_description_implicitly(now).unwrap();
    let line = format!("a=sctp-init:{}\r\n", init(&offer).unwrap());
    assert!(init(&answer).is_none());
    answer.sdp.push_str(&line);
    world.ends[ADA].peer.set_remote_description(now, &answer).unwrap();
    world.until(PATIENCE, |world| world.incoming("chat").is_some());
    // Nor is it another one than before, later.
    world.ends[ADA].peer.set_local_description_implicitly(now).unwrap();
    let offer = world.ends[ADA].peer.local_description().unwrap();
    let now = world.now;
    let bob = &mut world.ends[BOB].peer;
    bob.set_remote_description(now, &offer).unwrap();
    let mut answer = bob.set_local_description_implicitly(now).unwrap();
    answer.sdp.push_str(&line);
    world.ends[ADA].peer.set_remote_description(now, &answer).unwrap();
}
