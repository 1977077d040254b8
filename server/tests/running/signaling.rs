//! Rooms over real WebSockets.

use serde_json::json;
use tempfile::tempdir;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::{
    client::{Client, eventually},
    program::Program,
};

#[tokio::test]
async fn two_people_meet_and_one_comes_back_after_a_drop() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let (mut ada, joined) = Client::join(server.http(), json!({})).await;
    let (mut bob, other) = Client::join(server.http(), json!({"name": "Bob"})).await;
    assert_eq!(ada.next().await["peer"]["name"], "Bob");
    ada.send(&json!({"type": "signal", "to": other["peer"], "data": {"n": 1}})).await;
    assert_eq!(bob.next().await, json!({"type": "signal", "from": joined["peer"], "data": {"n": 1}}));

    drop(ada);
    eventually(|| server.get("/metrics", &[]).body.contains("twocan_signaling_connections 1\n")).await;
    bob.send(&json!({"type": "signal", "to": joined["peer"], "data": "missed"})).await;
    let back = json!({"token": joined["token"], "received": 1});
    let (mut ada, again) = Client::join(server.http(), back).await;
    assert_eq!((&again["resumed"], &again["received"]), (&json!(true), &json!(1)));
    assert_eq!(ada.next().await["data"], "missed");
}

#[tokio::test]
async fn a_killed_server_comes_back_and_knows_its_peers() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let (mut ada, joined) = Client::join(server.http(), json!({})).await;
    server.kill();
    assert_eq!(ada.closed().await, None);
    let server = Program::start(&data, &[]);
    let back = json!({"token": joined["token"], "received": 0});
    let (_, again) = Client::join(server.http(), back).await;
    assert_eq!((&again["peer"], &again["resumed"]), (&joined["peer"], &json!(false)));

    // With another secret the token is worth nothing.
    let elsewhere = tempdir().unwrap();
    let server = Program::start(&elsewhere, &[]);
    let (_, stranger) = Client::join(server.http(), json!({"token": joined["token"]})).await;
    assert_ne!(stranger["peer"], joined["peer"]);
}

#[tokio::test]
async fn all_that_was_kept_comes_at_once_and_is_not_too_much() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let (ada, joined) = Client::join(server.http(), json!({})).await;
    let (mut bob, _) = Client::join(server.http(), json!({"name": "Bob"})).await;
    drop(ada);
    eventually(|| server.get("/metrics", &[]).body.contains("twocan_signaling_connections 1\n")).await;
    // As much as is kept, to the last few hundred bytes: with `joined` before it, more than that.
    let pad = "x".repeat(65_400);
    for n in 0..4 {
        bob.send(&json!({"type": "signal", "to": joined["peer"], "data": [n, pad]})).await;
    }
    bob.send(&json!({"type": "ping"})).await;
    assert_eq!(bob.next().await["type"], "pong");
    // Ada had heard of Bob.
    let (mut ada, again) =
        Client::join(server.http(), json!({"token": joined["token"], "received": 1})).await;
    assert_eq!(again["resumed"], json!(true));
    for n in 0..4 {
        assert_eq!(ada.next().await["data"][0], n);
    }
}

#[tokio::test]
async fn a_second_connection_takes_over() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let (mut ada, joined) = Client::join(server.http(), json!({})).await;
    let back = json!({"token": joined["token"], "received": 0});
    let (_again, joined) = Client::join(server.http(), back).await;
    assert_eq!(joined["resumed"], json!(true));
    assert_eq!(ada.closed().await, Some(4000));
}

#[tokio::test]
async fn leaving_closes_normally() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let (mut ada, _) = Client::join(server.http(), json!({})).await;
    ada.send(&json!({"type": "leave"})).await;
    assert_eq!(ada.next().await, json!({"type": "left"}));
    assert_eq!(ada.closed().await, Some(1000));
}

#[tokio::test]
async fn a_page_from_elsewhere_is_refused_unless_it_is_allowed() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--allow-origin", "https://friend.example"]);
    let own = format!("http://{}", server.http());
    for origin in [None, Some(own.as_str()), Some("https://friend.example")] {
        assert!(Client::try_connect(server.http(), origin).await.is_ok(), "{origin:?}");
    }
    for origin in ["https://evil.example", "null"] {
        match Client::try_connect(server.http(), Some(origin)).await.err() {
            Some(Error::Http(answer)) => assert_eq!(answer.status(), 403),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn messages_that_are_too_large_close_the_connection() {
    use futures_util::SinkExt as _;

    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    // The hub refuses the first; the second is not even read.
    for size in [270_000, 1_000_000] {
        let (mut ada, _) = Client::join(server.http(), json!({})).await;
        // The server may close while this is still being written.
        let _ = ada.0.send(Message::text("x".repeat(size))).await;
        let code = ada.closed().await;
        assert!(matches!(code, Some(1008) | None), "{code:?}");
    }
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("twocan_signaling_dropped_total{reason=\"abusive\"} 2\n"), "{metrics}");
}

#[tokio::test]
async fn a_slow_reader_is_dropped_and_holds_up_nobody() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--messages-per-second", "1000000"]);
    // Eve joins and never reads again.
    let (_eve, slow) = Client::join(server.http(), json!({"name": "Eve"})).await;
    let (mut ada, joined) = Client::join(server.http(), json!({})).await;
    let (mut bob, _) = Client::join(server.http(), json!({"name": "Bob"})).await;
    assert_eq!(ada.next().await["type"], "peer_joined");

    let pad = "x".repeat(60_000);
    let mut sent = 0;
    let reason = loop {
        sent += 1;
        ada.send(&json!({"type": "signal", "to": slow["peer"], "data": pad})).await;
        ada.send(&json!({"type": "chat", "text": sent.to_string()})).await;
        let message = bob.next().await;
        if message["type"] == "peer_left" {
            assert_eq!(message["peer"], slow["peer"]);
            break message["reason"].clone();
        }
        assert_eq!((&message["from"], &message["text"]), (&joined["peer"], &json!(sent.to_string())));
        assert!(sent < 2_000, "{sent} messages of 60 kB wait for one reader");
    };
    assert_eq!(reason, "dropped");
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("twocan_signaling_dropped_total{reason=\"slow\"} 1\n"), "{metrics}");
}
