//! One source of ours (RFC 3550 §5.1): what it has sent, and what is kept of that.

use std::sync::Arc;
use std::time::Instant;

use bwe::Priority;
use rtp::extension::{ExtensionMap, Mid, RtpStreamId};
use rtp::{Fields, HeaderWriter, PayloadType, SequenceNumber, Ssrc, Timestamp};

use super::OutgoingPacket;
use super::asked::Asked;
use crate::media::{Agreement, MediaKind, TransceiverId};
use crate::session::cache::Cache;
use crate::session::reports::Remote;
use crate::session::source::KeyFrameRequests;

/// A clock that goes back by more seconds than that begins anew.
const ANEW: i32 = 5;

/// One source of ours.
///
/// A server has some dozens of each connection, more than its caches hold: what each packet needs comes first, and together.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Stream {
    pub(crate) ssrc: Ssrc,
    pub(crate) kind: MediaKind,
    /// Whether packets are sent again: it is asked for each one.
    pub(super) repairs: bool,
    /// The peer knows to which section it belongs.
    pub(crate) is_known: bool,
    /// The codec that was sent last, and its ticks per second.
    pub(super) codec: Option<(PayloadType, u32)>,
    /// Where the keys' owner has it.
    pub(super) sealed_at: srtp::SourcePlace,
    pub(super) next: u64,
    /// Where it began anew, and how many numbers were left out by then.
    pub(super) begin: u64,
    pub(super) left_out: u64,
    /// The highest number of what has left.
    pub(super) last_left: Option<u64>,
    pub(crate) packets: u64,
    /// Payload, in bytes.
    pub(crate) octets: u64,
    pub(crate) header_bytes: u64,
    /// What was sent last: when, and when it was taken.
    pub(crate) last: Option<(Instant, Timestamp, u32)>,
    pub(super) cache: Cache,
    /// The numbers of header extensions, beside what each packet changes.
    pub(super) extensions: ExtensionMap,
    /// Packets that the pacer has.
    pub(super) waiting: usize,
    pub(crate) transceiver: TransceiverId,
    pub(crate) encoding: usize,
    pub(crate) retransmission: Ssrc,
    pub(super) next_repair: SequenceNumber,
    pub(super) mid: Box<str>,
    pub(super) rid: Option<Box<str>>,
    pub(crate) agreement: Arc<Agreement>,
    pub(crate) repaired: u64,
    pub(crate) repaired_bytes: u64,
    pub(super) asked: Asked,
    /// How often the peer asked for packets, or a key frame.
    pub(crate) nacks: u32,
    pub(crate) key_frame_requests: KeyFrameRequests,
    /// Which timestamp what is taken at a moment has, where the owner knows better than `last`.
    pub(crate) clock: Option<(Instant, Timestamp)>,
    /// What the peer says of it.
    pub(crate) last_report: Option<Remote>,
    /// The number of the peer's last command to send a key frame.
    pub(crate) last_fir: Option<u8>,
}

/// What a stream is looked for by. Those of all streams are together, so that to look for one fetches no other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) transceiver: TransceiverId,
    pub(super) encoding: u32,
    pub(super) ssrc: Ssrc,
}

impl Stream {
    /// Whether a packet of a picture has left, and is kept no more. What cannot have left is not believed.
    pub(super) fn has_forgotten(&self, number: u64) -> bool {
        let has_left = self.last_left.is_some_and(|last| last.saturating_sub(number) < self.packets);
        self.kind == MediaKind::Video && has_left && self.cache.is_behind(number)
    }

    /// Ticks per second of a codec that may be sent.
    pub(super) fn clock_rate(&mut self, payload_type: PayloadType) -> Option<u32> {
        if let Some((_, known)) = self.codec.filter(|(known, _)| *known == payload_type) {
            return Some(known);
        }
        let agreed = self.agreement.codecs.iter().find(|codec| codec.send == payload_type)?;
        self.codec = Some((payload_type, agreed.codec.clock_rate));
        Some(agreed.codec.clock_rate)
    }

    pub(super) fn priority(&self) -> Priority {
        match self.kind {
            MediaKind::Audio => Priority::Audio,
            MediaKind::Video => Priority::Video,
        }
    }

    /// The number of a packet, behind which others go on; none where it is from before the beginning.
    pub(super) fn number(&mut self, packet: &OutgoingPacket) -> Option<u64> {
        let number = packet.sequence_number.unwrap_or(self.next);
        self.next = self.next.max(number.saturating_add(1));
        (number >= self.begin).then(|| number - self.left_out)
    }

    pub(super) fn fields(&self, packet: &OutgoingPacket, number: u64) -> Fields {
        Fields {
            marker: packet.marker,
            payload_type: packet.payload_type,
            sequence_number: SequenceNumber(number as u16),
            timestamp: packet.timestamp,
            ssrc: self.ssrc,
        }
    }

    /// Appends the header of a packet of media, as far as it is the session's business.
    pub(super) fn begin<'a>(
        &self,
        fields: &Fields,
        counted: u64,
        buffer: &'a mut Vec<u8>,
    ) -> HeaderWriter<'a> {
        let map = &self.extensions;
        let mut writer = HeaderWriter::counted(buffer, fields, map, SequenceNumber(counted as u16));
        if !self.is_known {
            writer.extension(map, &Mid(self.mid.as_bytes()));
            if let Some(rid) = &self.rid {
                writer.extension(map, &RtpStreamId(rid.as_bytes()));
            }
        }
        writer
    }

    /// Something taken at this time is sent now.
    pub(super) fn note(&mut self, now: Instant, timestamp: Timestamp, clock_rate: u32) {
        let ahead = self.last.map(|(_, last, _)| timestamp.ahead_of(last));
        // What comes late was taken long ago, unless the clock has begun anew.
        let begins_anew = |ahead: i32| ahead < clock_rate.cast_signed().saturating_mul(-ANEW);
        if ahead.is_none_or(|ahead| ahead > 0 || begins_anew(ahead)) {
            self.last = Some((now, timestamp, clock_rate));
        }
    }

    /// A packet has left: bytes of its header, and of all of it in the clear.
    pub(super) fn count(&mut self, number: u64, header: usize, length: usize) {
        self.last_left = self.last_left.max(Some(number));
        self.packets += 1;
        self.header_bytes += header as u64;
        self.octets += (length - header) as u64;
    }
}
