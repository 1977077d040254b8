//! `join` and what answers it.

use serde_json::json;

use super::world::{Seen, World, join};
use crate::signaling::CloseCode;

#[test]
fn welcome_comes_first() {
    let mut world = World::new();
    let ada = world.connect_silently();
    assert_eq!(
        world.message(ada),
        json!({
            "type": "welcome", "version": 1, "server": "twocan/test",
            "limits": {
                "message_bytes": 262144, "messages_per_second": 50, "chat_characters": 4000,
                "presence_bytes": 1024, "name_characters": 64, "room_characters": 64, "mesh_capacity": 4,
                "call_capacity": 4,
                "live_capacity": 32, "send_capacity": 4, "rooms": 10000, "connections": 20000,
                "queued_bytes": 1048576, "grace_seconds": 30,
            },
        })
    );
}

#[test]
fn two_people_meet() {
    let mut world = World::new();
    let (ada, joined) = world.join(&json!({"presence": {"mic": true}}));
    let ada_id = joined["peer"].clone();
    let token = joined["token"].clone();
    assert_eq!(
        joined,
        json!({
            "type": "joined", "peer": ada_id, "room": "tea", "kind": "call", "peers": [], "capacity": 4,
            "token": token, "grace": 30, "resumed": false, "received": 0,
            "ice_servers": [{"urls": "stun:host:1"}], "locked": false,
        })
    );

    let (_bob, joined) = world.join(&json!({"name": " Bob "}));
    let bob_id = joined["peer"].clone();
    assert_eq!(joined["peers"], json!([{"id": ada_id, "name": "Ada", "presence": {"mic": true}}]));
    assert_eq!(world.message(ada), json!({"type": "peer_joined", "peer": {"id": bob_id, "name": "Bob"}}));
}

#[test]
fn peers_are_listed_oldest_first() {
    let mut world = World::new();
    let ids: Vec<_> = ["A", "B", "C"].map(|name| world.join(&json!({"name": name})).1["peer"].clone()).into();
    let (_, joined) = world.join(&json!({"name": "D"}));
    let listed: Vec<_> = joined["peers"].as_array().unwrap().iter().map(|peer| peer["id"].clone()).collect();
    assert_eq!(listed, ids);
}

#[test]
fn a_room_has_its_capacity() {
    for (kind, capacity) in [("call", 4), ("send", 4)] {
        let mut world = World::new();
        for _ in 0..capacity {
            world.join(&json!({"kind": kind}));
        }
        let late = world.connect();
        world.send(late, &join(&json!({"kind": kind})));
        assert_eq!(world.error(late), "room_full");
        // The connection stays: another room takes it.
        world.send(late, &join(&json!({"room": "coffee"})));
        assert_eq!(world.message(late)["type"], "joined");
    }
}

#[test]
fn the_first_to_join_decides_the_kind() {
    let mut world = World::new();
    world.join(&json!({"kind": "send"}));
    let other = world.connect();
    world.send(other, &join(&json!({})));
    assert_eq!(world.error(other), "wrong_kind");
    // A lobby of the same name is another place.
    world.send(other, &join(&json!({"kind": "lobby"})));
    assert_eq!(world.message(other), json!({"type": "waiting", "people": 1}));
}

#[test]
fn leaving_says_goodbye_and_frees_the_place() {
    let mut world = World::limits(|limits| limits.call_capacity = 2);
    let (ada, _) = world.join(&json!({}));
    let (bob, joined) = world.join(&json!({}));
    world.take(ada);
    world.send(bob, &json!({"type": "leave"}));
    assert_eq!(world.take(bob), [Seen::Message(json!({"type": "left"})), Seen::Closed(CloseCode::Normal)]);
    assert_eq!(world.message(ada), json!({"type": "peer_left", "peer": joined["peer"], "reason": "left"}));
    world.join(&json!({}));
}

#[test]
fn an_empty_room_is_forgotten() {
    let mut world = World::new();
    let (ada, _) = world.join(&json!({"kind": "send", "password": "milk"}));
    world.send(ada, &json!({"type": "leave"}));
    let counters = world.hub.counters();
    assert_eq!((counters.rooms, counters.sessions, counters.connections), (0, 0, 0));
    let (_, joined) = world.join(&json!({"kind": "call"}));
    assert_eq!(joined["locked"], json!(false));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let mut world = World::new();
        let (_, first) = world.join(&json!({}));
        let (_, second) = world.join(&json!({"name": "Bob"}));
        (first, second)
    };
    assert_eq!(run(), run());
    let mut other = World::seeded([9; 32], |_| {});
    assert_ne!(other.join(&json!({})).1["peer"], run().0["peer"]);
}
