//! The peer connections of one who is in a room.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use twocan::stats::Stats;
use twocan::{
    Configuration, Direction, EncodingInit, MediaCapabilities, MediaKind, PeerConnection,
    PeerConnectionState, PeerEvent, SessionDescription, Transceiver, TransceiverInit,
};

use super::camera::LAYERS;

/// How long it may take to learn one's own addresses.
const GATHERING: Duration = Duration::from_secs(10);

/// A peer connection and what it carries.
pub(super) struct Line {
    pub(super) peer: PeerConnection,
    pub(super) media: Vec<Transceiver>,
    gathered: bool,
    /// Encodings of which key frames were asked for.
    pub(super) keys: Vec<usize>,
}

/// Packets that came of one medium.
pub(super) struct Arrived {
    pub(super) kind: MediaKind,
    pub(super) mid: Option<String>,
    pub(super) packets: u64,
}

/// Packets that were sent so far: of each size, and of sound.
#[derive(Clone, Copy, Default)]
pub(super) struct Sent {
    pub(super) layers: [u64; LAYERS.len()],
    pub(super) sound: u64,
}

impl Sent {
    pub(super) fn since(&self, then: &Self) -> Self {
        Self {
            layers: std::array::from_fn(|layer| self.layers[layer] - then.layers[layer]),
            sound: self.sound - then.sound,
        }
    }

    pub(super) fn all(&self) -> u64 {
        self.layers.iter().sum::<u64>() + self.sound
    }
}

impl Line {
    pub(super) async fn new() -> io::Result<Self> {
        let mut media =
            MediaCapabilities { congestion_feedback: false, cryptex: false, ..MediaCapabilities::default() };
        // As short as descriptions of a room can be.
        media.audio.truncate(1);
        media.video.truncate(1);
        let configuration = Configuration {
            include_loopback: true,
            ice_tcp: false,
            media: Some(Arc::new(media)),
            receive_buffer: 1 << 20,
            send_buffer: 1 << 20,
            ..Configuration::default()
        };
        let peer = PeerConnection::new(configuration).await.map_err(io::Error::other)?;
        Ok(Self { peer, media: Vec::new(), gathered: false, keys: Vec::new() })
    }

