//! The way into LiveKit's room that its own clients take: a WebSocket, a connection that sends and one that receives, each
//! subscriber saying what size of which track it wants. Its messages are protobuf; a client that writes JSON gets JSON from
//! then on, so that only what the server says first is read as protobuf here.

use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use twocan::{IceCandidateInit, MediaKind, SessionDescription};

use super::camera::LAYERS;
use super::line::{Line, track};
use super::socket::Socket;
use super::{Size, Wish};
use crate::beside::server::{Server, token};

const PING: Duration = Duration::from_secs(10);
/// LiveKit's names for the layers, the lowest first.
const QUALITIES: [&str; 3] = ["LOW", "MEDIUM", "HIGH"];

pub(super) struct LiveKit {
    socket: Socket,
    is_in: bool,
    /// What there is: whose, of what kind, and its id.
    tracks: Vec<(String, MediaKind, String)>,
    pinged: Instant,
}

impl LiveKit {
    pub(super) async fn enter(server: &Server, name: &str) -> io::Result<Self> {
        let token = token(name, true, true);
        // Tracks are subscribed to when all are there: one exchange of descriptions in place of one for each who comes.
        let path = format!("/rtc?access_token={token}&protocol=16&auto_subscribe=0&sdk=js&version=2.15.0");
        let mut socket = Socket::open(server.address, &path, None).await?;
        socket.send(&json!({ "pingReq": { "timestamp": "1", "rtt": "0" } })).await?;
        Ok(Self { socket, is_in: false, tracks: Vec::new(), pinged: Instant::now() })
    }

    pub(super) fn is_in(&self) -> bool {
        self.is_in
    }

    pub(super) async fn publish(&mut self, line: &mut Line, name: &str) -> io::Result<()> {
        let layers: Vec<Value> = LAYERS
            .iter()
            .zip(QUALITIES)
            .map(|(layer, quality)| {
                json!({
                    "quality": quality, "width": layer.width, "height": layer.height,
                    "bitrate": layer.kbps * 1000,
                })
            })
            .collect();
        let sound = json!({
            "cid": track(name, MediaKind::Audio), "type": "AUDIO", "source": "MICROPHONE", "disableRed": true,
            "stream": name,
        });
        let pictures = json!({
            "cid": track(name, MediaKind::Video), "type": "VIDEO", "source": "CAMERA",
            "width": LAYERS[2].width, "height": LAYERS[2].height, "layers": layers, "stream": name,
        });
        self.socket.send(&json!({ "addTrack": sound })).await?;
        self.socket.send(&json!({ "addTrack": pictures })).await?;
        line.publish(name).await?;
        let sdp = line.offer().await?;
        self.socket.send(&json!({ "offer": { "type": "offer", "sdp": sdp, "id": 1 } })).await
    }

    pub(super) async fn watch(&mut self, wishes: &[Wish<'_>]) -> io::Result<()> {
        let of = |size: Option<Size>| -> Vec<&str> {
            let wished = |(whose, kind, _): &&(String, MediaKind, String)| {
                let wish = wishes.iter().find(|wish| wish.name == *whose);
                wish.is_some_and(|wish| match size {
                    Some(size) => wish.size == size && *kind == MediaKind::Video,
                    None => true,
                })
            };
            self.tracks.iter().filter(wished).map(|(_, _, id)| id.as_str()).collect()
        };
        let subscription = json!({ "subscription": { "trackSids": of(None), "subscribe": true } });
        let small =
            json!({ "trackSetting": { "trackSids": of(Some(Size::Thumbnail)), "quality": QUALITIES[0] } });
        let full = json!({ "trackSetting": { "trackSids": of(Some(Size::Full)), "quality": QUALITIES[2] } });
        for message in [subscription, small, full] {
            self.socket.send(&message).await?;
        }
        Ok(())
    }

    pub(super) async fn hear(&mut self, publisher: &mut Line, watcher: &mut Line) -> io::Result<()> {
        while let Some(message) = self.socket.next()? {
            let message = match &message {
                Message::Text(text) => serde_json::from_str(text).map_err(io::Error::other)?,
                Message::Binary(bytes) => protobuf::response(bytes),
                _ => continue,
            };
            self.obey(&message, publisher, watcher).await?;
        }
        if self.pinged.elapsed() > PING {
            self.pinged = Instant::now();
            self.socket.send(&json!({ "pingReq": { "timestamp": "1", "rtt": "0" } })).await?;
        }
        Ok(())
    }

    async fn obey(&mut self, message: &Value, publisher: &mut Line, watcher: &mut Line) -> io::Result<()> {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if message.get("pongResp").is_some() {
            self.is_in = true;
        } else if let Some(offer) = message.get("offer") {
            let answer = watcher.answer(word(&offer["sdp"])).await?;
            let answer = json!({ "type": "answer", "sdp": answer, "id": offer["id"] });
            self.socket.send(&json!({ "answer": answer })).await?;
        } else if let Some(answer) = message.get("answer") {
            publisher.take(SessionDescription::answer(word(&answer["sdp"]))).await?;
        } else if let Some(trickle) = message.get("trickle") {
            let line = if trickle["target"] == "SUBSCRIBER" { watcher } else { publisher };
            let init: Value = serde_json::from_str(&word(&trickle["candidateInit"])).unwrap_or_default();
            let candidate = IceCandidateInit {
                candidate: word(&init["candidate"]),
                sdp_mid: init["sdpMid"].as_str().map(str::to_owned),
                sdp_m_line_index: init["sdpMLineIndex"].as_u64().map(|index| index as u16),
                username_fragment: init["usernameFragment"].as_str().map(str::to_owned),
            };
            if !candidate.candidate.is_empty() {
                line.peer.add_ice_candidate(Some(candidate)).await.map_err(io::Error::other)?;
            }
        } else if let Some(update) = message.get("update") {
            for participant in update["participants"].as_array().into_iter().flatten() {
                let whose = word(&participant["identity"]);
                self.tracks.retain(|(known, _, _)| *known != whose);
                for track in participant["tracks"].as_array().into_iter().flatten() {
                    // What has the value zero is not written.
                    let kind = if track["type"] == "VIDEO" { MediaKind::Video } else { MediaKind::Audio };
                    self.tracks.push((whose.clone(), kind, word(&track["sid"])));
                }
            }
        } else if let Some(leave) = message.get("leave") {
            return Err(io::Error::other(format!("LiveKit sends us away: {leave}")));
        }
        Ok(())
    }

    /// Whether so many others can be watched.
    pub(super) fn sees(&self, name: &str, others: usize) -> bool {
        self.tracks.iter().filter(|(whose, _, _)| whose != name).count() == 2 * others
    }
}

/// As much of LiveKit's messages as comes before the server knows that we read JSON.
mod protobuf {
    use serde_json::{Value, json};

