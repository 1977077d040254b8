//! What is asked of the media workers, and what becomes of what they say.

use serde_json::{Value, json};

use super::world::World;
use crate::conference::{
    Ending, Layer, LegName, Member, Notice, Offer, Problem, Publication, Request, RoomKey, SlotLayer,
    SlotWish, Source, Why,
};
use crate::signaling::{ConnectionId, names::PeerId};

fn member(joined: &Value) -> Member {
    Member(PeerId::parse(joined["peer"].as_str().unwrap()).unwrap().0)
}

fn leg(joined: &Value, connection: &str) -> LegName {
    LegName { room: RoomKey::Call("tea".into()), member: member(joined), connection: connection.into() }
}

pub(super) fn offer(connection: &str) -> Value {
    json!({
        "type": "media_offer", "id": 3, "connection": connection, "sdp": "v=0",
        "publish": {"0": "mic", "a": "screen"}, "seats": [["4", "5"]],
    })
}

/// Ada and Bob in a call that is forwarded.
pub(super) fn pair() -> (World, (ConnectionId, Value), (ConnectionId, Value)) {
    let mut world = World::with(|settings| settings.media = true);
    let (ada, bob) = (world.join(&json!({})), world.join(&json!({"name": "Bob"})));
    world.send(ada.0, &json!({"type": "topology", "policy": "sfu"}));
    for (id, _) in [&ada, &bob] {
        let told = world.messages(*id);
        assert_eq!(told.last(), Some(&json!({"type": "topology", "mode": "sfu", "policy": "sfu"})));
    }
    (world, ada, bob)
}

pub(super) fn answered(world: &mut World, joined: &Value, connection: &str) {
    let sdp = "v=0 answer".to_owned();
    world.notice(Notice::Answer { leg: leg(joined, connection), request: Some(3), sdp });
}

#[test]
fn offers_go_to_the_workers_and_answers_come_back() {
    let (mut world, (ada, joined), _) = pair();
    world.send(ada, &offer("x1"));
    let publish = vec![("0".into(), Source::Microphone), ("a".into(), Source::Screen)];
    let (leg, sdp, seats) = (leg(&joined, "x1"), "v=0".to_owned(), vec![vec!["4".into(), "5".into()]]);
    let asked = Offer {
        leg: leg.clone(),
        request: Some(3),
        sdp,
        publish,
        seats,
        may_publish: true,
        is_locked: false,
    };
    assert_eq!(world.asked(), [Request::Offer(Box::new(asked))]);
    answered(&mut world, &joined, "x1");
    assert_eq!(
        world.message(ada),
        json!({"type": "media_answer", "connection": "x1", "sdp": "v=0 answer", "id": 3})
    );

    let slots = json!([
        {"mid": "4", "publication": "p", "width": 640.5, "height": 1e9, "priority": 7},
        {"mid": "5", "publication": null, "paused": true},
    ]);
    world.send(ada, &json!({"type": "media_watch", "id": 4, "connection": "x1", "slots": slots}));
    let wish =
        |mid: &str| SlotWish { mid: mid.into(), publication: None, size: None, paused: false, priority: 0 };
    let slots = vec![
        SlotWish { publication: Some("p".into()), size: Some((640, 65_535)), priority: 7, ..wish("4") },
        SlotWish { paused: true, ..wish("5") },
    ];
    assert_eq!(world.asked(), [Request::Watch { leg: leg.clone(), request: Some(4), slots }]);
    world.send(ada, &json!({"type": "media_close", "connection": "x1"}));
    assert_eq!(world.asked(), [Request::Close { leg }]);

    // Whoever goes is gone from there as well.
    world.send(ada, &offer("x2"));
    world.asked();
    world.send(ada, &json!({"type": "leave"}));
    let (room, member) = (RoomKey::Call("tea".into()), member(&joined));
    assert_eq!(world.asked(), [Request::Leave { room, member }]);
}

