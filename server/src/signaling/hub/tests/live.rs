//! One streams, the others watch.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{World, join};
use crate::signaling::ConnectionId;

fn enter(world: &mut World, name: &str, role: &str) -> (ConnectionId, Value) {
    world.join(&json!({"kind": "live", "name": name, "role": role}))
}

#[test]
fn viewers_see_the_streamer_only() {
    let mut world = World::new();
    let (ada, ada_joined) = enter(&mut world, "Ada", "streamer");
    assert_eq!((&ada_joined["role"], &ada_joined["audience"]), (&json!("streamer"), &json!(0)));
    let (bob, bob_joined) = enter(&mut world, "Bob", "viewer");
    assert_eq!(bob_joined["peers"], json!([{"id": ada_joined["peer"], "name": "Ada", "role": "streamer"}]));
    assert_eq!(bob_joined["audience"], json!(1));
    let messages = world.messages(ada);
    assert_eq!(
        messages,
        [
            json!({"type": "peer_joined", "peer": {"id": bob_joined["peer"], "name": "Bob", "role": "viewer"}}),
            json!({"type": "audience", "viewers": 1}),
        ]
    );
    world.take(bob);

    let (eve, eve_joined) = world.join(&json!({"kind": "live", "name": "Eve"}));
    assert_eq!(eve_joined["role"], "viewer");
    assert_eq!(eve_joined["peers"].as_array().unwrap().len(), 1);
    assert_eq!(world.take(bob), [], "no viewer hears of another");

    // Signals between viewers are refused; with the streamer they work both ways.
    world.send(bob, &json!({"type": "signal", "to": eve_joined["peer"], "data": 1}));
    assert_eq!(world.error(bob), "not_permitted");
    world.send(bob, &json!({"type": "chat", "to": eve_joined["peer"], "text": "hi"}));
    assert_eq!(world.error(bob), "not_permitted");
    world.send(bob, &json!({"type": "signal", "to": ada_joined["peer"], "data": 2}));
    world.take(eve);
    assert_eq!(world.messages(ada).last().unwrap()["data"], 2);

    // A viewer's presence is the streamer's to see; chat is for everyone.
    world.send(bob, &json!({"type": "presence", "state": {"hand": 1}}));
    assert_eq!(world.message(ada)["type"], "presence");
    assert_eq!(world.take(eve), []);
    world.send(bob, &json!({"type": "chat", "text": "hello"}));
    assert_eq!(world.message(ada)["name"], "Bob");
    assert_eq!(world.message(eve)["name"], "Bob");

    world.send(bob, &json!({"type": "leave"}));
    assert_eq!(world.messages(ada)[0]["type"], "peer_left");
}

#[test]
fn one_streamer_and_a_place_kept_for_one() {
    let mut world = World::limits(|limits| limits.live_capacity = 3);
    enter(&mut world, "Bob", "viewer");
    enter(&mut world, "Eve", "viewer");
    let late = world.connect();
    world.send(late, &join(&json!({"kind": "live"})));
    assert_eq!(world.error(late), "room_full");
    world.send(late, &join(&json!({"kind": "live", "role": "streamer"})));
    assert_eq!(world.message(late)["peers"].as_array().unwrap().len(), 2);
    let second = world.connect();
    world.send(second, &join(&json!({"kind": "live", "role": "streamer"})));
    assert_eq!(world.error(second), "role_taken");
}

#[test]
fn the_audience_is_told_at_most_once_a_second() {
    let mut world = World::new();
    let (ada, _) = enter(&mut world, "Ada", "streamer");
    let viewers: Vec<_> = (0..5).map(|n| enter(&mut world, &format!("V{n}"), "viewer").0).collect();
    let audience = |messages: Vec<Value>| -> Vec<u64> {
        messages.iter().filter(|m| m["type"] == "audience").filter_map(|m| m["viewers"].as_u64()).collect()
    };
    assert_eq!(audience(world.messages(ada)), [1]);
    world.pass(Duration::from_secs(1));
    assert_eq!(audience(world.messages(ada)), [5]);
    assert_eq!(audience(world.messages(viewers[4])), [5]);
    // One goes and another comes within the second: nothing has changed when it is over.
    world.send(viewers[0], &json!({"type": "leave"}));
    enter(&mut world, "New", "viewer");
    world.pass(Duration::from_secs(2));
    assert_eq!(audience(world.messages(ada)), [0_u64; 0]);
}

#[test]
fn a_streamer_who_is_away_keeps_the_role() {
    let mut world = World::new();
    let (ada, joined) = enter(&mut world, "Ada", "streamer");
    let (bob, _) = enter(&mut world, "Bob", "viewer");
    world.take(bob);
    world.drop_connection(ada);
    let thief = world.connect();
    world.send(thief, &join(&json!({"kind": "live", "role": "streamer"})));
    assert_eq!(world.error(thief), "role_taken");
    // A viewer's token does not make a streamer, nor the other way round.
    world.send(thief, &join(&json!({"kind": "live", "role": "viewer", "token": joined["token"]})));
    assert_ne!(world.message(thief)["peer"], joined["peer"]);
    world.pass(Duration::from_secs(30));
    assert!(
        world.messages(bob).contains(&json!({"type": "peer_left", "peer": joined["peer"], "reason": "lost"}))
    );
}