    /// A `SignalResponse`, in the words of its JSON: an offer or a candidate; null if it is neither.
    pub(super) fn response(bytes: &[u8]) -> Value {
        let text = |fields: &[(u64, Field<'_>)], wanted: u64| {
            let found = fields.iter().find(|(number, _)| *number == wanted);
            match found {
                Some((_, Field::Bytes(bytes))) => String::from_utf8_lossy(bytes).into_owned(),
                _ => String::new(),
            }
        };
        let number = |fields: &[(u64, Field<'_>)], wanted: u64| {
            let found = fields.iter().find(|(number, _)| *number == wanted);
            if let Some((_, Field::Number(value))) = found { *value } else { 0 }
        };
        match fields(bytes).first() {
            Some((3, Field::Bytes(offer))) => {
                let offer = fields(offer);
                json!({ "offer": { "sdp": text(&offer, 2), "id": number(&offer, 3) } })
            }
            Some((4, Field::Bytes(trickle))) => {
                let trickle = fields(trickle);
                let target = if number(&trickle, 2) == 1 { "SUBSCRIBER" } else { "PUBLISHER" };
                json!({ "trickle": { "candidateInit": text(&trickle, 1), "target": target } })
            }
            _ => Value::Null,
        }
    }

    enum Field<'a> {
        Number(u64),
        Bytes(&'a [u8]),
    }

    /// Fields and their numbers, up to the first that cannot be read.
    fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
        let mut all = Vec::new();
        while let Some(key) = varint(&mut bytes) {
            let field = match key & 7 {
                0 => varint(&mut bytes).map(Field::Number),
                2 => varint(&mut bytes).and_then(|length| {
                    let (field, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
                    bytes = rest;
                    Some(Field::Bytes(field))
                }),
                _ => None,
            };
            let Some(field) = field else { break };
            all.push((key >> 3, field));
        }
        all
    }

    fn varint(bytes: &mut &[u8]) -> Option<u64> {
        let mut value = 0;
        for place in 0..10 {
            let (first, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= u64::from(first & 0x7F) << (7 * place);
            if first & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_offer_and_a_candidate_are_read_and_nothing_else() {
            let offer = b"\x1A\x0E\x0A\x05offer\x12\x03v=0\x18\x07";
            assert_eq!(response(offer), json!({ "offer": { "sdp": "v=0", "id": 7 } }));
            let trickle = b"\x22\x06\x0A\x02{}\x10\x01";
            let read = json!({ "trickle": { "candidateInit": "{}", "target": "SUBSCRIBER" } });
            assert_eq!(response(trickle), read);
            assert_eq!(response(b"\x0A\x02\x0A\x00"), Value::Null);
            assert_eq!(response(b"\x1A\x7F"), Value::Null, "longer than it is");
        }
    }
}
