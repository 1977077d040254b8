//! The sending half of a transceiver (W3C webrtc-pc §5.2, "RTCRtpSender").

use std::sync::Arc;

use bytes::Bytes;
use peer::{Agreement, MediaPacket, OutgoingPacket, Prefix, TransceiverId};
use rtp::extension::{AbsCaptureTime, AudioLevel, ExtensionMap, Kind};
use rtp::{Header, HeaderWriter, NtpTime};
use tokio::sync::{mpsc, watch};

use super::transceiver::TransceiverState;
use crate::error::SendError;

/// A packet on its way to the driver.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) id: TransceiverId,
    pub(crate) encoding: usize,
    pub(crate) packet: OutgoingPacket,
    extensions: Extensions,
}

/// What the header says beside what the connection writes itself.
#[derive(Clone, Debug, Default)]
struct Extensions {
    level: Option<AudioLevel>,
    captured: Option<NtpTime>,
    /// Those of another packet, with what their numbers mean.
    of: Option<(Bytes, Arc<Agreement>)>,
}

/// Sends packets of a medium. Clones send the same.
#[derive(Clone, Debug)]
pub struct RtpSender {
    pub(super) id: TransceiverId,
    pub(super) outgoing: mpsc::Sender<Outgoing>,
    pub(super) state: watch::Receiver<TransceiverState>,
}

impl RtpSender {
    /// What both ends have agreed on; none before they have.
    pub fn agreement(&self) -> Option<Arc<Agreement>> {
        self.state.borrow().agreement.clone()
    }

    /// Queues a packet of an encoding. What cannot be sent, as nobody has agreed on it, is dropped.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn send_packet(&self, encoding: usize, packet: OutgoingPacket) -> Result<(), SendError> {
        self.queue(encoding, packet, Extensions::default()).await
    }

    /// The same for sound, saying how loud it is.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn send_sound(&self, packet: OutgoingPacket, level: AudioLevel) -> Result<(), SendError> {
        self.queue(0, packet, Extensions { level: Some(level), ..Extensions::default() }).await
    }

    /// The same for whatever it is, saying when it was captured.
    pub(super) async fn send_captured(
        &self,
        encoding: usize,
        packet: OutgoingPacket,
        captured: Option<NtpTime>,
    ) -> Result<(), SendError> {
        self.queue(encoding, packet, Extensions { captured, ..Extensions::default() }).await
    }

    /// Sends a packet that came over another connection: of the same codec, where this peer takes that. Timestamp, marker and
    /// what goes for both ends stay; sequence numbers keep their gaps.
    ///
    /// # Errors
    /// If the connection is closed, or the peer does not take the codec.
    pub async fn forward(
        &self,
        encoding: usize,
        packet: &MediaPacket,
        from: &Arc<Agreement>,
    ) -> Result<(), SendError> {
        let outgoing = self.agreement().and_then(|own| forwarded(packet, from, &own));
        let of = Some((packet.bytes.clone(), Arc::clone(from)));
        self.queue(
            encoding,
            outgoing.ok_or(SendError::NotAgreed)?,
            Extensions { of, ..Extensions::default() },
        )
        .await
    }

    async fn queue(
        &self,
        encoding: usize,
        packet: OutgoingPacket,
        extensions: Extensions,
    ) -> Result<(), SendError> {
        let outgoing = Outgoing { id: self.id, encoding, packet, extensions };
        self.outgoing.send(outgoing).await.map_err(|_| SendError::Closed)
    }
}

impl Outgoing {
    /// Writes into the header what is said beside what the connection writes itself.
    pub(crate) fn send(self, now: std::time::Instant, peer: &mut peer::PeerConnection) {
        let Self { id, encoding, packet, extensions } = self;
        let write = |writer: &mut HeaderWriter<'_>, map: &ExtensionMap| {
            if let Some(level) = &extensions.level {
                writer.extension(map, level);
            }
            if let Some(timestamp) = extensions.captured {
                writer.extension(map, &AbsCaptureTime { timestamp, clock_offset: None });
            }
            if let Some((bytes, from)) = &extensions.of
                && let Ok(header) = Header::parse(bytes)
            {
                writer.copy_extensions(header, (&from.extensions, map), Kind::is_of_media);
            }
        };
        // What nobody has agreed on is not sent; of what is too late nobody is in need.
        let _ = peer.send_packet(now, id, encoding, packet, write);
    }
}

/// The same packet for another peer, if that takes the codec.
fn forwarded(packet: &MediaPacket, from: &Agreement, to: &Agreement) -> Option<OutgoingPacket> {
    let read = packet.read().ok()?;
    let header = read.header();
    let (codec, _) = from.received(header.payload_type())?;
    let same = to.codecs.iter().find(|own| own.codec.matches(&codec.codec))?;
    Some(OutgoingPacket {
        payload_type: same.send,
        marker: header.marker(),
        timestamp: header.timestamp(),
        sequence_number: Some(packet.sequence_number),
        prefix: Prefix::default(),
        payload: packet.bytes.slice(header.len()..),
    })
}
