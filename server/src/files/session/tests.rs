use tokio::net::TcpListener;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::*;

#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the library's own signature")]
fn with_protocol(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("twocan.v1"));
    Ok(response)
}

async fn listener() -> (TcpListener, Join) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    (listener, Join { server, insecure: false, room: "sealed-0".to_owned(), invitation: None })
}

#[tokio::test]
async fn a_lost_connection_is_resumed_and_whoever_leaves_says_so_last() {
    let (listener, join) = listener().await;
    let server = tokio::spawn(async move {
        let mut heard = Vec::new();
        for joined in [
            json!({ "type": "joined", "peer": "bob", "peers": [], "token": "t" }),
            json!({ "type": "joined", "peer": "bob", "peers": [], "token": "t", "resumed": true, "received": 1 }),
        ] {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = accept_hdr_async(stream, with_protocol).await.unwrap();
            let mut answer = Some(joined);
            while let Some(Ok(Message::Text(text))) = socket.next().await {
                let message: Value = serde_json::from_str(text.as_str()).unwrap();
                let is_last = message["data"] == 2;
                heard.push(message);
                if let Some(answer) = answer.take() {
                    socket.send(Message::text(answer.to_string())).await.unwrap();
                }
                if is_last && heard.len() == 3 {
                    break;
                }
            }
        }
        heard
    });
    let mut session = Session::start(join);
    assert!(matches!(session.next().await, Some(Event::Joined(joined)) if !joined.resumed));
    session.signal("ada", &json!(1));
    session.signal("ada", &json!(2));
    assert!(matches!(session.next().await, Some(Event::Away(_))));
    assert!(matches!(session.next().await, Some(Event::Joined(joined)) if joined.resumed));
    session.leave().await;
    let heard = server.await.unwrap();
    let said: Vec<&str> = heard.iter().filter_map(|message| message["type"].as_str()).collect();
    assert_eq!(said, ["join", "signal", "signal", "join", "signal", "leave"]);
    assert_eq!((&heard[3]["token"], &heard[4]["data"]), (&json!("t"), &json!(2)), "what was not confirmed");
}

#[tokio::test]
async fn what_waits_for_a_server_that_is_away_is_bounded() {
    let (listener, join) = listener().await;
    drop(listener);
    let mut session = Session::start(join);
    assert!(matches!(session.next().await, Some(Event::Away(_))));
    for number in 0..10 * OUTGOING {
        session.signal("ada", &json!(number));
    }
    assert_eq!((session.outgoing.capacity(), session.outgoing.max_capacity()), (0, OUTGOING));
    // Nobody is there to hear it.
    session.leave().await;
}
