//! `join` and what answers it.

use serde_json::json;

use super::world::{World, join};

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

    let bob = world.connect();
    world.send(bob, &join(&json!({"name": " Bob "})));
    let joined = world.message(bob);
    let bob_id = joined["peer"].clone();
    assert_eq!(joined["peers"], json!([{"id": ada_id, "name": "Ada", "presence": {"mic": true}}]));
    assert_eq!(world.message(ada), json!({"type": "peer_joined", "peer": {"id": bob_id, "name": "Bob"}}));

    world.text(ada, &format!(r#"{{"type":"signal","to":{bob_id},"data":{{"b":1,"a":[1.0e3,"\u00e9"]}}}}"#));
    assert_eq!(
        world.message(bob),
        json!({"type": "signal", "from": ada_id, "data": {"b": 1, "a": [1.0e3, "é"]}})
    );

    world.send(bob, &json!({"type": "leave"}));
    assert_eq!(world.message(ada), json!({"type": "peer_left", "peer": bob_id, "reason": "left"}));
}