#[test]
fn each_is_told_what_the_others_publish() {
    let (mut world, (ada, ada_joined), (bob, bob_joined)) = pair();
    let publication = |id: &str, member| Publication {
        id: id.into(),
        member,
        source: Source::Camera,
        is_audio: false,
        codec: "VP8".into(),
    };
    let room = RoomKey::Call("tea".into());
    let publications = vec![
        publication("1", Some(member(&ada_joined))),
        publication("2", Some(member(&bob_joined))),
        publication("3", None),
    ];
    let told = Notice::Publications { room: room.clone(), publications };
    world.notice(told.clone());
    assert_eq!(world.messages(ada), [json!(null); 0], "nobody has a connection yet");
    for (id, joined) in [(ada, &ada_joined), (bob, &bob_joined)] {
        world.send(id, &offer("x"));
        answered(&mut world, joined, "x");
        world.take(id);
    }
    let wire = |id: &str, peer: &Value| json!({"id": id, "peer": peer, "source": "camera", "kind": "video", "codec": "VP8"});
    for _ in 0..2 {
        world.notice(told.clone());
    }
    let nobody = json!(null);
    let all = json!([wire("2", &bob_joined["peer"]), wire("3", &nobody)]);
    assert_eq!(world.message(ada), json!({"type": "media_publications", "publications": all}), "once");
    let all = json!([wire("1", &ada_joined["peer"]), wire("3", &nobody)]);
    assert_eq!(world.message(bob), json!({"type": "media_publications", "publications": all}));
    world.notice(Notice::Publications { room: RoomKey::Live("tea".into()), publications: Vec::new() });
    assert_eq!(world.messages(ada), [json!(null); 0], "that is another room");

    world.notice(Notice::Speaker { room, member: Some(member(&bob_joined)) });
    assert_eq!(world.message(ada), json!({"type": "media_speaker", "peer": bob_joined["peer"]}));
}

#[test]
fn what_becomes_of_a_connection_is_told() {
    let (mut world, (ada, joined), _) = pair();
    let name = leg(&joined, "x");
    world.send(ada, &offer("x"));
    answered(&mut world, &joined, "x");
    world.take(ada);
    let encodings = vec![("0".into(), vec![true, false])];
    world.notice(Notice::Wanted { leg: name.clone(), encodings });
    let wanted = json!({"type": "media_wanted", "connection": "x", "encodings": {"0": [true, false]}});
    assert_eq!(world.message(ada), wanted);
    let layer = Some(Layer { encoding: 2, spatial: 0, temporal: 1 });
    let slots = vec![
        SlotLayer {
            mid: "4".into(),
            publication: Some("p".into()),
            layer,
            bitrate: Some(90_000),
            why: Why::Bandwidth,
        },
        SlotLayer { mid: "5".into(), publication: None, layer: None, bitrate: None, why: Why::Source },
    ];
    world.notice(Notice::Layers { leg: name.clone(), slots, estimate: Some(400_000) });
    let slots = json!([
        {"mid": "4", "publication": "p", "encoding": 2, "spatial": 0, "temporal": 1, "bitrate": 90_000, "why": "bandwidth"},
        {"mid": "5", "publication": null, "encoding": null, "why": "source"},
    ]);
    assert_eq!(
        world.message(ada),
        json!({"type": "media_layers", "connection": "x", "slots": slots, "estimate": 400_000})
    );
    for (problem, code) in [
        (Problem::Offer, "media_refused"),
        (Problem::Slot, "media_refused"),
        (Problem::Codec, "unsupported_codec"),
        (Problem::Publication, "no_such_publication"),
        (Problem::Busy, "server_full"),
    ] {
        let why = "Words.".to_owned();
        world.notice(Notice::Refused { leg: name.clone(), request: Some(9), problem, why });
        let error = world.message(ada);
        assert_eq!((&error["code"], &error["id"]), (&json!(code), &json!(9)));
    }
    world.notice(Notice::Closed { leg: name, reason: Ending::Failed });
    assert_eq!(world.message(ada), json!({"type": "media_closed", "connection": "x", "reason": "failed"}));
}

