//! `RTCIceCandidatePairStats` (webrtc-stats §8.19).

use std::time::Instant;

use ice::{PairReport, PairState, PairStats};

use super::json::Object;
use super::{CandidateStats, TransportStats};
use crate::connection::PeerConnection;
use crate::transport::Traffic;

/// A pair of candidates of the present generation.
#[derive(Clone, Debug, PartialEq)]
pub struct CandidatePairStats {
    /// Names it in reports.
    pub id: String,
    /// Our candidate's.
    pub local_candidate_id: String,
    /// The peer's candidate's.
    pub remote_candidate_id: String,
    /// How far its check is.
    pub state: PairState,
    /// Whether it is the one that both agreed on.
    pub nominated: bool,
    /// Packets on it but those of ICE.
    pub sent: Traffic,
    /// The same, the other way.
    pub received: Traffic,
    /// When the last of them went out.
    pub last_packet_sent: Option<Instant>,
    /// When the last of them came.
    pub last_packet_received: Option<Instant>,
    /// What SCTP believes the path to deliver, in bits a second, where data was sent on it.
    pub available_outgoing_bitrate: Option<u64>,
    /// Checks, answers, and how long those took.
    pub checks: PairStats,
}

impl CandidatePairStats {
    pub(super) fn id(pair: ice::PairId) -> String {
        format!("CP{}", pair.number())
    }

    pub(super) fn of(peer: &PeerConnection, pair: &PairReport) -> Self {
        let flow = peer.transport.flows.of(pair.id).copied().unwrap_or_default();
        let is_selected = peer.transport.ice.path().is_some_and(|path| path == pair.path);
        let bytes = peer.transport.channels.association().stats().bandwidth;
        Self {
            id: Self::id(pair.id),
            local_candidate_id: CandidateStats::id("L", pair.local),
            remote_candidate_id: CandidateStats::id("R", pair.remote),
            state: pair.state,
            nominated: pair.nominated,
            sent: flow.sent,
            received: flow.received,
            last_packet_sent: flow.last_sent,
            last_packet_received: flow.last_received,
            available_outgoing_bitrate: (is_selected && bytes > 0).then_some(bytes.saturating_mul(8)),
            checks: pair.stats,
        }
    }

    pub(super) fn write(&self, object: &mut Object<'_>) {
        let state = match self.state {
            PairState::Frozen => "frozen",
            PairState::Waiting => "waiting",
            PairState::InProgress => "in-progress",
            PairState::Succeeded => "succeeded",
            PairState::Failed => "failed",
        };
        object.member("transportId", &&TransportStats::ID);
        object.member("localCandidateId", &&self.local_candidate_id);
        object.member("remoteCandidateId", &&self.remote_candidate_id);
        object.member("state", &&state);
        object.member("nominated", &&self.nominated);
        object.member("packetsSent", &&self.sent.packets);
        object.member("packetsReceived", &&self.received.packets);
        object.member("bytesSent", &&self.sent.bytes);
        object.member("bytesReceived", &&self.received.bytes);
        object.time("lastPacketSentTimestamp", self.last_packet_sent);
        object.time("lastPacketReceivedTimestamp", self.last_packet_received);
        object.member("totalRoundTripTime", &&self.checks.total_round_trip.as_secs_f64());
        object.member("currentRoundTripTime", &self.checks.current_round_trip.map(|it| it.as_secs_f64()));
        object.member("availableOutgoingBitrate", &&self.available_outgoing_bitrate);
        object.member("requestsReceived", &&self.checks.requests_received);
        object.member("requestsSent", &&self.checks.requests_sent);
        object.member("responsesReceived", &&self.checks.responses_received);
        object.member("responsesSent", &&self.checks.responses_sent);
        object.member("consentRequestsSent", &&self.checks.consent_requests_sent);
    }
}
