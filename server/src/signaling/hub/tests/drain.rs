//! A server that is about to stop.

use std::time::Duration;

use serde_json::json;

use super::media::{answered, offer, pair};
use super::world::{Seen, World, join};
use crate::signaling::CloseCode;

#[test]
fn everyone_is_told_nobody_is_admitted_and_all_are_closed() {
    let mut world = World::new();
    let (ada, _) = world.join(&json!({}));
    let idle = world.connect();
    world.drain();
    for id in [ada, idle] {
        let message = world.message(id);
        assert_eq!((&message["type"], &message["reason"]), (&json!("going_away"), &json!("restart")));
        assert!((1_000..3_000).contains(&message["retry"].as_u64().unwrap()), "{message}");
    }
    world.send(idle, &join(&json!({})));
    let error = world.message(idle);
    assert_eq!((&error["code"], &error["retry"]), (&json!("draining"), &json!(2_000)));
    let late = world.connect_silently();
    assert_eq!(world.messages(late)[1]["type"], "going_away", "who comes late is told as well");
    world.send(late, &join(&json!({})));
    assert_eq!(world.error(late), "draining");

    world.pass(Duration::from_secs(1));
    for id in [ada, idle, late] {
        assert_eq!(world.take(id), [Seen::Closed(CloseCode::Restart)]);
    }
    assert_eq!(world.hub.connections(), 0);
    let too_late = world.connect_silently();
    assert_eq!(world.take(too_late).pop(), Some(Seen::Closed(CloseCode::Restart)));
    assert_eq!(world.hub.connections(), 0);
    world.hub.check_invariants();
}

#[test]
fn what_is_forwarded_goes_on_for_those_who_cannot_come_back() {
    let (mut world, (ada, joined), _) = pair();
    world.send(ada, &offer("x1"));
    answered(&mut world, &joined, "x1");
    world.asked();
    world.drain();
    world.pass(Duration::from_secs(3600));
    assert_eq!(world.hub.connections(), 0);
    assert_eq!(world.asked(), [], "the workers are not told that anybody has gone");
    world.hub.check_invariants();
}
