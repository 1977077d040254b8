//! Strangers in pairs.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{World, join};
use crate::signaling::ConnectionId;

fn enter(world: &mut World, name: &str) -> ConnectionId {
    let id = world.connect();
    world.send(id, &json!({"type": "join", "kind": "lobby", "name": name}));
    id
}

fn next(world: &mut World, id: ConnectionId) {
    world.send(id, &json!({"type": "next"}));
}

/// The name of the partner in the last `joined` among these messages.
fn partner(messages: &[Value]) -> String {
    let joined = messages.iter().rfind(|message| message["type"] == "joined").expect("a match");
    joined["peers"][0]["name"].as_str().unwrap().to_owned()
}

#[test]
fn two_strangers_meet_and_part() {
    let mut world = World::new();
    let ada = enter(&mut world, "Ada");
    assert_eq!(world.message(ada), json!({"type": "waiting", "people": 1}));
    let bob = enter(&mut world, "Bob");
    let messages = world.messages(bob);
    assert_eq!(messages[0], json!({"type": "waiting", "people": 2}));
    let joined = &messages[1];
    assert_eq!(
        (&joined["kind"], &joined["room"], &joined["capacity"], &joined["resumed"]),
        (&json!("lobby"), &json!("lobby"), &json!(2), &json!(false))
    );
    let met = world.message(ada);
    assert_eq!(met["peers"], json!([{"id": joined["peer"], "name": "Bob"}]));

    world.send(ada, &json!({"type": "signal", "to": joined["peer"], "data": "hello"}));
    assert_eq!(world.message(bob)["data"], "hello");

    next(&mut world, ada);
    assert_eq!(world.message(ada), json!({"type": "waiting", "people": 1}));
    assert_eq!(world.message(bob), json!({"type": "peer_left", "peer": met["peer"], "reason": "next"}));
    // Bob is alone until he asks for somebody new.
    let eve = enter(&mut world, "Eve");
    assert_eq!(partner(&world.messages(eve)), "Ada");
    assert_eq!(world.take(bob), []);
}

#[test]
fn never_the_same_two_while_others_wait() {
    let mut world = World::new();
    let ada = enter(&mut world, "Ada");
    let bob = enter(&mut world, "Bob");
    for id in [ada, bob] {
        world.take(id);
        next(&mut world, id);
    }
    // Both wait, and have just met.
    assert_eq!(world.messages(bob).last().unwrap(), &json!({"type": "waiting", "people": 2}));
    let eve = enter(&mut world, "Eve");
    assert_eq!(partner(&world.messages(eve)), "Ada", "who waited longest");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.take(bob), [], "Bob waits for somebody else");
}

#[test]
fn the_same_two_again_where_nobody_else_comes() {
    let mut world = World::new();
    let ada = enter(&mut world, "Ada");
    let bob = enter(&mut world, "Bob");
    for id in [ada, bob] {
        next(&mut world, id);
        world.take(id);
    }
    world.pass(Duration::from_millis(1_999));
    world.take(ada);
    assert_eq!(world.take(bob), []);
    world.pass(Duration::from_millis(1));
    assert_eq!(partner(&world.messages(bob)), "Ada");
    let again = world.message(ada);
    assert_eq!(again["resumed"], json!(true), "the counts go on");
}

#[test]
fn lobbies_have_names() {
    let mut world = World::new();
    let ada = enter(&mut world, "Ada");
    let bob = world.connect();
    world.send(bob, &join(&json!({"kind": "lobby", "room": "chess"})));
    assert_eq!(world.message(bob), json!({"type": "waiting", "people": 1}));
    world.take(ada);
    let (_, joined) = {
        let eve = world.connect();
        world.send(eve, &join(&json!({"kind": "lobby", "room": "chess", "name": "Eve"})));
        (eve, world.messages(eve).pop().unwrap())
    };
    assert_eq!(joined["room"], "chess");
    assert_eq!(world.take(ada), []);
}

#[test]
fn before_the_first_match_there_is_nothing_to_come_back_to() {
    let mut world = World::new();
    let ada = enter(&mut world, "Ada");
    world.drop_connection(ada);
    let counters = world.hub.counters();
    assert_eq!((counters.waiting, counters.sessions), (0, 0));
    let bob = enter(&mut world, "Bob");
    assert_eq!(world.message(bob), json!({"type": "waiting", "people": 1}));
    world.send(bob, &json!({"type": "chat", "text": "anyone?"}));
    assert_eq!(world.error(bob), "not_joined");
    world.send(bob, &json!({"type": "leave"}));
    assert_eq!(world.hub.counters().waiting, 0);
}

