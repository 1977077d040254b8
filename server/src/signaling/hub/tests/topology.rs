//! How media travels: who decides, and when it changes.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::World;
use crate::conference::{LegName, Member, Notice, Publication, Request, RoomKey, Source};
use crate::signaling::{ConnectionId, names::PeerId};

fn world() -> World {
    World::with(|settings| {
        settings.media = true;
        settings.limits.mesh_capacity = 3;
        settings.limits.call_capacity = 6;
        settings.limits.live_capacity = 6;
    })
}

/// Somebody comes; the connection, and the topology that it is told.
fn come(world: &mut World, fields: &Value) -> (ConnectionId, Value) {
    let (id, joined) = world.join(fields);
    (id, joined["topology"].clone())
}

/// The topologies that a connection was told since it was last asked.
fn told(world: &mut World, id: ConnectionId) -> Vec<String> {
    let messages = world.messages(id);
    let topologies = messages.iter().filter(|message| message["type"] == "topology");
    topologies
        .map(|one| format!("{} {}", one["mode"].as_str().unwrap(), one["policy"].as_str().unwrap()))
        .collect()
}

fn auto(mode: &str) -> Value {
    json!({"mode": mode, "policy": "auto"})
}

#[test]
fn a_mesh_that_was_chosen_has_an_end() {
    let mut world = World::with(|settings| {
        settings.media = true;
        settings.limits.mesh_capacity = 2;
        settings.limits.call_capacity = 6;
    });
    let (first, _) = come(&mut world, &json!({}));
    world.send(first, &json!({"type": "topology", "policy": "p2p"}));
    assert_eq!(told(&mut world, first), ["p2p p2p"]);
    for count in 2..=5 {
        let (_, topology) = come(&mut world, &json!({}));
        let mode = if count <= 4 { "p2p" } else { "sfu" };
        assert_eq!(topology, json!({"mode": mode, "policy": "p2p"}), "{count}");
    }
    assert_eq!(told(&mut world, first), ["sfu p2p"]);
}

#[test]
fn a_room_that_a_program_streams_into_is_forwarded() {
    let mut world = world();
    let (viewer, topology) = come(&mut world, &json!({"kind": "live", "room": "show"}));
    assert_eq!(topology, auto("p2p"));
    let streams = |world: &mut World, room: &str, count: usize| {
        let publication = Publication {
            id: "a".into(),
            member: None,
            source: Source::Camera,
            is_audio: false,
            codec: "VP8".into(),
        };
        let room = RoomKey::Live(room.into());
        world.notice(Notice::Publications { room, publications: vec![publication; count] });
    };
    streams(&mut world, "show", 1);
    assert_eq!(told(&mut world, viewer), ["sfu auto"]);
    streams(&mut world, "show", 2);
    assert_eq!(told(&mut world, viewer), [""; 0]);
    // Of a room that nobody is in yet, it is remembered; a call of that name is another room.
    streams(&mut world, "later", 1);
    assert_eq!(come(&mut world, &json!({"kind": "live", "room": "later"})).1, auto("sfu"));
    streams(&mut world, "tea", 1);
    assert_eq!(come(&mut world, &json!({"kind": "call", "room": "tea"})).1, auto("p2p"));
    let room = RoomKey::Call("later".into());
    world.notice(Notice::Publications { room, publications: Vec::new() });
    assert_eq!(come(&mut world, &json!({"kind": "live", "room": "later"})).1, auto("sfu"));
    streams(&mut world, "show", 0);
    world.pass(Duration::from_secs(11));
    assert_eq!(told(&mut world, viewer), ["p2p auto"]);
}

#[test]
fn many_go_through_the_server_and_few_do_not() {
    let mut world = world();
    let mut people: Vec<ConnectionId> = Vec::new();
    for count in 1..=5 {
        let (id, topology) = come(&mut world, &json!({}));
        assert_eq!(topology, auto(if count <= 3 { "p2p" } else { "sfu" }), "{count}");
        people.push(id);
    }
    assert_eq!(told(&mut world, people[0]), ["sfu auto"], "once");
    assert_eq!(told(&mut world, people[3]), [""; 0], "it was told by joined");
    let leave = |world: &mut World, people: &mut Vec<ConnectionId>| {
        let id = people.pop().unwrap();
        world.send(id, &json!({"type": "leave"}));
        world.take(id);
    };
    // Four, three: not few enough.
    leave(&mut world, &mut people);
    leave(&mut world, &mut people);
    world.pass(Duration::from_secs(15));
    assert_eq!(told(&mut world, people[0]), [""; 0]);
    // Two, but not for long enough.
    leave(&mut world, &mut people);
    world.pass(Duration::from_millis(9_900));
    let (back, topology) = come(&mut world, &json!({}));
    assert_eq!(topology, auto("sfu"));
    people.push(back);
    world.pass(Duration::from_secs(15));
    assert_eq!(told(&mut world, people[0]), [""; 0]);
    leave(&mut world, &mut people);
    world.pass(Duration::from_millis(9_999));
    assert_eq!(told(&mut world, people[0]), [""; 0]);
    world.pass(Duration::from_millis(1));
    assert_eq!(told(&mut world, people[0]), ["p2p auto"]);
}

