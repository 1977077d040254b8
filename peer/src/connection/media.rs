//! Media's packets as their owner sees them.

use std::time::Instant;

use bwe::Stats as PathEstimate;
use rtp::HeaderWriter;
use rtp::extension::ExtensionMap;

use super::PeerConnection;
use crate::error::SendError;
use crate::event::Event;
use crate::media::TransceiverId;
use crate::seeds::Seeds;
use crate::session::{self, MediaPacket, OutgoingPacket, SenderClock, Session};
use crate::transport::Burst;

/// Seeds of its own, beside those of peers that answer in place of others.
const MEDIA: u32 = u32::MAX;

impl PeerConnection {
    /// The next packet of media that came. Take all of them after each call that takes a datagram: those that wait are
    /// bounded ([`limits::RECEIVED_PACKETS`](crate::limits::RECEIVED_PACKETS)), and what comes then is dropped.
    pub fn poll_packet(&mut self) -> Option<MediaPacket> {
        self.transport.media()?.receiving.poll()
    }

    /// Queues a packet of an encoding: a place in [`encodings`](crate::Transceiver::encodings). What identifies its section
    /// and what feedback needs is put into its header here; `extensions` writes what else should be there.
    pub fn send_packet(
        &mut self,
        now: Instant,
        id: TransceiverId,
        encoding: usize,
        packet: OutgoingPacket,
        extensions: impl FnOnce(&mut HeaderWriter<'_>, &ExtensionMap),
    ) -> Result<(), SendError> {
        self.now = now;
        let is_closed = self.is_closed;
        let session = self.transport.media().filter(|_| !is_closed);
        session.ok_or(SendError::NotConnected)?.send(now, (id, encoding), packet, extensions)
    }

    /// The same for who sends what there is to send right after: into `burst`, where it may leave at once. What is left is
    /// queued, and comes of [`poll_transmit`](Self::poll_transmit), which is to be asked after the burst is sent.
    pub fn send_packet_at_once(
        &mut self,
        now: Instant,
        (id, encoding): (TransceiverId, usize),
        packet: OutgoingPacket,
        extensions: impl FnOnce(&mut HeaderWriter<'_>, &ExtensionMap),
        burst: &mut Burst,
    ) -> Result<(), SendError> {
        self.now = now;
        if self.is_closed {
            return Err(SendError::NotConnected);
        }
        self.transport.send_at_once(now, (id, encoding), packet, extensions, burst)
    }

    /// Says that what comes next of an encoding is the beginning of what can be decoded without anything before it: from this
    /// [number](OutgoingPacket::sequence_number) on, or from the next one. Where the path is full, or it would take longer
    /// than two frames' time to leave, what waits of the encoding is dropped, and leaves no gap in the numbers; how many packets.
    /// Nothing that came before is sent again then.
    pub fn begin_anew(
        &mut self,
        now: Instant,
        id: TransceiverId,
        encoding: usize,
        number: Option<u64>,
    ) -> usize {
        self.now = now;
        let session = self.transport.session.as_mut();
        session.map_or(0, |session| session.begin_anew(now, (id, encoding), number))
    }

    /// Says, for reports of an encoding that we send, which timestamp what is taken at a moment has (RFC 3550 §6.4.1): for
    /// forwarders, to whom some media comes sooner than other. Where it is not known, media is taken to be sent as soon as
    /// it was taken.
    pub fn set_clock(
        &mut self,
        id: TransceiverId,
        encoding: usize,
        clock: Option<(Instant, rtp::Timestamp)>,
    ) {
        if let Some(session) = &mut self.transport.session {
            session.sending.set_clock((id, encoding), clock);
        }
    }

    /// Asks the peer for a key frame of an encoding: a place in [`receive_rids`](crate::Agreement::receive_rids), or 0.
    /// False where nothing of it has come yet, or the peer does not know how to be asked. How often is the caller's to
    /// decide.
    pub fn request_key_frame(&mut self, now: Instant, id: TransceiverId, encoding: usize) -> bool {
        self.now = now;
        let session = self.transport.media();
        session.is_some_and(|session| session.request_key_frame(id, encoding))
    }

    /// Which moment of the peer's clock the timestamps of an encoding are that we receive: by it sound and pictures go together
    /// (RFC 3550 §6.4.1). None before a report of it has come.
    pub fn sender_clock(&self, id: TransceiverId, encoding: usize) -> Option<SenderClock> {
        self.transport.session.as_ref()?.receiving.sender_clock(id, encoding)
    }

    /// Says how much could be sent if there were room: bits per second. Room for more is not looked for.
    pub fn set_wanted_bitrate(&mut self, now: Instant, wanted: u64) {
        self.now = now;
        if let Some(session) = self.transport.media() {
            session.set_wanted(now, wanted);
            self.hear_media();
        }
    }

    /// How much may be sent, in bits per second; none before there is feedback to know it from.
    pub fn target_bitrate(&self) -> Option<u64> {
        let estimator = self.transport.session.as_ref()?.estimator.as_ref()?;
        Some(estimator.target().as_bps())
    }

    /// What is known of the path to the peer from its feedback; none before there is any.
    pub fn path_estimate(&self) -> Option<PathEstimate> {
        let estimator = self.transport.session.as_ref()?.estimator.as_ref()?;
        Some(estimator.stats())
    }

    /// Says once what the peer says again and again: whoever does not listen has no more waiting for that.
    pub(super) fn tell_media(&mut self, event: Event) {
        if let Event::TargetBitrate(_) = event {
            self.events.retain(|waiting| !matches!(waiting, Event::TargetBitrate(_)));
        }
        if !self.events.contains(&event) {
            self.events.push_back(event);
        }
    }

    /// Descriptions have changed what is sent and received.
    pub(super) fn update_media(&mut self) {
        let mut agreed = self.negotiation.transceivers.iter().filter(|one| one.agreement().is_some());
        if self.transport.session.is_none() && agreed.next().is_some() {
            let unix_time = self.configuration.unix_time + self.now.saturating_duration_since(self.created);
            let seed = Seeds::fork(&self.configuration.seed, MEDIA);
            let (start, cname) = (self.configuration.start_bitrate, self.negotiation.cname());
            self.transport.begin_media(Session::new(self.now, (unix_time, start), seed, cname));
        }
        if let Some(session) = &mut self.transport.session {
            session.set_transceivers(self.now, self.negotiation.transceivers.iter());
        }
    }
}

impl From<session::Event> for Event {
    fn from(event: session::Event) -> Self {
        match event {
            session::Event::KeyFrameRequested { transceiver, encoding } => {
                Self::KeyFrameRequested { transceiver, encoding }
            }
            session::Event::TargetBitrate(bitrate) => Self::TargetBitrate(bitrate),
        }
    }
}
