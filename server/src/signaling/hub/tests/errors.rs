//! Each way to be refused. A bad message costs nothing else: the connection goes on.

use serde_json::{Value, json};

use super::world::{World, join};
use crate::signaling::error::ErrorCode;

#[test]
fn joins_of_a_wrong_form() {
    let long_password = "x".repeat(257);
    let big_presence = json!({"text": "x".repeat(1_024)});
    let cases: [(Value, &str); 17] = [
        (json!({"room": ""}), "bad_room"),
        (json!({"room": "a b"}), "bad_room"),
        (json!({"room": "x".repeat(65)}), "bad_room"),
        (json!({"room": "<script>"}), "bad_room"),
        (json!({"room": null}), "bad_message"),
        (json!({"room": 7}), "bad_message"),
        (json!({"name": "  "}), "bad_name"),
        (json!({"name": "a\u{0}b"}), "bad_name"),
        (json!({"name": "x".repeat(65)}), "bad_name"),
        (json!({"name": null}), "bad_message"),
        (json!({"kind": "party"}), "bad_message"),
        (json!({"role": "viewer"}), "bad_message"),
        (json!({"kind": "live", "role": "boss"}), "bad_message"),
        (json!({"password": long_password}), "too_large"),
        (json!({"presence": []}), "bad_message"),
        (json!({"presence": big_presence}), "too_large"),
        (json!({"invitation": "nonsense"}), "bad_invitation"),
    ];
    let mut world = World::new();
    let ada = world.connect();
    for (fields, code) in cases {
        world.send(ada, &join(&fields));
        assert_eq!(world.error(ada), code, "{fields}");
    }
    world.send(ada, &join(&json!({})));
    assert_eq!(world.message(ada)["type"], "joined");
}

#[test]
fn requests_that_do_not_fit_the_state() {
    let mut world = World::new();
    let ada = world.connect();
    for request in [
        json!({"type": "signal", "to": "x", "data": 1}),
        json!({"type": "chat", "text": "hello"}),
        json!({"type": "presence", "state": {}}),
        json!({"type": "next"}),
        json!({"type": "invite"}),
        json!({"type": "leave"}),
    ] {
        world.send(ada, &request);
        assert_eq!(world.error(ada), "not_joined", "{request}");
    }
    world.send(ada, &join(&json!({})));
    world.take(ada);
    world.send(ada, &join(&json!({"room": "coffee"})));
    assert_eq!(world.error(ada), "already_joined");
    world.send(ada, &json!({"type": "next"}));
    assert_eq!(world.error(ada), "not_permitted");
}

#[test]
fn an_error_repeats_the_id_of_its_request() {
    let mut world = World::new();
    let ada = world.connect();
    world.send(ada, &json!({"type": "dance", "id": 17}));
    assert_eq!(
        world.message(ada),
        json!({
            "type": "error", "code": "unknown_type", "id": 17,
            "message": "This server knows no message of this type.",
        })
    );
    world.text(ada, "{");
    let error = world.message(ada);
    assert_eq!((&error["code"], error.get("id")), (&json!("bad_message"), None));
    world.binary(ada);
    assert_eq!(world.error(ada), "bad_message");
}

#[test]
fn chats_presences_and_invitations_of_a_wrong_form() {
    let cases: [(Value, &str); 11] = [
        (json!({"type": "chat", "text": ""}), "bad_message"),
        (json!({"type": "chat", "text": "x".repeat(4_001)}), "too_large"),
        (json!({"type": "chat", "text": 1}), "bad_message"),
        (json!({"type": "chat", "text": "hi", "to": "nobody"}), "no_such_peer"),
        (json!({"type": "presence", "state": "away"}), "bad_message"),
        (json!({"type": "presence", "state": {"text": "x".repeat(1_024)}}), "too_large"),
        (json!({"type": "invite", "expires_in": 59}), "bad_message"),
        (json!({"type": "invite", "expires_in": 2_592_001}), "bad_message"),
        (json!({"type": "signal", "to": "", "data": 1}), "no_such_peer"),
        (json!({"type": "signal", "to": "0000000000000", "data": 1}), "no_such_peer"),
        (json!({"type": "ping", "received": 1}), "bad_message"),
    ];
    let mut world = World::new();
    let (ada, _) = world.join(&json!({}));
    for (request, code) in cases {
        world.send(ada, &request);
        assert_eq!(world.error(ada), code, "{request}");
    }
    // As long as allowed, in characters, not bytes.
    world.send(ada, &json!({"type": "chat", "text": "é".repeat(4_000)}));
    assert_eq!(world.messages(ada), [json!(null); 0]);
}

#[test]
fn nobody_signals_to_oneself_or_into_another_room() {
    let mut world = World::new();
    let (ada, joined) = world.join(&json!({}));
    let (bob, elsewhere) = world.join(&json!({"room": "coffee"}));
    for to in [&joined["peer"], &elsewhere["peer"]] {
        world.send(ada, &json!({"type": "signal", "to": to, "data": 1}));
        assert_eq!(world.error(ada), "no_such_peer");
        world.send(ada, &json!({"type": "chat", "to": to, "text": "hi"}));
        assert_eq!(world.error(ada), "no_such_peer");
    }
    assert_eq!(world.take(bob), []);
}

#[test]
fn the_document_lists_every_code() {
    let document = include_str!("../../../../../docs/signaling.md");
    for code in ErrorCode::ALL {
        assert!(document.contains(&format!("`{}`", code.as_str())), "{}", code.as_str());
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}