#[test]
fn whoever_is_away_counts_until_the_session_ends() {
    let mut world = world();
    let people: Vec<_> = (0..4).map(|_| come(&mut world, &json!({})).0).collect();
    for away in &people[1..] {
        world.drop_connection(*away);
    }
    world.pass(Duration::from_secs(29));
    world.send(people[0], &json!({"type": "ping"}));
    assert_eq!(told(&mut world, people[0]), ["sfu auto"]);
    world.pass(Duration::from_secs(1) + Duration::from_secs(10));
    assert_eq!(told(&mut world, people[0]), ["p2p auto"]);
}

#[test]
fn a_policy_holds_as_long_as_the_room() {
    let mut world = world();
    let (ada, _) = come(&mut world, &json!({}));
    let (bob, _) = come(&mut world, &json!({}));
    world.send(ada, &json!({"type": "topology", "policy": "sfu"}));
    for id in [ada, bob] {
        assert_eq!(told(&mut world, id), ["sfu sfu"]);
    }
    world.pass(Duration::from_secs(50));
    assert_eq!(told(&mut world, ada), [""; 0], "two are enough for it");
    world.send(bob, &json!({"type": "topology", "policy": "p2p"}));
    for _ in 0..3 {
        assert_eq!(come(&mut world, &json!({})).1, json!({"mode": "p2p", "policy": "p2p"}));
    }
    world.take(ada);
    world.send(ada, &json!({"type": "topology", "policy": "auto"}));
    assert_eq!(told(&mut world, ada), ["sfu auto"], "there are five");
    // Where there is nothing to choose nothing is said.
    let (sender, joined) = world.join(&json!({"room": "files", "kind": "send"}));
    assert!(joined.get("topology").is_none());
    world.send(sender, &json!({"type": "topology", "policy": "sfu"}));
    assert_eq!(world.error(sender), "not_permitted");
    let mut without = World::new();
    assert!(without.join(&json!({})).1.get("topology").is_none());
}

#[test]
fn in_a_live_room_the_streamer_decides() {
    let mut world = world();
    let (ada, _) = come(&mut world, &json!({"kind": "live", "role": "streamer"}));
    let viewers: Vec<_> = (0..2).map(|_| come(&mut world, &json!({"kind": "live"}))).collect();
    assert_eq!(viewers[1].1, auto("p2p"));
    assert_eq!(come(&mut world, &json!({"kind": "live"})).1, auto("sfu"));
    assert_eq!(told(&mut world, viewers[0].0), ["sfu auto"]);
    world.send(viewers[0].0, &json!({"type": "topology", "policy": "p2p"}));
    assert_eq!(world.error(viewers[0].0), "not_permitted");
    world.send(ada, &json!({"type": "topology", "policy": "p2p"}));
    assert_eq!(told(&mut world, viewers[0].0), ["p2p p2p"]);
}

#[test]
fn what_is_left_of_the_ways_through_the_server_is_closed() {
    let mut world = world();
    let (ada, joined) = world.join(&json!({}));
    let offer = json!({"type": "media_offer", "connection": "x", "sdp": "v=0"});
    world.send(ada, &offer);
    assert_eq!(world.error(ada), "not_permitted", "people send to each other");
    world.send(ada, &json!({"type": "topology", "policy": "sfu"}));
    world.send(ada, &offer);
    let room = RoomKey::Call("tea".into());
    let member = Member(PeerId::parse(joined["peer"].as_str().unwrap()).unwrap().0);
    let leg = LegName { room: room.clone(), member, connection: "x".into() };
    world.notice(Notice::Answer { leg, request: None, sdp: String::new() });
    world.send(ada, &json!({"type": "topology", "policy": "p2p"}));
    world.asked();
    world.take(ada);
    world.pass(Duration::from_millis(14_999));
    // What there is may be changed as long as it is there.
    world.send(ada, &offer);
    assert!(matches!(&world.asked()[..], [Request::Offer(_)]));
    world.pass(Duration::from_millis(1));
    assert_eq!(world.asked(), [Request::Leave { room, member }]);
    let closed = json!({"type": "media_closed", "connection": "x", "reason": "topology"});
    assert_eq!(world.message(ada), closed);
    world.send(ada, &offer);
    assert_eq!(world.error(ada), "not_permitted");

    // Back and forth: what goes through the server again is not closed.
    world.send(ada, &json!({"type": "topology", "policy": "sfu"}));
    world.send(ada, &offer);
    world.send(ada, &json!({"type": "topology", "policy": "p2p"}));
    world.pass(Duration::from_secs(10));
    world.send(ada, &json!({"type": "topology", "policy": "sfu"}));
    world.asked();
    world.pass(Duration::from_secs(40));
    assert_eq!(world.asked(), []);
}
