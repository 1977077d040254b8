//! `RTCInboundRtpStreamStats`, `RTCOutboundRtpStreamStats` and `RTCRemoteInboundRtpStreamStats` (webrtc-stats §8.4, §8.7,
//! §8.6): streams of packets, as far as they are known without decoding.

use std::time::{Duration, Instant};

use super::json::Object;
use super::{Stats, TransportStats};
use crate::connection::PeerConnection;
use crate::media::{MediaKind, TransceiverId};

/// What every stream has (`RTCRtpStreamStats`).
#[derive(Clone, Debug, PartialEq)]
pub struct StreamStats {
    /// Names it in reports.
    pub id: String,
    /// Its source.
    pub ssrc: u32,
    /// Of what it is.
    pub kind: MediaKind,
    /// Over which transceiver; no name of the standard's.
    pub transceiver: TransceiverId,
    /// The section's name.
    pub mid: Option<String>,
    /// The encoding's name, where it has one.
    pub rid: Option<String>,
}

/// A stream that comes.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundRtpStats {
    /// What every stream has.
    pub stream: StreamStats,
    /// The track's name.
    pub track_identifier: String,
    /// Without duplicates, those that were sent again included.
    pub packets_received: u64,
    /// Negative where more came than were sent.
    pub packets_lost: i64,
    /// Duplicates.
    pub packets_discarded: u64,
    /// How unevenly they come.
    pub jitter: Duration,
    /// The last one's moment.
    pub last_packet_received: Instant,
    /// Headers, in bytes.
    pub header_bytes_received: u64,
    /// Payload, in bytes.
    pub bytes_received: u64,
    /// How often packets were asked for again.
    pub nack_count: u32,
    /// How often a key frame was asked for, by RFC 5104.
    pub fir_count: u32,
    /// And by RFC 4585.
    pub pli_count: u32,
    /// Those that came because they were sent again.
    pub retransmitted_packets_received: u64,
    /// Their payload, in bytes.
    pub retransmitted_bytes_received: u64,
}

/// A stream that goes.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundRtpStats {
    /// What every stream has.
    pub stream: StreamStats,
    /// Its place among the encodings.
    pub encoding_index: usize,
    /// Sent for the first time.
    pub packets_sent: u64,
    /// Payload, in bytes.
    pub bytes_sent: u64,
    /// Headers, in bytes.
    pub header_bytes_sent: u64,
    /// Sent again.
    pub retransmitted_packets_sent: u64,
    /// Their bytes, headers included.
    pub retransmitted_bytes_sent: u64,
    /// The source that they are sent with.
    pub rtx_ssrc: u32,
    /// How often the peer asked for packets again.
    pub nack_count: u32,
    /// How often it asked for a key frame, by RFC 5104.
    pub fir_count: u32,
    /// And by RFC 4585.
    pub pli_count: u32,
    /// What the peer says of it: an object of the report.
    pub remote_id: Option<String>,
}

/// What the peer says of a stream of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteInboundRtpStats {
    /// What every stream has.
    pub stream: StreamStats,
    /// The stream of ours: an object of the report.
    pub local_id: String,
    /// Negative where more came than were sent.
    pub packets_lost: i32,
    /// How unevenly they come there.
    pub jitter: Duration,
    /// There and back, as the last report has it.
    pub round_trip_time: Option<Duration>,
    /// Of those since the report before, 0 to 1.
    pub fraction_lost: f64,
}

impl StreamStats {
    fn write(&self, object: &mut Object<'_>) {
        object.member("ssrc", &&self.ssrc);
        object.member("kind", &&self.kind.as_str());
        object.member("transportId", &&TransportStats::ID);
    }
}

impl InboundRtpStats {
    pub(super) fn write(&self, object: &mut Object<'_>) {
        self.stream.write(object);
        object.member("packetsReceived", &&self.packets_received);
        object.member("packetsLost", &&self.packets_lost);
        object.member("jitter", &&self.jitter.as_secs_f64());
        object.member("trackIdentifier", &&self.track_identifier);
        object.member("mid", &&self.stream.mid);
        object.time("lastPacketReceivedTimestamp", Some(self.last_packet_received));
        object.member("headerBytesReceived", &&self.header_bytes_received);
        object.member("packetsDiscarded", &&self.packets_discarded);
        object.member("bytesReceived", &&self.bytes_received);
        object.member("nackCount", &&self.nack_count);
        let is_video = self.stream.kind == MediaKind::Video;
        object.member("firCount", &&is_video.then_some(self.fir_count));
        object.member("pliCount", &&is_video.then_some(self.pli_count));
        object.member("retransmittedPacketsReceived", &&self.retransmitted_packets_received);
        object.member("retransmittedBytesReceived", &&self.retransmitted_bytes_received);
    }
}

