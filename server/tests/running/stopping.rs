//! SIGTERM: everyone is told, and comes back to whoever is next.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tempfile::tempdir;
use tokio::time::timeout;
use twocan::{Direction, PeerConnectionState};

use crate::client::Client;
use crate::program::{DEADLINE, Program};
use crate::streams::{End, SDP, flows};

#[tokio::test]
async fn clients_are_told_nobody_is_admitted_and_it_ends_well() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--drain-seconds", "30"]);
    let (mut ada, _) = Client::join(server.http(), json!({})).await;
    let mut late = Client::connect(server.http()).await;
    assert_eq!(server.get("/healthz", &[]).body, "ok\n");
    server.signal(Signal::TERM);
    let told = ada.next().await;
    assert_eq!((&told["type"], &told["reason"]), (&json!("going_away"), &json!("restart")));
    let answer = server.get("/healthz", &[]);
    assert_eq!((answer.status, answer.body.as_str()), (503, "draining\n"));
    assert_eq!(late.next().await["type"], "going_away");
    late.send(&json!({"type": "join", "room": "tea", "name": "Late"})).await;
    match late.next_or_close().await {
        Ok(error) => {
            assert_eq!(error["code"], "draining");
            assert_eq!(late.closed().await, Some(1012));
        }
        // On a busy machine the second is over already.
        Err(code) => assert_eq!(code, Some(1012)),
    }
    assert_eq!(ada.closed().await, Some(1012));
    assert_eq!(server.exit_code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--drain-seconds", "3600"]);
    let (mut ada, _) = Client::join(server.http(), json!({})).await;
    server.signal(Signal::INT);
    assert_eq!(ada.next().await["type"], "going_away");
    server.signal(Signal::INT);
    assert_eq!(server.exit_code(), Some(130));
}

#[test]
fn with_nobody_there_it_ends_at_once() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--drain-seconds", "3600"]);
    server.signal(Signal::TERM);
    assert_eq!(server.exit_code(), Some(0));
}

#[tokio::test]
async fn streams_go_on_while_it_drains_and_end_with_a_goodbye() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--drain-seconds", "3600"]);
    let (mut studio, mut viewer) = (End::new(Direction::SendOnly).await, End::new(Direction::RecvOnly).await);
    studio.follow(&server.ask("POST", "/whip/show", &[SDP], &studio.offer().await)).await;
    viewer.follow(&server.ask("POST", "/whep/show", &[SDP], &viewer.offer().await)).await;
    let mut numbers = 1..;
    flows(&studio, &mut viewer, &mut numbers).await;
    server.signal(Signal::TERM);
    let late = End::new(Direction::RecvOnly).await.offer().await;
    let refused = async {
        loop {
            let answer = server.ask("POST", "/whep/show", &[SDP], &late);
            if answer.status != 201 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let answer = timeout(DEADLINE, refused).await.unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (503, "3"), "{}", answer.body);
    flows(&studio, &mut viewer, &mut numbers).await;
    // The second signal ends the wait, and still every peer hears of it.
    server.signal(Signal::TERM);
    for end in [&mut studio, &mut viewer] {
        let over = async {
            while end.peer.connection_state() == PeerConnectionState::Connected {
                assert!(end.peer.next_event().await.is_some());
            }
        };
        timeout(DEADLINE, over).await.unwrap();
        // Who merely hears nothing any more is disconnected first.
        assert_eq!(end.peer.connection_state(), PeerConnectionState::Failed);
    }
    assert_eq!(server.exit_code(), Some(130));
}

#[tokio::test]
async fn it_ends_as_soon_as_nobody_streams_any_more() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--drain-seconds", "3600"]);
    let mut studio = End::new(Direction::SendOnly).await;
    studio.follow(&server.ask("POST", "/whip/show", &[SDP], &studio.offer().await)).await;
    server.signal(Signal::TERM);
    studio.peer.close();
    assert_eq!(server.exit_code(), Some(0));
}
