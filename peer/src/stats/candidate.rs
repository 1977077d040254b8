//! `RTCIceCandidateStats` (webrtc-stats §8.18).

use ice::{Address, CandidateReport, Kind, RelayProtocol, TcpType, Transport};

use super::TransportStats;
use super::json::Object;

/// A candidate of the present generation, ours or the peer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateStats {
    /// Names it in reports.
    pub id: String,
    /// The address or name as it was told; none of one that the peer has not told.
    pub address: Option<String>,
    /// The port.
    pub port: u16,
    /// UDP or TCP, and who connects.
    pub transport: Transport,
    /// How it was found.
    pub candidate_type: Kind,
    /// What it is worth.
    pub priority: u32,
    /// Ours: the server that it was learnt from.
    pub url: Option<String>,
    /// Ours: how its relay is reached.
    pub relay_protocol: Option<RelayProtocol>,
    /// Candidates of one foundation work, or fail, alike.
    pub foundation: String,
    /// `raddr`
    pub related_address: Option<String>,
    /// `rport`
    pub related_port: Option<u16>,
    /// Its generation.
    pub username_fragment: Option<String>,
}

impl CandidateStats {
    pub(super) fn local(report: &CandidateReport, fragment: &str) -> Self {
        Self {
            url: report.url.as_deref().map(str::to_owned),
            relay_protocol: report.relay_protocol,
            ..Self::of("L", report, Some(fragment))
        }
    }

    pub(super) fn remote(report: &CandidateReport, fragment: Option<&str>) -> Self {
        let stats = Self::of("R", report, fragment);
        if stats.candidate_type == Kind::PeerReflexive {
            // Nobody was told of it.
            return Self { address: None, username_fragment: None, ..stats };
        }
        stats
    }

    pub(super) fn id(side: &str, candidate: u32) -> String {
        format!("{side}{candidate}")
    }

    fn of(side: &str, report: &CandidateReport, fragment: Option<&str>) -> Self {
        let candidate = &report.candidate;
        Self {
            id: Self::id(side, report.id),
            address: Some(host(&candidate.address)),
            port: candidate.address.port(),
            transport: candidate.transport,
            candidate_type: candidate.kind,
            priority: candidate.priority,
            url: None,
            relay_protocol: None,
            foundation: candidate.foundation.to_string(),
            related_address: candidate.related.as_ref().map(host),
            related_port: candidate.related.as_ref().map(Address::port),
            username_fragment: fragment.map(str::to_owned),
        }
    }

    pub(super) fn write(&self, object: &mut Object<'_>) {
        let protocol = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp(_) => "tcp",
        };
        let tcp_type = match self.transport {
            Transport::Udp => None,
            Transport::Tcp(TcpType::Active) => Some("active"),
            Transport::Tcp(TcpType::Passive) => Some("passive"),
            Transport::Tcp(TcpType::SimultaneousOpen) => Some("so"),
        };
        let relay_protocol = self.relay_protocol.map(|protocol| match protocol {
            RelayProtocol::Udp => "udp",
            RelayProtocol::Tcp => "tcp",
            RelayProtocol::Tls => "tls",
        });
        object.member("transportId", &&TransportStats::ID);
        object.nullable("address", self.address.as_deref());
        object.member("port", &&self.port);
        object.member("protocol", &&protocol);
        object.member("candidateType", &&self.candidate_type.to_string());
        object.member("priority", &&self.priority);
        object.member("url", &&self.url);
        object.member("relayProtocol", &&relay_protocol);
        object.member("foundation", &&self.foundation);
        object.member("relatedAddress", &&self.related_address);
        object.member("relatedPort", &&self.related_port);
        object.member("usernameFragment", &&self.username_fragment);
        object.member("tcpType", &&tcp_type);
    }
}

fn host(address: &Address) -> String {
    match address {
        Address::Ip(address) => address.ip().to_string(),
        Address::Name { name, .. } => name.to_string(),
    }
}
