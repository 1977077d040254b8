//! Statistics under the names of W3C webrtc-stats (§8): `getStats()` without I/O.
//!
//! A [`StatsReport`] is a picture of one moment; [`StatsReport::to_json`] writes it as browsers do, with exactly the
//! standard's names. Times are [`Instant`]s here, as nothing below the driver knows the date.
//!
//! | dictionary | here |
//! |---|---|
//! | `RTCPeerConnectionStats` §8.14 | [`PeerConnectionStats`] |
//! | `RTCDataChannelStats` §8.15 | [`DataChannelStats`] |
//! | `RTCTransportStats` §8.16 | [`TransportStats`] |
//! | `RTCIceCandidateStats` §8.18 | [`CandidateStats`] |
//! | `RTCIceCandidatePairStats` §8.19 | [`CandidatePairStats`] |
//! | `RTCCertificateStats` §8.21 | [`CertificateStats`] |
//! | `RTCInboundRtpStreamStats` §8.4 | [`InboundRtpStats`] |
//! | `RTCOutboundRtpStreamStats` §8.7 | [`OutboundRtpStats`] |
//! | `RTCRemoteInboundRtpStreamStats` §8.6 | [`RemoteInboundRtpStats`] |
//!
//! Not there: what counts frames, as nothing here decodes, and packets that a socket refused (`packetsDiscardedOnSend`), which only a driver
//! knows; `availableIncomingBitrate`, which nobody estimates.

use std::time::Instant;

use crate::connection::PeerConnection;

mod candidate;
mod certificate;
mod channel;
mod connection;
mod json;
mod pair;
mod rtp;
mod transport;

pub use crate::transport::DtlsInStun;
pub use candidate::CandidateStats;
pub use certificate::CertificateStats;
pub use channel::DataChannelStats;
pub use connection::PeerConnectionStats;
pub use pair::CandidatePairStats;
pub use rtp::{InboundRtpStats, OutboundRtpStats, RemoteInboundRtpStats, StreamStats};
pub use transport::{DtlsRole, DtlsTransportState, IceRole, TransportStats};

/// `RTCStatsReport`: everything that is known at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct StatsReport {
    /// Which moment.
    pub at: Instant,
    /// What there is, the whole before its parts.
    pub stats: Vec<Stats>,
}

/// One object of a report. Objects refer to each other by [`id`](Self::id).
#[derive(Clone, Debug, PartialEq)]
pub enum Stats {
    /// `peer-connection`
    PeerConnection(PeerConnectionStats),
    /// `transport`
    Transport(TransportStats),
    /// `candidate-pair`
    CandidatePair(CandidatePairStats),
    /// `local-candidate`
    LocalCandidate(CandidateStats),
    /// `remote-candidate`
    RemoteCandidate(CandidateStats),
    /// `certificate`
    Certificate(CertificateStats),
    /// `data-channel`
    DataChannel(DataChannelStats),
    /// `inbound-rtp`
    InboundRtp(InboundRtpStats),
    /// `outbound-rtp`
    OutboundRtp(OutboundRtpStats),
    /// `remote-inbound-rtp`
    RemoteInboundRtp(RemoteInboundRtpStats),
}

impl Stats {
    /// Names it in the report, and the same thing in later ones.
    pub fn id(&self) -> &str {
        match self {
            Self::PeerConnection(_) => PeerConnectionStats::ID,
            Self::Transport(_) => TransportStats::ID,
            Self::CandidatePair(stats) => &stats.id,
            Self::LocalCandidate(stats) | Self::RemoteCandidate(stats) => &stats.id,
            Self::Certificate(stats) => &stats.id,
            Self::DataChannel(stats) => &stats.id,
            Self::InboundRtp(stats) => &stats.stream.id,
            Self::OutboundRtp(stats) => &stats.stream.id,
            Self::RemoteInboundRtp(stats) => &stats.stream.id,
        }
    }

    /// `RTCStatsType`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PeerConnection(_) => "peer-connection",
            Self::Transport(_) => "transport",
            Self::CandidatePair(_) => "candidate-pair",
            Self::LocalCandidate(_) => "local-candidate",
            Self::RemoteCandidate(_) => "remote-candidate",
            Self::Certificate(_) => "certificate",
            Self::DataChannel(_) => "data-channel",
            Self::InboundRtp(_) => "inbound-rtp",
            Self::OutboundRtp(_) => "outbound-rtp",
            Self::RemoteInboundRtp(_) => "remote-inbound-rtp",
        }
    }

    fn write(&self, object: &mut json::Object<'_>) {
        match self {
            Self::PeerConnection(stats) => stats.write(object),
            Self::Transport(stats) => stats.write(object),
            Self::CandidatePair(stats) => stats.write(object),
            Self::LocalCandidate(stats) | Self::RemoteCandidate(stats) => stats.write(object),
            Self::Certificate(stats) => stats.write(object),
            Self::DataChannel(stats) => stats.write(object),
            Self::InboundRtp(stats) => stats.write(object),
            Self::OutboundRtp(stats) => stats.write(object),
            Self::RemoteInboundRtp(stats) => stats.write(object),
        }
    }
}

impl StatsReport {
    /// The object of this name.
    pub fn get(&self, id: &str) -> Option<&Stats> {
        self.stats.iter().find(|stats| stats.id() == id)
    }

    /// As JSON: an object of all objects under their names. `timestamp` is the moment of the report as
    /// `DOMHighResTimeStamp`, in milliseconds; `performance.timeOrigin + performance.now()` in a browser.
    pub fn to_json(&self, timestamp: f64) -> String {
        let mut out = String::new();
        let mut all = json::Object::begin(&mut out, self.at, timestamp);
        for stats in &self.stats {
            all.object(stats.id(), |object| {
                object.member("id", &&stats.id());
                object.member("type", &&stats.kind());
                object.member("timestamp", &&timestamp);
                stats.write(object);
            });
        }
        all.end();
        out
    }
}

impl PeerConnection {
    /// Everything that is known now.
    pub fn stats(&self, now: Instant) -> StatsReport {
        let mut stats = vec![
            Stats::PeerConnection(PeerConnectionStats::of(self)),
            Stats::Transport(TransportStats::of(self)),
        ];
        let transport = &self.transport;
        stats.extend(
            transport.ice.pairs().map(|pair| Stats::CandidatePair(CandidatePairStats::of(self, &pair))),
        );
        let fragment = transport.ice.credentials().ufrag.as_str();
        let locals = transport.ice.local_candidates();
        stats.extend(locals.map(|it| Stats::LocalCandidate(CandidateStats::local(&it, fragment))));
        let theirs = self.remote_fragment();
        let remotes = transport.ice.remote_candidates();
        stats.extend(remotes.map(|it| Stats::RemoteCandidate(CandidateStats::remote(&it, theirs))));
        stats.extend(CertificateStats::of(self).map(Stats::Certificate));
        let channels = transport.channels.ids().filter_map(|id| Some((id, transport.channels.get(id)?)));
        stats.extend(channels.map(|(id, channel)| Stats::DataChannel(DataChannelStats::of(id, channel))));
        rtp::collect(self, &mut stats);
        StatsReport { at: now, stats }
    }
}
