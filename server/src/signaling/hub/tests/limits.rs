//! Bounds, and what happens at them.

use std::time::Duration;

use serde_json::json;

use super::world::{Seen, World, join};
use crate::signaling::CloseCode;

#[test]
fn too_many_messages_are_dropped_and_then_so_is_the_client() {
    let mut world = World::new();
    let (ada, joined) = world.join(&json!({}));
    let (bob, _) = world.join(&json!({"name": "Bob"}));
    world.take(ada);
    for _ in 0..199 {
        world.send(ada, &json!({"type": "chat", "text": "spam"}));
    }
    assert_eq!(world.take(ada), []);
    assert_eq!(world.messages(bob).len(), 199);
    world.send(ada, &json!({"type": "chat", "text": "spam", "id": 4}));
    let error = world.message(ada);
    assert_eq!(
        (&error["code"], &error["id"], &error["retry"]),
        (&json!("rate_limited"), &json!(4), &json!(20))
    );
    assert_eq!(world.take(bob), []);
    // It waits as told, and is heard again.
    world.pass(Duration::from_millis(20));
    world.send(ada, &json!({"type": "chat", "text": "sorry"}));
    assert_eq!(world.message(bob)["text"], "sorry");

    for _ in 0..1_000 {
        world.send(ada, &json!({"type": "chat", "text": "spam"}));
    }
    assert_eq!(world.take(ada).last(), Some(&Seen::Closed(CloseCode::Policy)));
    assert_eq!(world.message(bob), json!({"type": "peer_left", "peer": joined["peer"], "reason": "dropped"}));
}

#[test]
fn a_message_over_the_size_closes_the_connection() {
    let mut world = World::new();
    let (ada, joined) = world.join(&json!({}));
    let (bob, _) = world.join(&json!({"name": "Bob"}));
    world.take(ada);
    let frame = r#"{"type":"chat","text":"hi","pad":""}"#.len();
    let message =
        |size: usize| format!(r#"{{"type":"chat","text":"hi","pad":"{}"}}"#, "x".repeat(size - frame));
    world.text(ada, &message(262_144));
    assert_eq!(world.message(bob)["text"], "hi");
    world.text(ada, &message(262_145));
    assert_eq!(world.take(ada), [Seen::Closed(CloseCode::Policy)]);
    assert_eq!(world.message(bob), json!({"type": "peer_left", "peer": joined["peer"], "reason": "dropped"}));
}

#[test]
fn rooms_and_connections_have_their_limits() {
    let mut world = World::limits(|limits| {
        limits.rooms = 1;
        limits.connections = 2;
    });
    world.join(&json!({}));
    let other = world.connect();
    world.send(other, &join(&json!({"room": "coffee"})));
    let error = world.message(other);
    assert_eq!((&error["code"], &error["retry"]), (&json!("server_full"), &json!(10_000)));

    let third = world.connect_silently();
    let seen = world.take(third);
    assert!(matches!(&seen[1], Seen::Message(message) if message["code"] == "server_full"), "{seen:?}");
    assert_eq!(seen[2], Seen::Closed(CloseCode::TryAgainLater));
    assert_eq!(world.hub.connections(), 2);
    // A place is free again.
    world.drop_connection(other);
    world.connect();
    world.hub.check_invariants();
}

#[test]
fn those_who_are_away_count_as_people() {
    let mut world = World::limits(|limits| limits.connections = 2);
    for room in ["a", "b"] {
        let (id, _) = world.join(&json!({"room": room}));
        world.drop_connection(id);
    }
    let late = world.connect();
    world.send(late, &join(&json!({"room": "c"})));
    assert_eq!(world.error(late), "server_full");
}

#[test]
fn silence_counts_as_a_dropped_connection() {
    let mut world = World::new();
    let (ada, joined) = world.join(&json!({}));
    let (bob, _) = world.join(&json!({"name": "Bob"}));
    world.take(ada);
    for _ in 0..3 {
        world.pass(Duration::from_secs(20));
        world.send(bob, &json!({"type": "ping"}));
        world.take(bob);
    }
    assert_eq!(world.take(ada), [Seen::Closed(CloseCode::Idle)]);
    assert_eq!(world.take(bob), [], "it may come back");
    world.pass(Duration::from_secs(29));
    world.send(bob, &json!({"type": "ping"}));
    world.take(bob);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.message(bob), json!({"type": "peer_left", "peer": joined["peer"], "reason": "lost"}));
}

#[test]
fn connections_that_come_and_go_leave_nothing_behind() {
    let mut world = World::new();
    for _ in 0..100 {
        let id = world.connect();
        world.drop_connection(id);
    }
    assert_eq!(world.hub.poll_timeout(), None);
}
