//! What peers say to each other.

use serde_json::json;

use super::world::World;

#[test]
fn a_signal_reaches_one_peer_with_its_data_untouched() {
    let mut world = World::new();
    let (ada, joined) = world.join(&json!({}));
    let (bob, other) = world.join(&json!({"name": "Bob"}));
    let (eve, _) = world.join(&json!({"name": "Eve"}));
    for id in [ada, bob, eve] {
        world.take(id);
    }
    let to = &other["peer"];
    world.text(ada, &format!(r#"{{"type":"signal","to":{to},"data":{{"b":1,"a":[1.0e3,"\u00e9"]}}}}"#));
    assert_eq!(
        world.message(bob),
        json!({"type": "signal", "from": joined["peer"], "data": {"b": 1, "a": [1.0e3, "é"]}})
    );
    assert_eq!(world.take(eve), []);
    assert_eq!(world.take(ada), []);
}

#[test]
fn a_chat_reaches_everyone_else_or_one() {
    let mut world = World::new();
    let (ada, joined) = world.join(&json!({}));
    let (bob, other) = world.join(&json!({"name": "Bob"}));
    let (eve, _) = world.join(&json!({"name": "Eve"}));
    for id in [ada, bob, eve] {
        world.take(id);
    }
    let text = "<b>hello</b> & \"bye\"";
    world.send(ada, &json!({"type": "chat", "text": text}));
    let expected = json!({"type": "chat", "from": joined["peer"], "name": "Ada", "text": text, "time": 1_700_000_000_123_u64});
    assert_eq!(world.message(bob), expected);
    assert_eq!(world.message(eve), expected);
    assert_eq!(world.take(ada), []);

    world.send(ada, &json!({"type": "chat", "text": "psst", "to": other["peer"]}));
    assert_eq!(
        world.message(bob),
        json!({
            "type": "chat", "from": joined["peer"], "name": "Ada", "text": "psst", "to": other["peer"],
            "time": 1_700_000_000_123_u64,
        })
    );
    assert_eq!(world.take(eve), []);
}

#[test]
fn a_presence_is_told_and_kept_for_those_who_come_later() {
    let mut world = World::new();
    let (ada, joined) = world.join(&json!({}));
    let (bob, _) = world.join(&json!({"name": "Bob"}));
    world.take(ada);
    world.send(ada, &json!({"type": "presence", "state": {"hand": "up"}}));
    assert_eq!(
        world.message(bob),
        json!({"type": "presence", "from": joined["peer"], "state": {"hand": "up"}})
    );
    assert_eq!(world.take(ada), []);
    let (_, late) = world.join(&json!({"name": "Eve"}));
    assert_eq!(late["peers"][0], json!({"id": joined["peer"], "name": "Ada", "presence": {"hand": "up"}}));
}

#[test]
fn a_ping_is_answered_before_and_after_joining() {
    let mut world = World::new();
    let ada = world.connect();
    world.send(ada, &json!({"type": "ping"}));
    assert_eq!(world.message(ada), json!({"type": "pong", "received": 0}));
    world.send(ada, &super::world::join(&json!({})));
    world.take(ada);
    world.send(ada, &json!({"type": "chat", "text": "anyone?"}));
    world.send(ada, &json!({"type": "dance"}));
    world.take(ada);
    world.send(ada, &json!({"type": "ping", "received": 0}));
    assert_eq!(world.message(ada), json!({"type": "pong", "received": 2}));
}
