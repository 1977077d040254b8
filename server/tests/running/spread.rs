//! A room over several media workers.

use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::time::timeout;
use twocan::{Direction, PeerConnectionState};

use crate::calls::{Person, WORD};
use crate::program::{Answer, DEADLINE, Program};
use crate::streams::{End, SDP, flows};

/// Wishes for a camera, as large as given.
async fn watch(viewer: &mut Person, publication: &Value, size: (u16, u16)) {
    let mid = viewer.slots[1].mid().unwrap();
    let slot = json!({"mid": &*mid, "publication": publication, "width": size.0, "height": size.1});
    viewer.say(&json!({"type": "media_watch", "connection": WORD, "slots": [slot]})).await;
}

#[tokio::test]
async fn all_who_watch_see_what_they_wish_for_wherever_they_are() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--media-workers", "2", "--media-spread", "2"]);
    let fields = json!({"room": "show", "kind": "live", "role": "streamer"});
    let mut ada = Person::join(&server, "Ada", fields).await;
    ada.say(&json!({"type": "topology", "policy": "sfu"})).await;
    ada.prepare(true, 0).await;
    ada.offer(WORD, None).await;
    ada.talk(b'A');

    // Ada and Bob are as many as one worker is to have.
    let mut viewers = Vec::new();
    for name in ["Bob", "Cleo", "Dan"] {
        let mut viewer = Person::join(&server, name, json!({"room": "show", "kind": "live"})).await;
        viewer.prepare(false, 1).await;
        viewer.offer(WORD, None).await;
        let publications = viewer.publications(2, &[ada.id.as_str()]).await;
        viewers.push((viewer, publications[1].clone()));
    }
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("twocan_media_rooms 1\n"), "{metrics}");
    assert!(metrics.contains("twocan_media_room_parts 1\n"), "{metrics}");

    // Only Cleo watches: what the home sends nobody is watched all the same.
    let (cleo, camera) = &mut viewers[1];
    watch(cleo, camera, (320, 180)).await;
    cleo.receive(1, b'A', Some(0)).await;
    let is_low =
        |message: &Value| message["slots"][0]["encoding"] == 0 && message["slots"][0]["why"] == "wish";
    cleo.hear_that("media_layers", is_low).await;
    let wanted = |wanted: [bool; 3]| move |message: &Value| message["encodings"]["1"] == json!(wanted);
    ada.hear_that("media_wanted", wanted([true, false, false])).await;

    let (dan, camera) = &mut viewers[2];
    watch(dan, camera, (1280, 720)).await;
    dan.receive(1, b'A', Some(2)).await;
    ada.hear_that("media_wanted", wanted([true, false, true])).await;
    let (bob, camera) = &mut viewers[0];
    watch(bob, camera, (640, 360)).await;
    bob.receive(1, b'A', Some(1)).await;
    viewers[1].0.receive(1, b'A', Some(0)).await;

    // Whoever comes to a part is told who speaks.
    let mut eve = Person::join(&server, "Eve", json!({"room": "show", "kind": "live"})).await;
    eve.prepare(false, 1).await;
    eve.offer(WORD, None).await;
    eve.hear_that("media_speaker", |message| message["peer"] == *ada.id).await;
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("twocan_media_passed_on_lost_total 0\n"), "{metrics}");
}

/// The worker that a session is on, which its name ends with.
fn worker_of(answer: &Answer) -> usize {
    let location = answer.header("location");
    usize::from_str_radix(&location[location.len() - 4..], 16).unwrap()
}

async fn come(server: &Program, direction: Direction) -> (End, usize) {
    let mut end = End::new(direction).await;
    let path = if direction == Direction::SendOnly { "/whip/show" } else { "/whep/show" };
    let answer = server.ask("POST", path, &[SDP], &end.offer().await);
    end.follow(&answer).await;
    (end, worker_of(&answer))
}

#[tokio::test]
async fn a_worker_that_fails_takes_down_its_part_alone() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--media-workers", "2", "--media-spread", "2"]);
    let fail = |worker: usize| {
        let path = format!("/debug/media-panic/{worker}");
        assert_eq!(server.ask("POST", &path, &[], "").status, 204);
    };
    let (studio, home) = come(&server, Direction::SendOnly).await;
    let (mut near, at) = come(&server, Direction::RecvOnly).await;
    assert_eq!(at, home);
    let (mut far, part) = come(&server, Direction::RecvOnly).await;
    assert_ne!(part, home);
    let mut numbers = 1..;
    flows(&studio, &mut near, &mut numbers).await;
    flows(&studio, &mut far, &mut numbers).await;

    fail(part);
    flows(&studio, &mut near, &mut numbers).await;
    let (mut far, at) = come(&server, Direction::RecvOnly).await;
    assert_eq!(at, part);
    flows(&studio, &mut far, &mut numbers).await;
    flows(&studio, &mut near, &mut numbers).await;

    // Who watches by the part watches whatever is sent next.
    fail(home);
    let again = async {
        let mut next = End::new(Direction::SendOnly).await;
        let answer = server.ask("POST", "/whip/show", &[SDP], &next.offer().await);
        next.follow(&answer).await;
        next
    };
    let next = timeout(DEADLINE, again).await.unwrap();
    flows(&next, &mut far, &mut numbers).await;
    assert_eq!(far.peer.connection_state(), PeerConnectionState::Connected);
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("twocan_media_restarts_total 2\n"), "{metrics}");
}