impl OutboundRtpStats {
    pub(super) fn write(&self, object: &mut Object<'_>) {
        self.stream.write(object);
        object.member("packetsSent", &&self.packets_sent);
        object.member("bytesSent", &&self.bytes_sent);
        object.member("mid", &&self.stream.mid);
        object.member("remoteId", &&self.remote_id);
        object.member("rid", &&self.stream.rid);
        object.member("encodingIndex", &&self.encoding_index);
        object.member("headerBytesSent", &&self.header_bytes_sent);
        object.member("retransmittedPacketsSent", &&self.retransmitted_packets_sent);
        object.member("retransmittedBytesSent", &&self.retransmitted_bytes_sent);
        object.member("rtxSsrc", &&self.rtx_ssrc);
        object.member("nackCount", &&self.nack_count);
        let is_video = self.stream.kind == MediaKind::Video;
        object.member("firCount", &&is_video.then_some(self.fir_count));
        object.member("pliCount", &&is_video.then_some(self.pli_count));
    }
}

impl RemoteInboundRtpStats {
    pub(super) fn write(&self, object: &mut Object<'_>) {
        self.stream.write(object);
        object.member("packetsLost", &&self.packets_lost);
        object.member("jitter", &&self.jitter.as_secs_f64());
        object.member("localId", &&self.local_id);
        object.member("roundTripTime", &&self.round_trip_time.map(|time| time.as_secs_f64()));
        object.member("fractionLost", &&self.fraction_lost);
    }
}

/// Appends all streams of a connection.
pub(super) fn collect(peer: &PeerConnection, stats: &mut Vec<Stats>) {
    let Some(session) = &peer.transport.session else { return };
    let kind_of = |id: TransceiverId| peer.transceiver(id).map(|one| (one.kind(), one));
    for source in &session.receiving.sources {
        let Some((kind, one)) = kind_of(source.transceiver) else { continue };
        let rids = one.agreement().map(|agreement| &agreement.receive_rids[..]).unwrap_or_default();
        stats.push(Stats::InboundRtp(InboundRtpStats {
            stream: StreamStats {
                id: format!("IT{}", source.ssrc),
                ssrc: source.ssrc.0,
                kind,
                transceiver: source.transceiver,
                mid: one.mid().map(Into::into),
                rid: rids.get(source.encoding).map(ToString::to_string),
            },
            track_identifier: one.remote_track().map_or_else(String::new, |(track, _)| track.to_owned()),
            packets_received: source.received,
            packets_lost: source.lost(),
            packets_discarded: source.duplicates,
            jitter: ticks(source.jitter_ticks(), source.clock_rate),
            last_packet_received: source.last_packet,
            header_bytes_received: source.header_bytes,
            bytes_received: source.bytes,
            nack_count: source.nacks,
            fir_count: source.key_frame_requests.firs,
            pli_count: source.key_frame_requests.plis,
            retransmitted_packets_received: source.repaired,
            retransmitted_bytes_received: source.repaired_bytes,
        }));
    }
    for sent in &session.sending.streams {
        let Some((kind, one)) = kind_of(sent.transceiver) else { continue };
        let rid = one.encodings().get(sent.encoding).and_then(|known| known.init.rid.as_deref());
        let stream = |letters: &str| StreamStats {
            id: format!("{letters}{}", sent.ssrc),
            ssrc: sent.ssrc.0,
            kind,
            transceiver: sent.transceiver,
            mid: one.mid().map(Into::into),
            rid: rid.map(Into::into),
        };
        let (own, remote) = (stream("OT"), stream("RI"));
        let (local_id, remote_id) = (own.id.clone(), remote.id.clone());
        stats.push(Stats::OutboundRtp(OutboundRtpStats {
            stream: own,
            encoding_index: sent.encoding,
            packets_sent: sent.packets,
            bytes_sent: sent.octets,
            header_bytes_sent: sent.header_bytes,
            retransmitted_packets_sent: sent.repaired,
            retransmitted_bytes_sent: sent.repaired_bytes,
            rtx_ssrc: sent.retransmission.0,
            nack_count: sent.nacks,
            fir_count: sent.key_frame_requests.firs,
            pli_count: sent.key_frame_requests.plis,
            remote_id: sent.last_report.map(|_| remote_id),
        }));
        if let Some(report) = sent.last_report {
            let clock_rate = sent.last.map_or(0, |(.., clock_rate)| clock_rate);
            stats.push(Stats::RemoteInboundRtp(RemoteInboundRtpStats {
                stream: remote,
                local_id,
                packets_lost: report.lost,
                jitter: ticks(report.jitter, clock_rate),
                round_trip_time: report.round_trip,
                fraction_lost: f64::from(report.fraction_lost) / 256.0,
            }));
        }
    }
}

/// A time by a codec's clock.
fn ticks(count: u32, clock_rate: u32) -> Duration {
    let nanos = u64::from(count) * 1_000_000_000;
    Duration::from_nanos(nanos.checked_div(u64::from(clock_rate)).unwrap_or(0))
}
