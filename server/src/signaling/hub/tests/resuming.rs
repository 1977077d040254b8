//! Coming back: after a lost connection, and after a lost server.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Seen, World, join};
use crate::signaling::{CloseCode, ConnectionId, Gone};

/// Ada and Bob in one room.
fn pair() -> (World, (ConnectionId, Value), (ConnectionId, Value)) {
    let mut world = World::new();
    let ada = world.join(&json!({}));
    let bob = world.join(&json!({"name": "Bob"}));
    world.take(ada.0);
    (world, ada, bob)
}

fn back(world: &mut World, joined: &Value, received: u64) -> (ConnectionId, Vec<Value>) {
    let id = world.connect();
    world.send(id, &join(&json!({"token": joined["token"], "received": received})));
    (id, world.messages(id))
}

#[test]
fn a_dropped_connection_is_resumed_without_anybody_noticing() {
    let (mut world, (ada, joined), (bob, other)) = pair();
    world.send(ada, &json!({"type": "presence", "state": {"n": 1}}));
    world.take(bob);
    world.drop_connection(ada);
    for n in 0..3 {
        world.send(bob, &json!({"type": "signal", "to": joined["peer"], "data": n}));
    }
    world.pass(Duration::from_secs(29));
    assert_eq!(world.take(bob), [], "nobody left");

    // Ada had processed `peer_joined`, and nothing after it.
    let (_, messages) = back(&mut world, &joined, 1);
    let token = messages[0]["token"].clone();
    let mut expected = vec![json!({
        "type": "joined", "peer": joined["peer"], "room": "tea", "kind": "call",
        "peers": [{"id": other["peer"], "name": "Bob"}], "capacity": 4, "token": token, "grace": 30,
        "resumed": true, "received": 1, "ice_servers": [{"urls": "stun:host:1"}], "locked": false,
    })];
    expected.extend((0..3).map(|n| json!({"type": "signal", "from": other["peer"], "data": n})));
    assert_eq!(messages, expected);
    assert_eq!(world.take(bob), []);
    // The old grace time means nothing any more.
    world.pass(Duration::from_secs(25));
    assert_eq!(world.take(bob), []);
}

#[test]
fn what_was_processed_is_not_repeated() {
    let (mut world, (ada, joined), (bob, _)) = pair();
    for n in 0..5 {
        world.send(bob, &json!({"type": "signal", "to": joined["peer"], "data": n}));
    }
    world.take(ada);
    world.send(ada, &json!({"type": "ping", "received": 3}));
    world.drop_connection(ada);
    let (_, messages) = back(&mut world, &joined, 4);
    let repeated: Vec<_> = messages[1..].iter().map(|message| message["data"].clone()).collect();
    // Six were sent: `peer_joined` and five signals.
    assert_eq!(repeated, [json!(3), json!(4)]);
}

#[test]
fn the_grace_time_runs_out() {
    let (mut world, (ada, joined), (bob, _)) = pair();
    world.drop_connection(ada);
    world.pass(Duration::from_secs(30));
    assert_eq!(world.message(bob), json!({"type": "peer_left", "peer": joined["peer"], "reason": "lost"}));
    // Back later, under the same id, as somebody new.
    let (_, messages) = back(&mut world, &joined, 1);
    assert_eq!(messages.len(), 1);
    assert_eq!((&messages[0]["peer"], &messages[0]["resumed"]), (&joined["peer"], &json!(false)));
    assert_eq!(world.message(bob)["type"], "peer_joined");
}

#[test]
fn who_missed_too_much_comes_anew_in_the_same_place() {
    let (mut world, (ada, joined), (bob, other)) = pair();
    world.drop_connection(ada);
    let data = "x".repeat(250_000);
    for _ in 0..6 {
        world.send(bob, &json!({"type": "signal", "to": joined["peer"], "data": data}));
    }
    let (_, messages) = back(&mut world, &joined, 1);
    assert_eq!(messages.len(), 1, "nothing is repeated");
    assert_eq!(messages[0]["resumed"], json!(false));
    assert_eq!(messages[0]["received"], json!(0));
    assert_eq!(messages[0]["peer"], joined["peer"]);
    assert_eq!(messages[0]["peers"][0]["id"], other["peer"]);
    assert_eq!(
        world.message(bob),
        json!({"type": "peer_joined", "peer": {"id": joined["peer"], "name": "Ada"}})
    );
}

