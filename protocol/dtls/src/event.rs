//! What a connection has to say (RFC 8842 §5 names what is agreed on).

use crate::Version;
use crate::crypto::group::NamedGroup;
use crate::crypto::suite::CipherSuite;
use crate::extension::use_srtp::SrtpProfile;
use crate::failure::Failure;
use crate::fingerprint::{Fingerprint, FingerprintHash};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The handshake is complete and the peer is who it was announced to be: from now on data is sealed and opened.
    Connected(Box<Connected>),
    /// The plaintext of a record that came before the connection was complete. Comes right after
    /// [`Event::Connected`].
    Data(Vec<u8>),
    /// The peer has nothing more to say, or [`Dtls::close`](crate::Dtls::close) was called. Nothing comes after it.
    Closed,
    /// There is no connection, or no longer one. Nothing comes after it.
    Failed(Failure),
}

/// What was agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The version of DTLS.
    pub version: Version,
    /// The cipher suite.
    pub cipher_suite: CipherSuite,
    /// The group in which the key was agreed.
    pub group: NamedGroup,
    /// Whether this end is the client.
    pub is_client: bool,
    /// How media is protected, if both ends want any: see
    /// [`Dtls::export_keying_material`](crate::Dtls::export_keying_material).
    pub srtp_profile: Option<SrtpProfile>,
    /// The peer's certificate in DER.
    pub peer_certificate: Box<[u8]>,
}

impl Connected {
    /// The fingerprint of the peer's certificate.
    pub fn peer_fingerprint(&self, hash: FingerprintHash) -> Fingerprint {
        Fingerprint::of(hash, &self.peer_certificate)
    }
}
