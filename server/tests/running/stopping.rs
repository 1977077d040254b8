//! SIGTERM: everyone is told, and comes back to whoever is next.

use rustix::process::Signal;
use serde_json::json;
use tempfile::tempdir;

use crate::{client::Client, program::Program};

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
