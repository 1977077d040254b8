//! Many watch what one streams, over sockets of their own.

use std::sync::Arc;

use media::{Container, Frame};
use rtp::codec::Codec;
use tempfile::tempdir;
use tokio::task::JoinSet;
use tokio::time::timeout;
use twocan::{Direction, FrameReceiver, ReceivedFrame};

use crate::program::{DEADLINE, Program};
use crate::recordings::{PICTURES, Run, make};
use crate::streams::{End, SDP};

const VIEWERS: usize = 50;
/// Frames of each medium that each viewer is to get one behind another: more than a second of them.
const WANTED: usize = 60;

/// What a medium brings from the first frame on, which is a key frame: as it was sent, and nothing left out.
async fn watch(mut receiver: FrameReceiver, sent: &[Frame]) -> usize {
    let mut before: Option<usize> = None;
    for count in 0..WANTED {
        let came: ReceivedFrame = receiver.recv_frame().await.expect("it goes on");
        let place = sent.iter().position(|own| own.bytes == came.bytes).expect("one that was sent");
        assert!(count > 0 || came.key);
        assert!(before.is_none_or(|before| place == (before + 1) % sent.len()), "{before:?}, then {place}");
        before = Some(place);
    }
    WANTED
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_who_watch_get_each_frame() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Arc::new(Program::start(&data, &[]));
    let (path, sent) = make(&folder, Container::WebM, "film.webm", Codec::Vp8);
    assert_eq!(sent[0].len(), PICTURES as usize);
    let mut publisher =
        Run::start(&server, folder.path(), &["publish", path.to_str().unwrap(), "--to", "show", "--loop"]);
    publisher.until("connected");
    let sent = Arc::new(sent);
    let mut viewers = JoinSet::new();
    for _ in 0..VIEWERS {
        let (server, sent) = (Arc::clone(&server), Arc::clone(&sent));
        viewers.spawn(async move {
            let mut viewer = End::new(Direction::RecvOnly).await;
            let offer = viewer.offer().await;
            let answer =
                tokio::task::spawn_blocking(move || server.ask("POST", "/whep/show", &[SDP], &offer));
            viewer.follow(&answer.await.unwrap()).await;
            let pictures = FrameReceiver::new(viewer.media.remove(1));
            let sound = FrameReceiver::new(viewer.media.remove(0));
            let (pictures, sound) = tokio::join!(watch(pictures, &sent[0]), watch(sound, &sent[1]));
            // It stays connected until all have come so far.
            (viewer, pictures + sound)
        });
    }
    let all = async {
        let mut done = Vec::new();
        while let Some(viewer) = viewers.join_next().await {
            done.push(viewer.unwrap());
        }
        done
    };
    let done = timeout(DEADLINE, all).await.unwrap();
    assert_eq!(done.iter().map(|(_, frames)| frames).sum::<usize>(), VIEWERS * 2 * WANTED);
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains(&format!("twocan_media_connections {}\n", VIEWERS + 1)), "{metrics}");
}