#[test]
fn layers_are_not_counted_and_answers_are() {
    let (mut world, (ada, joined), _) = pair();
    let before = world.hub.counters().messages_sent;
    let slots =
        vec![SlotLayer { mid: "4".into(), publication: None, layer: None, bitrate: None, why: Why::Source }];
    world.send(ada, &offer("x"));
    world.drop_connection(ada);
    world.notice(Notice::Layers { leg: leg(&joined, "x"), slots, estimate: None });
    answered(&mut world, &joined, "x");
    assert_eq!(world.hub.counters().messages_sent, before, "nobody is there");
    let fields = json!({"token": joined["token"], "received": 2});
    let id = world.connect();
    world.send(id, &super::world::join(&fields));
    let messages = world.messages(id);
    let types: Vec<_> = messages.iter().map(|message| message["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["joined", "media_answer"]);
}

#[test]
fn requests_that_cannot_be() {
    let mut world = World::new();
    let (ada, _) = world.join(&json!({}));
    for request in [offer("x"), json!({"type": "topology", "policy": "auto"})] {
        world.send(ada, &request);
        assert_eq!(world.error(ada), "no_media");
    }
    let (mut world, (ada, _), _) = pair();
    let mut many = offer("x");
    for mid in 0..9 {
        many["publish"][mid.to_string()] = json!("camera");
    }
    let long = "x".repeat(65);
    let slots: Vec<Value> = (0..129).map(|mid| json!({"mid": mid.to_string()})).collect();
    for request in [
        offer(""),
        offer(&long),
        many,
        json!({"type": "media_offer", "connection": "x", "sdp": "", "publish": {"0": "face"}}),
        json!({"type": "media_offer", "connection": "x", "sdp": "", "publish": {long.clone(): "mic"}}),
        json!({"type": "media_offer", "connection": "x"}),
        json!({"type": "media_offer", "connection": "x", "sdp": "", "seats": vec![json!([]); 129]}),
        json!({"type": "media_offer", "connection": "x", "sdp": "", "seats": [vec!["0"; 129]]}),
        json!({"type": "media_offer", "connection": "x", "sdp": "", "seats": [[long.clone()]]}),
        json!({"type": "media_watch", "connection": "x"}),
        json!({"type": "media_watch", "connection": "x", "slots": slots}),
        json!({"type": "media_watch", "connection": "x", "slots": [{"mid": "0", "priority": 256}]}),
        json!({"type": "media_watch", "connection": "x", "slots": [{"mid": "0", "publication": long}]}),
        json!({"type": "media_close"}),
        json!({"type": "topology", "policy": "mesh"}),
    ] {
        world.send(ada, &request);
        assert_eq!(world.error(ada), "bad_message", "{request}");
    }
    let (sender, _) = world.join(&json!({"room": "files", "kind": "send"}));
    world.send(sender, &offer("x"));
    assert_eq!(world.error(sender), "not_permitted");
    let (viewer, _) = world.join(&json!({"room": "show", "kind": "live"}));
    world.send(viewer, &offer("x"));
    assert_eq!(world.error(viewer), "not_permitted");
    world.send(viewer, &json!({"type": "topology", "policy": "sfu"}));
    assert_eq!(world.error(viewer), "not_permitted");
    assert_eq!(world.asked(), []);
}

#[test]
fn offers_cost_more_than_other_messages() {
    let (mut world, (ada, _), _) = pair();
    for number in 0..100 {
        world.send(ada, &offer(&format!("x{number}")));
    }
    let offers = world.asked().len();
    assert!((30..=50).contains(&offers), "{offers} of a burst of 200 messages");
}
