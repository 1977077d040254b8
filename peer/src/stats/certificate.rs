//! `RTCCertificateStats` (webrtc-stats §8.21): ours, and the peer's once it is proven. Both are self-signed, so that none
//! has an issuer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dtls::{Fingerprint, FingerprintHash};

use super::json::Object;
use crate::connection::PeerConnection;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateStats {
    /// Names it in reports.
    pub id: String,
    /// Upper case hexadecimal digits, bytes between colons.
    pub fingerprint: String,
    /// `sha-256`
    pub fingerprint_algorithm: &'static str,
    /// DER in base64.
    pub base64_certificate: String,
}

impl CertificateStats {
    pub(super) const LOCAL: &str = "CL";
    pub(super) const REMOTE: &str = "CR";

    pub(super) fn of(peer: &PeerConnection) -> impl Iterator<Item = Self> + '_ {
        let local = Self::new(Self::LOCAL, peer.configuration.certificate.der());
        let remote = peer.transport.secured.as_ref();
        let remote = remote.map(|secured| Self::new(Self::REMOTE, &secured.peer_certificate));
        std::iter::once(local).chain(remote)
    }

    fn new(id: &str, der: &[u8]) -> Self {
        let hash = FingerprintHash::Sha256;
        let fingerprint = Fingerprint::of(hash, der).to_string();
        let digits = fingerprint.split_once(' ').map_or("", |(_, digits)| digits);
        Self {
            id: id.to_owned(),
            fingerprint: digits.to_owned(),
            fingerprint_algorithm: hash.name(),
            base64_certificate: STANDARD.encode(der),
        }
    }

    pub(super) fn write(&self, object: &mut Object<'_>) {
        object.member("fingerprint", &&self.fingerprint);
        object.member("fingerprintAlgorithm", &&self.fingerprint_algorithm);
        object.member("base64Certificate", &&self.base64_certificate);
    }
}
