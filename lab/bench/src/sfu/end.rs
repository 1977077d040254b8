//! Who streams, and who watches; and what the server is asked over HTTP.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use twocan::{
    Configuration, Direction, MediaCapabilities, MediaKind, PeerConnection, PeerConnectionState, PeerEvent,
    SessionDescription, Transceiver, TransceiverInit,
};

use super::delays::Delays;

/// What the server has counted.
#[derive(Clone, Copy)]
pub(super) struct Counters {
    pub(super) forwarded: u64,
    pub(super) sends: u64,
    pub(super) datagrams: u64,
}

impl Counters {
    pub(super) fn of(server: SocketAddr) -> io::Result<Self> {
        let page = ask(server, "GET", "/metrics", "")?;
        let value = |name: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|value| value.parse().ok()).unwrap_or(0)
        };
        Ok(Self {
            forwarded: value("twocan_media_forwarded_packets_total"),
            sends: value("twocan_media_sends_total"),
            datagrams: value("twocan_media_sent_datagrams_total"),
        })
    }
}

/// An HTTP request and its answer's body.
fn ask(server: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(server)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Type: application/sdp\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    if !head.starts_with("HTTP/1.1 2") {
        return Err(io::Error::other(format!("{method} {path}: {head}\n{body}")));
    }
    Ok(body.to_owned())
}

/// Who streams, or watches.
pub(super) struct End {
    peer: PeerConnection,
    pub(super) media: Vec<Transceiver>,
    /// When the last packet of each was made, and when it came.
    last: [Option<(Instant, Instant)>; 2],
}

impl End {
    /// Streams or watches in that room.
    pub(super) async fn connect(server: SocketAddr, room: &str, direction: Direction) -> io::Result<Self> {
        let way = if direction == Direction::SendOnly { "whip" } else { "whep" };
        let media =
            MediaCapabilities { congestion_feedback: false, cryptex: false, ..MediaCapabilities::default() };
        let configuration = Configuration {
            include_loopback: true,
            ice_tcp: false,
            // As browsers do, which know transport-wide feedback and no encrypted headers.
            media: Some(Arc::new(media)),
            // What a program that has hundreds of these would take.
            receive_buffer: 1 << 20,
            send_buffer: 1 << 20,
            ..Configuration::default()
        };
        let mut peer = PeerConnection::new(configuration).await.map_err(io::Error::other)?;
        let mut media = Vec::new();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let init = TransceiverInit { direction, ..TransceiverInit::default() };
            media.push(peer.add_transceiver(kind, init).await.map_err(io::Error::other)?);
        }
        let offer = peer.set_local_description(None).await.map_err(io::Error::other)?;
        let answer = ask(server, "POST", &format!("/{way}/{room}"), &offer.sdp)?;
        peer.set_remote_description(SessionDescription::answer(answer)).await.map_err(io::Error::other)?;
        while peer.connection_state() != PeerConnectionState::Connected {
            peer.next_event().await.ok_or_else(|| io::Error::other("a connection does not come about"))?;
        }
        Ok(Self { peer, media, last: [None; 2] })
    }

    /// The port that media goes by.
    pub(super) fn port(&self) -> Option<u16> {
        Some(self.peer.selected_candidate_pair()?.local.address.port())
    }

    /// What comes is thrown away.
    pub(super) fn throw_away(&mut self) {
        self.media.iter_mut().for_each(|one| one.receiver.close());
    }

    /// Hears what happened, as an application would, and when packets came; whether a key frame is asked for.
    pub(super) fn hear(&mut self, begin: Instant, delays: &mut [Delays; 2]) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for ((one, delays), last) in self.media.iter_mut().zip(delays).zip(&mut self.last) {
            let kind = one.kind();
            while let std::task::Poll::Ready(Some(packet)) =
                std::pin::pin!(one.receiver.recv_packet()).poll(&mut context)
            {
                let is_last = packet.read().is_ok_and(|packet| packet.header().marker());
                if let Some((_, left)) = packet.bytes.split_last_chunk::<8>()
                    && (kind == MediaKind::Audio || is_last)
                {
                    let left = begin + Duration::from_nanos(u64::from_be_bytes(*left));
                    delays.note((left, packet.arrived), last);
                }
            }
        }
        let mut wants_key = false;
        while let std::task::Poll::Ready(Some(event)) =
            std::pin::pin!(self.peer.next_event()).poll(&mut context)
        {
            wants_key |= matches!(event, PeerEvent::KeyFrameRequested { .. });
        }
        wants_key
    }
}
