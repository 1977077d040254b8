//! `RTCTransportStats` (webrtc-stats §8.16).

use dtls::Version;

use super::json::Object;
use super::{CandidatePairStats, CertificateStats};
use crate::connection::PeerConnection;
use crate::transport::{DtlsInStun, Traffic};

/// `RTCIceRole`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IceRole {
    /// No description says it yet.
    Unknown,
    /// We decide.
    Controlling,
    /// The peer does.
    Controlled,
}

/// `RTCDtlsRole`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtlsRole {
    /// No description says it yet.
    Unknown,
    /// We begin.
    Client,
    /// The peer does.
    Server,
}

/// `RTCDtlsTransportState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DtlsTransportState {
    /// Nothing was said yet.
    #[default]
    New,
    /// The handshake goes on.
    Connecting,
    /// The peer is who it should be.
    Connected,
    /// Either end has closed it.
    Closed,
    /// There is no connection, or no longer one.
    Failed,
}

/// ICE and DTLS, which carry everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportStats {
    /// Packets but those of ICE.
    pub sent: Traffic,
    /// The same, the other way.
    pub received: Traffic,
    /// Who decides on the path.
    pub ice_role: IceRole,
    /// Ours, of the present generation.
    pub ice_local_username_fragment: String,
    /// How far DTLS is.
    pub dtls_state: DtlsTransportState,
    /// How far ICE is.
    pub ice_state: ice::State,
    /// The pair that data goes by; there may be one of an earlier generation that has no object any more.
    pub selected_candidate_pair_id: Option<String>,
    /// Our certificate's object.
    pub local_certificate_id: &'static str,
    /// The peer's, once it is proven.
    pub remote_certificate_id: Option<&'static str>,
    /// The version of DTLS as four hexadecimal digits.
    pub tls_version: Option<&'static str>,
    /// The cipher suite by IANA's name.
    pub dtls_cipher: Option<&'static str>,
    /// Who began.
    pub dtls_role: DtlsRole,
    /// How media is protected, by IANA's name.
    pub srtp_cipher: Option<&'static str>,
    /// How often data took another path, none included.
    pub selected_candidate_pair_changes: u32,
    /// What the handshake did in checks (SPED). No standard names it: it is not in JSON.
    pub dtls_in_stun: DtlsInStun,
    /// INIT chunks of SCTP's that were sent and received: none where the descriptions said them (SNAP). Not in JSON
    /// either.
    pub sctp_inits: u32,
}

impl TransportStats {
    /// Its name in a report.
    pub const ID: &str = "T";

    pub(super) fn of(peer: &PeerConnection) -> Self {
        let transport = &peer.transport;
        let secured = transport.secured.as_ref();
        Self {
            sent: transport.sent,
            received: transport.received,
            ice_role: match transport.ice.role() {
                _ if !peer.has_description() => IceRole::Unknown,
                ice::Role::Controlling => IceRole::Controlling,
                ice::Role::Controlled => IceRole::Controlled,
            },
            ice_local_username_fragment: transport.ice.credentials().ufrag.to_string(),
            dtls_state: transport.dtls_state(),
            ice_state: transport.ice.state(),
            selected_candidate_pair_id: transport.ice.selected().map(|it| CandidatePairStats::id(it.pair)),
            local_certificate_id: CertificateStats::LOCAL,
            remote_certificate_id: secured.map(|_| CertificateStats::REMOTE),
            tls_version: secured.map(|secured| match secured.version {
                Version::Dtls12 => "FEFD",
                Version::Dtls13 => "FEFC",
            }),
            dtls_cipher: secured.map(|secured| secured.cipher_suite.name()),
            dtls_role: match transport.is_client() {
                None => DtlsRole::Unknown,
                Some(true) => DtlsRole::Client,
                Some(false) => DtlsRole::Server,
            },
            srtp_cipher: secured.and_then(|secured| secured.srtp_profile).map(dtls::SrtpProfile::name),
            selected_candidate_pair_changes: transport.flows.changes,
            dtls_in_stun: transport.embedded,
            sctp_inits: peer.sctp_stats().inits,
        }
    }

    pub(super) fn write(&self, object: &mut Object<'_>) {
        let ice_role = match self.ice_role {
            IceRole::Unknown => "unknown",
            IceRole::Controlling => "controlling",
            IceRole::Controlled => "controlled",
        };
        let dtls_role = match self.dtls_role {
            DtlsRole::Unknown => "unknown",
            DtlsRole::Client => "client",
            DtlsRole::Server => "server",
        };
        let dtls_state = match self.dtls_state {
            DtlsTransportState::New => "new",
            DtlsTransportState::Connecting => "connecting",
            DtlsTransportState::Connected => "connected",
            DtlsTransportState::Closed => "closed",
            DtlsTransportState::Failed => "failed",
        };
        let ice_state = match self.ice_state {
            ice::State::New => "new",
            ice::State::Checking => "checking",
            ice::State::Connected => "connected",
            ice::State::Completed => "completed",
            ice::State::Disconnected => "disconnected",
            ice::State::Failed => "failed",
            ice::State::Closed => "closed",
        };
        object.member("packetsSent", &&self.sent.packets);
        object.member("packetsReceived", &&self.received.packets);
        object.member("bytesSent", &&self.sent.bytes);
        object.member("bytesReceived", &&self.received.bytes);
        object.member("iceRole", &&ice_role);
        object.member("iceLocalUsernameFragment", &&self.ice_local_username_fragment);
        object.member("dtlsState", &&dtls_state);
        object.member("iceState", &&ice_state);
        object.member("selectedCandidatePairId", &&self.selected_candidate_pair_id);
        object.member("localCertificateId", &&self.local_certificate_id);
        object.member("remoteCertificateId", &&self.remote_certificate_id);
        object.member("tlsVersion", &&self.tls_version);
        object.member("dtlsCipher", &&self.dtls_cipher);
        object.member("dtlsRole", &&dtls_role);
        object.member("srtpCipher", &&self.srtp_cipher);
        object.member("selectedCandidatePairChanges", &&self.selected_candidate_pair_changes);
    }
}
