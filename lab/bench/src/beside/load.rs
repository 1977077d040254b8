//! Who streams and who watches: peers of ours, all of them on one core.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rtp::Timestamp;
use twocan::stats::Stats;
use twocan::{
    Configuration, Direction, MediaKind, OutgoingPacket, PeerConnection, PeerConnectionState, PeerEvent,
    Prefix, SessionDescription, Transceiver, TransceiverInit,
};

use super::server::Server;
use crate::sfu::source::vp8_payload;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// Bytes of a packet's payload.
const PAYLOAD: u64 = 1100;
/// Frames from one key frame to the next, where nobody asks for one.
const KEYS: u32 = 120;
/// How long a connection may take to come about.
const CONNECTING: Duration = Duration::from_secs(20);

/// Who streams, or watches.
pub(super) struct End {
    peer: PeerConnection,
    media: Vec<Transceiver>,
}

impl End {
    pub(super) async fn connect(server: &Server, name: &str, direction: Direction) -> io::Result<Self> {
        let configuration = Configuration {
            include_loopback: true,
            ice_tcp: false,
            // What a program that has hundreds of these would take.
            receive_buffer: 1 << 20,
            send_buffer: 1 << 20,
            ..Configuration::default()
        };
        let mut peer = PeerConnection::new(configuration).await.map_err(io::Error::other)?;
        let mut media = Vec::new();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let streams = vec!["bench".into()];
            let init = TransceiverInit { direction, streams, ..TransceiverInit::default() };
            media.push(peer.add_transceiver(kind, init).await.map_err(io::Error::other)?);
        }
        peer.set_local_description(None).await.map_err(io::Error::other)?;
        // Whoever is no ICE-lite agent wants to know where we are.
        let gathered = async {
            while let Some(event) = peer.next_event().await {
                if matches!(event, PeerEvent::IceCandidate(None)) {
                    return;
                }
            }
        };
        tokio::time::timeout(CONNECTING, gathered).await?;
        let offer = peer.local_description().await.ok_or_else(|| io::Error::other("no description"))?;
        let answer = server.answer(name, direction == Direction::SendOnly, &offer.sdp)?;
        peer.set_remote_description(SessionDescription::answer(answer)).await.map_err(io::Error::other)?;
        let connected = async {
            while peer.connection_state() != PeerConnectionState::Connected {
                peer.next_event().await?;
            }
            Some(())
        };
        let connected = tokio::time::timeout(CONNECTING, connected).await.ok().flatten();
        connected.ok_or_else(|| io::Error::other(format!("{name} does not connect")))?;
        if direction == Direction::RecvOnly {
            // What comes is counted, and thrown away.
            media.iter_mut().for_each(|one| one.receiver.close());
        }
        Ok(Self { peer, media })
    }

    /// Hears what happened, as an application would; whether a key frame is asked for.
    fn hear(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let mut wants_key = false;
        while let Poll::Ready(Some(event)) = pin!(self.peer.next_event()).poll(&mut context) {
            wants_key |= matches!(event, PeerEvent::KeyFrameRequested { .. });
        }
        wants_key
    }
}

/// Packets of media that have come to all of these, none twice.
pub(super) async fn arrived(ends: &[End]) -> io::Result<u64> {
    let mut count = 0;
    for end in ends {
        let report = end.peer.get_stats().await.map_err(io::Error::other)?;
        for stats in &report.stats {
            if let Stats::InboundRtp(stats) = stats {
                count += stats.packets_received;
            }
        }
    }
    Ok(count)
}

/// What is streamed: frames of VP8 without pictures in them, and sound.
pub(super) struct Source {
    video: rtp::PayloadType,
    audio: rtp::PayloadType,
    packets: u64,
    frame: u32,
    key_at: u32,
    /// Packets so far.
    pub(super) sent: u64,
}

impl Source {
    pub(super) fn new(studio: &End, kbps: u64) -> Self {
        let codec = |at: usize| {
            let agreement = studio.media[at].sender.agreement();
            agreement.and_then(|agreement| agreement.preferred().map(|codec| codec.send))
        };
        let none = rtp::PayloadType::new(0).unwrap_or_else(|| unreachable!());
        let packets = (kbps * 1000 / 8 / 30 / PAYLOAD).max(1);
        let (video, audio) = (codec(1).unwrap_or(none), codec(0).unwrap_or(none));
        Self { video, audio, packets, frame: 0, key_at: 0, sent: 0 }
    }

    pub(super) async fn run(
        &mut self,
        studio: &mut End,
        viewers: &mut [End],
        time: Duration,
    ) -> io::Result<()> {
        let mut ticks = tokio::time::interval(FRAME);
        for _ in 0..time.as_millis() / FRAME.as_millis() {
            ticks.tick().await;
            self.send_frame(studio).await?;
            for viewer in &mut *viewers {
                viewer.hear();
            }
        }
        Ok(())
    }

    pub(super) async fn send_frame(&mut self, studio: &mut End) -> io::Result<()> {
        if studio.hear() {
            self.key_at = self.frame;
        }
        let key = self.frame >= self.key_at;
        if key {
            self.key_at = self.frame + KEYS;
        }
        for place in 0..self.packets {
            let payload = vp8_payload(place == 0, self.frame, key, PAYLOAD as usize);
            let packet = OutgoingPacket {
                payload_type: self.video,
                marker: place + 1 == self.packets,
                timestamp: Timestamp(self.frame.wrapping_mul(2970)),
                sequence_number: None,
                prefix: Prefix::default(),
                payload: payload.into(),
            };
            studio.media[1].sender.send_packet(0, packet).await.map_err(io::Error::other)?;
            self.sent += 1;
        }
        // 33 ms of sound in one packet.
        let packet = OutgoingPacket {
            payload_type: self.audio,
            marker: false,
            timestamp: Timestamp(self.frame.wrapping_mul(1584)),
            sequence_number: None,
            prefix: Prefix::default(),
            payload: vec![0xFC; 100].into(),
        };
        studio.media[0].sender.send_packet(0, packet).await.map_err(io::Error::other)?;
        self.sent += 1;
        self.frame += 1;
        Ok(())
    }
}