#[test]
fn a_second_connection_takes_the_session_over() {
    let (mut world, (ada, joined), (bob, _)) = pair();
    let (again, messages) = back(&mut world, &joined, 1);
    assert_eq!(messages[0]["resumed"], json!(true));
    assert_eq!(world.take(ada), [Seen::Closed(CloseCode::TakenOver)]);
    // What the old socket still says, or that it closes, means nothing.
    world.send(ada, &json!({"type": "leave"}));
    world.drop_connection(ada);
    assert_eq!(world.take(bob), []);
    world.send(again, &json!({"type": "chat", "text": "still here"}));
    assert_eq!(world.message(bob)["text"], "still here");
}

#[test]
fn a_restarted_server_gives_everyone_the_old_id() {
    let (mut world, (_, joined), (_, other)) = pair();
    world.restart();
    let (ada, messages) = back(&mut world, &joined, 7);
    assert_eq!((&messages[0]["peer"], &messages[0]["resumed"]), (&joined["peer"], &json!(false)));
    assert_eq!((&messages[0]["peers"], &messages[0]["received"]), (&json!([]), &json!(0)));
    let bob = world.connect();
    world.send(bob, &join(&json!({"name": "Bob", "token": other["token"]})));
    assert_eq!(world.message(bob)["peers"][0]["id"], joined["peer"]);
    assert_eq!(
        world.message(ada),
        json!({"type": "peer_joined", "peer": {"id": other["peer"], "name": "Bob"}})
    );
}

#[test]
fn a_token_is_worth_nothing_elsewhere_or_after_a_day() {
    let (mut world, (ada, joined), _) = pair();
    world.drop_connection(ada);
    let stranger = world.connect();
    world.send(stranger, &join(&json!({"room": "coffee", "token": joined["token"]})));
    let elsewhere = world.message(stranger);
    assert_ne!(elsewhere["peer"], joined["peer"]);
    assert_eq!(elsewhere["resumed"], json!(false));
    let forger = world.connect();
    let forged = format!("{}x", joined["token"].as_str().unwrap());
    world.send(forger, &join(&json!({"token": forged})));
    assert_ne!(world.message(forger)["peer"], joined["peer"]);

    world.pass(Duration::from_secs(24 * 3600));
    let (_, messages) = back(&mut world, &joined, 0);
    assert_ne!(messages[0]["peer"], joined["peer"]);
}

#[test]
fn an_older_copy_of_the_session_does_not_share_its_counts() {
    let (mut world, (ada, joined), (bob, _)) = pair();
    world.drop_connection(ada);
    world.pass(Duration::from_secs(30));
    let (newer, _) = back(&mut world, &joined, 0);
    world.take(bob);
    // The first token again: the same person, but of a session that is over.
    let (_, messages) = back(&mut world, &joined, 0);
    assert_eq!((&messages[0]["peer"], &messages[0]["resumed"]), (&joined["peer"], &json!(false)));
    assert_eq!(world.take(newer), [Seen::Closed(CloseCode::TakenOver)]);
}

#[test]
fn a_locked_room_knows_whom_it_had_let_in() {
    let mut world = World::new();
    let (ada, _) = world.join(&json!({"password": "milk"}));
    world.send(ada, &json!({"type": "invite", "expires_in": 60}));
    let invitation = world.message(ada)["invitation"].clone();
    let (_, guest) = world.join(&json!({"name": "Bob", "invitation": invitation}));
    world.restart();
    world.pass(Duration::from_secs(120));
    // The guest comes back first; the invitation has expired, and the room is locked again all the same.
    let bob = world.connect();
    world.send(bob, &join(&json!({"name": "Bob", "invitation": invitation, "token": guest["token"]})));
    let joined = world.message(bob);
    assert_eq!((&joined["peer"], &joined["locked"]), (&guest["peer"], &json!(true)));
    let stranger = world.connect();
    world.send(stranger, &join(&json!({})));
    assert_eq!(world.error(stranger), "wrong_password");
    world.join(&json!({"password": "milk"}));
}

#[test]
fn an_old_token_does_not_open_a_room_that_others_have_locked() {
    let mut world = World::new();
    let (ada, joined) = world.join(&json!({"password": "milk"}));
    world.send(ada, &json!({"type": "leave"}));
    world.join(&json!({"password": "their own"}));
    let back = world.connect();
    world.send(back, &join(&json!({"token": joined["token"]})));
    assert_eq!(world.error(back), "wrong_password");
}

#[test]
fn a_slow_or_abusive_client_loses_its_session() {
    for why in [Gone::TooSlow, Gone::TooLarge] {
        let (mut world, (ada, joined), (bob, _)) = pair();
        world.gone(ada, why);
        assert_eq!(
            world.message(bob),
            json!({"type": "peer_left", "peer": joined["peer"], "reason": "dropped"})
        );
        let (_, messages) = back(&mut world, &joined, 1);
        assert_eq!(messages[0]["resumed"], json!(false));
    }
}
