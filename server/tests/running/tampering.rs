//! A server, or somebody on the way to it, that changes what the two ends say through it.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};
use tokio_tungstenite::{accept_hdr_async, connect_async};

use crate::files::End;
use crate::program::Program;

/// What is made of a message that the server sends: as many as are to arrive.
type Meddle = dyn Fn(Value) -> Vec<Value> + Send + Sync;

/// Stands between clients and the server; returns its address.
async fn between(server: SocketAddr, meddle: Arc<Meddle>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(carry(stream, server, Arc::clone(&meddle)));
        }
    });
    format!("http://{address}")
}

#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the library's own signature")]
fn with_protocol(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("twocan.v1"));
    Ok(response)
}

async fn carry(stream: TcpStream, server: SocketAddr, meddle: Arc<Meddle>) {
    let mut client = accept_hdr_async(stream, with_protocol).await.unwrap();
    let mut request = format!("ws://{server}/api/signaling").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("twocan.v1"));
    let (mut real, _) = connect_async(request).await.unwrap();
    loop {
        tokio::select! {
            message = client.next() => match message {
                Some(Ok(message)) => if real.send(message).await.is_err() { return },
                _ => return,
            },
            message = real.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    for message in meddle(serde_json::from_str(text.as_str()).unwrap()) {
                        if client.send(Message::text(message.to_string())).await.is_err() {
                            return;
                        }
                    }
                }
                Some(Ok(message)) => if client.send(message).await.is_err() { return },
                _ => return,
            },
        }
    }
}

/// Runs a transfer in which one end, or both, get what `meddle` makes of the server's messages.
async fn transfer(
    for_sender: bool,
    for_receiver: bool,
    meddle: impl Fn(Value) -> Vec<Value> + Send + Sync + 'static,
) -> [(Option<i32>, Vec<Value>); 2] {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &[]);
    let honest = format!("http://{}", server.http());
    let crooked = between(server.http(), Arc::new(meddle)).await;
    let file = folder.path().join("secret.txt");
    std::fs::write(&file, "for your eyes only").unwrap();
    let out = folder.path().join("out");
    tokio::task::spawn_blocking(move || {
        let pick = |crooked_one: bool| if crooked_one { &crooked } else { &honest };
        let mut sender = End::start(&["send", file.to_str().unwrap()], pick(for_sender));
        let code = sender.wait("code")["code"].as_str().unwrap().to_owned();
        let receiver = End::start(
            &["receive", &code, "--output", out.to_str().unwrap(), "--patience", "1"],
            pick(for_receiver),
        );
        // Whoever is deceived ends; the other waits on, as for anybody.
        let results = match (for_sender, for_receiver) {
            (true, false) => [sender.exit(), receiver.stop()],
            (false, true) => {
                let second = receiver.exit();
                [sender.stop(), second]
            }
            _ => [sender.exit(), receiver.exit()],
        };
        let arrived = out.join("secret.txt").exists();
        let is_well = results.iter().all(|(code, _)| *code == Some(0));
        assert_eq!(arrived, is_well, "a file without an end, or an end without a file: {results:#?}");
        results
    })
    .await
    .unwrap()
}

/// It ended because of what it got, and says so; nothing was connected.
fn assert_detected((code, events): &(Option<i32>, Vec<Value>)) {
    let last = events.last().unwrap();
    assert_eq!((*code, &last["code"]), (Some(4), &json!("tampered")), "{events:#?}");
    assert!(last["message"].as_str().unwrap().contains("Nothing was sent"), "{last}");
    assert!(!events.iter().any(|event| event["event"] == "connected"), "{events:#?}");
}

fn signals(change: impl Fn(&mut Value)) -> impl Fn(Value) -> Vec<Value> {
    move |mut message| {
        if message["type"] == "signal" {
            change(&mut message);
        }
        vec![message]
    }
}

/// One letter of the sealed text is another.
fn flip(message: &mut Value) {
    let sealed = message["data"]["sealed"].as_str().unwrap().to_owned();
    let other = if sealed.as_bytes()[40] == b'A' { "B" } else { "A" };
    message["data"]["sealed"] = format!("{}{other}{}", &sealed[..40], &sealed[41..]).into();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_signal_is_noticed_at_either_end() {
    assert_detected(&transfer(true, false, signals(flip)).await[0]);
    assert_detected(&transfer(false, true, signals(flip)).await[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_of_the_servers_own_is_refused() {
    // What a server would write that puts itself in the middle: its own fingerprint, nothing sealed.
    let own = |message: &mut Value| {
        message["data"] = json!({
            "connection": "ffffffffffffffffffffffffffffffff",
            "description": { "type": "offer", "sdp": "v=0\r\na=fingerprint:sha-256 AA:BB\r\n" },
        });
    };
    assert_detected(&transfer(true, false, signals(own)).await[0]);
    assert_detected(&transfer(false, true, signals(own)).await[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_in_anothers_name_is_refused() {
    // The server tells them other names than they have: what is sealed is bound to those.
    let renamed = |mut message: Value| {
        if message["type"] == "joined" {
            message["peer"] = "somebody-else".into();
        }
        vec![message]
    };
    assert_detected(&transfer(true, false, renamed).await[0]);
    assert_detected(&transfer(false, true, renamed).await[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_twice_does_no_harm() {
    let twice = |message: Value| {
        let times = if message["type"] == "signal" { 2 } else { 1 };
        vec![message; times]
    };
    for (code, events) in transfer(true, true, twice).await {
        assert_eq!(code, Some(0), "{events:#?}");
    }
}
