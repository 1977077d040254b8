//! The way into a room of ours: one connection that sends and receives, and wishes for its slots (`docs/signaling.md`).

use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twocan::{MediaKind, SessionDescription};

use super::camera::LAYERS;
use super::line::Line;
use super::socket::Socket;
use super::{Size, Wish};
use crate::beside::server::Server;

/// A client that says nothing for a minute counts as gone.
const PING: Duration = Duration::from_secs(20);

pub(super) struct Ours {
    socket: Socket,
    peer: String,
    forwards: bool,
    answer: Option<String>,
    /// What there is: whose, of what kind, and its id.
    publications: Vec<(String, MediaKind, String)>,
    pinged: Instant,
}

impl Ours {
    pub(super) async fn enter(server: &Server, name: &str) -> io::Result<Self> {
        let mut socket = Socket::open(server.address, "/api/signaling", Some("twocan.v1")).await?;
        socket.send(&json!({ "type": "join", "room": "bench", "name": name })).await?;
        Ok(Self {
            socket,
            peer: String::new(),
            forwards: false,
            answer: None,
            publications: Vec::new(),
            pinged: Instant::now(),
        })
    }

    /// Once the server has let us in, and forwards.
    pub(super) fn is_in(&self) -> bool {
        self.forwards
    }

    pub(super) async fn publish(&mut self, line: &mut Line, name: &str, others: usize) -> io::Result<()> {
        line.publish(name).await?;
        line.watch(others).await?;
        let sdp = line.offer().await?;
        let mids: Vec<String> = line.media.iter().filter_map(|one| Some(one.mid()?.into_string())).collect();
        let mut publish = serde_json::Map::new();
        let mut seats = Vec::new();
        for (place, two) in mids.chunks_exact(2).enumerate() {
            if place == 0 {
                publish.insert(two[0].clone(), json!("mic"));
                publish.insert(two[1].clone(), json!("camera"));
            } else {
                seats.push(json!(two));
            }
        }
        self.socket
            .send(&json!({
                "type": "media_offer", "connection": name, "sdp": sdp, "publish": publish, "seats": seats,
            }))
            .await
    }

    pub(super) async fn watch(&mut self, line: &Line, name: &str, wishes: &[Wish<'_>]) -> io::Result<()> {
        let mut slots = Vec::new();
        for (wish, two) in wishes.iter().zip(line.media.chunks_exact(2).skip(1)) {
            for (one, kind) in two.iter().zip([MediaKind::Audio, MediaKind::Video]) {
                let id = self.publications.iter().find(|(peer, its, _)| *peer == wish.id && *its == kind);
                let Some((_, _, id)) = id else {
                    return Err(io::Error::other(format!("nothing of {}'s is there", wish.name)));
                };
                let mid = one.mid().unwrap_or_default();
                let layer = match wish.size {
                    Size::Full => &LAYERS[2],
                    Size::Thumbnail => &LAYERS[0],
                };
                slots.push(match kind {
                    MediaKind::Audio => json!({ "mid": mid, "publication": id }),
                    MediaKind::Video => json!({
                        "mid": mid, "publication": id, "width": layer.width, "height": layer.height,
                    }),
                });
            }
        }
        self.socket.send(&json!({ "type": "media_watch", "connection": name, "slots": slots })).await
    }

    pub(super) async fn hear(&mut self, line: &mut Line) -> io::Result<()> {
        while let Some(message) = self.socket.next()? {
            let Ok(text) = message.to_text() else { continue };
            let Ok(message) = serde_json::from_str::<Value>(text) else { continue };
            match message["type"].as_str() {
                Some("joined") => {
                    self.peer = word(&message["peer"]);
                    self.forwards = message["topology"]["mode"] == "sfu";
                    if !self.forwards {
                        self.socket.send(&json!({ "type": "topology", "policy": "sfu" })).await?;
                    }
                }
                Some("topology") => self.forwards = message["mode"] == "sfu",
                Some("media_answer") => {
                    line.take(SessionDescription::answer(word(&message["sdp"]))).await?;
                    self.answer = Some(word(&message["connection"]));
                }
                Some("media_publications") => {
                    let all = message["publications"].as_array().map(Vec::as_slice).unwrap_or_default();
                    let of = |one: &Value| {
                        let kind = if one["kind"] == "audio" { MediaKind::Audio } else { MediaKind::Video };
                        (word(&one["peer"]), kind, word(&one["id"]))
                    };
                    self.publications = all.iter().map(of).collect();
                }
                Some("error" | "media_closed") => return Err(io::Error::other(text.to_owned())),
                _ => {}
            }
        }
        if self.pinged.elapsed() > PING {
            self.pinged = Instant::now();
            self.socket.send(&json!({ "type": "ping", "received": 0 })).await?;
        }
        Ok(())
    }

    /// How others know us.
    pub(super) fn id(&self) -> &str {
        &self.peer
    }

    /// Whether so many others can be watched.
    pub(super) fn sees(&self, others: usize) -> bool {
        self.answer.is_some() && self.publications.len() == 2 * others
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