    /// Sound and pictures, the latter in all sizes; their tracks are called after whose they are.
    pub(super) async fn publish(&mut self, name: &str) -> io::Result<()> {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let encodings = match kind {
                MediaKind::Audio => Vec::new(),
                MediaKind::Video => LAYERS.iter().map(|layer| EncodingInit::named(layer.rid)).collect(),
            };
            let init = TransceiverInit {
                direction: Direction::SendOnly,
                streams: vec![name.into()],
                track: Some(track(name, kind).into()),
                encodings,
            };
            self.media.push(self.peer.add_transceiver(kind, init).await.map_err(io::Error::other)?);
        }
        Ok(())
    }

    /// Room for sound and pictures of so many others.
    pub(super) async fn watch(&mut self, others: usize) -> io::Result<()> {
        for _ in 0..others {
            for kind in [MediaKind::Audio, MediaKind::Video] {
                let init = TransceiverInit { direction: Direction::RecvOnly, ..TransceiverInit::default() };
                let mut one = self.peer.add_transceiver(kind, init).await.map_err(io::Error::other)?;
                // What comes is counted, and thrown away.
                one.receiver.close();
                self.media.push(one);
            }
        }
        Ok(())
    }

    pub(super) async fn offer(&mut self) -> io::Result<String> {
        Ok(steady(&self.describe().await?))
    }

    /// To the server's offer.
    pub(super) async fn answer(&mut self, offer: String) -> io::Result<String> {
        self.take(SessionDescription::offer(offer)).await?;
        for mut one in self.peer.take_transceivers().await.map_err(io::Error::other)? {
            one.receiver.close();
            self.media.push(one);
        }
        self.describe().await
    }

    /// Ours, with all our candidates in it.
    async fn describe(&mut self) -> io::Result<String> {
        self.peer.set_local_description(None).await.map_err(io::Error::other)?;
        let gathering = async {
            while !self.gathered {
                let Some(event) = self.peer.next_event().await else { return };
                self.gathered = matches!(event, PeerEvent::IceCandidate(None));
            }
        };
        tokio::time::timeout(GATHERING, gathering).await?;
        let description = self.peer.local_description().await;
        Ok(description.ok_or_else(|| io::Error::other("no description"))?.sdp)
    }

    pub(super) async fn take(&self, description: SessionDescription) -> io::Result<()> {
        self.peer.set_remote_description(description).await.map_err(io::Error::other)
    }

    /// Hears what happened, as an application would.
    pub(super) fn hear(&mut self) {
        while let Some(Some(event)) = self.peer.next_event().now_or_never() {
            match event {
                PeerEvent::KeyFrameRequested { encoding, .. } => self.keys.push(encoding),
                PeerEvent::IceCandidate(None) => self.gathered = true,
                _ => {}
            }
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.peer.connection_state() == PeerConnectionState::Connected
    }

    /// How many media come.
    pub(super) fn receiving(&self) -> usize {
        let comes = |one: &&Transceiver| one.current_direction() == Some(Direction::RecvOnly);
        self.media.iter().filter(comes).count()
    }

    /// What has gone out, each packet once: what the way has no room for is not among it.
    pub(super) async fn sent(&self) -> io::Result<Sent> {
        let report = self.peer.get_stats().await.map_err(io::Error::other)?;
        let mut sent = Sent::default();
        for stats in &report.stats {
            let Stats::OutboundRtp(stats) = stats else { continue };
            let count = match stats.stream.kind {
                MediaKind::Audio => Some(&mut sent.sound),
                MediaKind::Video => sent.layers.get_mut(stats.encoding_index),
            };
            if let Some(count) = count {
                *count = stats.packets_sent;
            }
        }
        Ok(sent)
    }

    /// Packets of each medium, none twice.
    pub(super) async fn arrived(&self) -> io::Result<Vec<Arrived>> {
        let report = self.peer.get_stats().await.map_err(io::Error::other)?;
        let of = |stats: &Stats| match stats {
            Stats::InboundRtp(stats) => {
                let stream = &stats.stream;
                Some(Arrived { kind: stream.kind, mid: stream.mid.clone(), packets: stats.packets_received })
            }
            _ => None,
        };
        Ok(report.stats.iter().filter_map(of).collect())
    }
}

/// An offer in which nothing is asked about the arrival of what we send: everybody sends at the same rate to every server, however
/// a busy machine delays what is said about it, and no size of the pictures waits for another.
fn steady(offer: &str) -> String {
    let about = |line: &str| line.contains("transport-cc") || line.contains("transport-wide-cc");
    let mut steady = String::with_capacity(offer.len());
    let mut lines: Vec<&str> = Vec::new();
    let mut finish = |lines: &mut Vec<&str>| {
        let sends = lines.iter().any(|line| line.trim_end() == "a=sendonly");
        lines.drain(..).filter(|line| !(sends && about(line))).for_each(|line| steady.push_str(line));
    };
    for line in offer.split_inclusive('\n') {
        if line.starts_with("m=") {
            finish(&mut lines);
        }
        lines.push(line);
    }
    finish(&mut lines);
    steady
}

/// What a track is called.
pub(super) fn track(name: &str, kind: MediaKind) -> String {
    format!("{name}-{}", if kind == MediaKind::Audio { "sound" } else { "pictures" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_sent_is_steady() {
        let section =
            |direction: &str, feedback: &str| format!("m=video 9\r\na={direction}\r\n{feedback}a=mid:1\r\n");
        let feedback = "a=rtcp-fb:96 transport-cc\r\na=extmap:2 urn:x-transport-wide-cc-extensions-01\r\n";
        let offer = ["v=0\r\n", &section("sendonly", feedback), &section("recvonly", feedback)].concat();
        let wanted = ["v=0\r\n", &section("sendonly", ""), &section("recvonly", feedback)].concat();
        assert_eq!(steady(&offer), wanted);
    }
}