#[test]
fn who_is_away_is_not_matched_and_waits_again_when_back() {
    let mut world = World::new();
    let ada = enter(&mut world, "Ada");
    let bob = enter(&mut world, "Bob");
    let token = world.messages(ada).pop().unwrap()["token"].clone();
    next(&mut world, ada);
    world.take(ada);
    world.take(bob);
    world.drop_connection(ada);
    let eve = enter(&mut world, "Eve");
    assert_eq!(world.message(eve), json!({"type": "waiting", "people": 1}));

    let again = world.connect();
    // Ada had processed nothing of what was counted: the `waiting` after `next`.
    let fields = json!({"kind": "lobby", "room": "lobby", "token": token, "received": 0});
    world.send(again, &join(&fields));
    let messages = world.messages(again);
    let kinds: Vec<_> = messages.iter().map(|message| message["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["joined", "waiting", "waiting", "joined"]);
    assert_eq!((&messages[0]["resumed"], &messages[0]["peers"]), (&json!(true), &json!([])));
    assert_eq!(partner(&messages), "Eve");
}

#[test]
fn a_lost_partner_is_told_after_the_grace_time() {
    let mut world = World::new();
    let ada = enter(&mut world, "Ada");
    let bob = enter(&mut world, "Bob");
    world.take(bob);
    world.drop_connection(ada);
    world.pass(Duration::from_secs(30));
    assert_eq!(world.message(bob)["reason"], "lost");
}

#[test]
fn a_restarted_server_brings_partners_together_again() {
    let mut world = World::new();
    let ada = enter(&mut world, "Ada");
    let bob = enter(&mut world, "Bob");
    let tokens = [ada, bob].map(|id| world.messages(id).pop().unwrap()["token"].clone());
    world.restart();
    let stranger = enter(&mut world, "Eve");
    world.take(stranger);
    let mut again = Vec::new();
    for (name, token) in ["Ada", "Bob"].iter().zip(tokens) {
        let id = world.connect();
        world.send(id, &json!({"type": "join", "kind": "lobby", "name": name, "token": token}));
        again.push((id, world.message(id)));
    }
    assert_eq!(again[0].1["peers"], json!([]));
    assert_eq!(again[1].1["peers"][0]["name"], "Ada");
    assert_eq!(world.message(again[0].0)["peer"]["name"], "Bob");
    assert_eq!(world.take(stranger), []);
}

#[test]
fn partners_brought_together_again_have_met() {
    let mut world = World::new();
    let ada = enter(&mut world, "Ada");
    let bob = enter(&mut world, "Bob");
    let tokens = [ada, bob].map(|id| world.messages(id).pop().unwrap()["token"].clone());
    world.restart();
    let back = ["Ada", "Bob"].into_iter().zip(tokens).map(|(name, token)| {
        let id = world.connect();
        world.send(id, &json!({"type": "join", "kind": "lobby", "name": name, "token": token}));
        id
    });
    let back: Vec<_> = back.collect();
    for id in &back {
        next(&mut world, *id);
        world.take(*id);
    }
    world.pass(Duration::from_millis(1_999));
    assert_eq!(world.take(back[1]), [], "two seconds for somebody else to come");
    world.pass(Duration::from_millis(1));
    assert_eq!(partner(&world.messages(back[1])), "Ada");
}

#[test]
fn who_found_no_room_to_meet_in_meets_once_there_is_one() {
    let mut world = World::limits(|limits| limits.rooms = 1);
    let (eve, _) = world.join(&json!({"name": "Eve"}));
    let ada = enter(&mut world, "Ada");
    let bob = enter(&mut world, "Bob");
    assert_eq!(world.message(ada), json!({"type": "waiting", "people": 1}));
    assert_eq!(world.message(bob), json!({"type": "waiting", "people": 2}));
    // A lobby that is gone meanwhile is not remembered.
    let other = world.connect();
    world.send(other, &join(&json!({"kind": "lobby", "room": "chess"})));
    world.send(other, &json!({"type": "leave"}));
    world.hub.check_invariants();
    world.send(eve, &json!({"type": "leave"}));
    assert_eq!(partner(&world.messages(ada)), "Bob");
    assert_eq!(partner(&world.messages(bob)), "Ada");
    world.hub.check_invariants();
}

#[test]
fn invitations_are_not_for_lobbies() {
    let mut world = World::new();
    let ada = enter(&mut world, "Ada");
    let _bob = enter(&mut world, "Bob");
    world.take(ada);
    world.send(ada, &json!({"type": "invite"}));
    assert_eq!(world.error(ada), "not_permitted");
}
