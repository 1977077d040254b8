//! What a connection may agree on, and how patient it is (RFC 9147 §5.8.2, RFC 8827 §6.5).

use std::time::Duration;

use crate::Version;
use crate::crypto::group::NamedGroup;
use crate::crypto::suite::Aead;
use crate::extension::use_srtp::SrtpProfile;

/// Who speaks first: RFC 8842 §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `setup:active`: sends the ClientHello.
    Client,
    /// `setup:passive`: waits for it.
    Server,
    /// `setup:actpass`: a ClientHello that arrives makes this end the server; else
    /// [`Dtls::set_role`](crate::Dtls::set_role) decides.
    Undecided,
}

/// One of these serves all connections of a program.
#[derive(Clone, Debug)]
pub struct Config {
    /// The versions to speak, the preferred one first. Default: 1.3, 1.2.
    pub versions: Vec<Version>,
    /// How records may be protected, the preferred way first. Default: AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305.
    pub aeads: Vec<Aead>,
    /// The groups in which a key may be agreed. A server takes the first for which the client sent a share. Default:
    /// X25519, P-256, P-384, X25519MLKEM768: a share of X25519 is taken even where the hybrid is offered beside it, as
    /// that costs the server a tenth.
    pub groups: Vec<NamedGroup>,
    /// The groups for which a client sends a share at once. Default: X25519, which fits into one datagram.
    pub key_shares: Vec<NamedGroup>,
    /// How media may be protected, the preferred way first; empty without media. The server chooses. Default:
    /// AEAD_AES_128_GCM, AEAD_AES_256_GCM, AES128_CM_SHA1_80.
    pub srtp_profiles: Vec<SrtpProfile>,
    /// The longest datagram of the handshake, in bytes of UDP payload; at least 256. Default: 1,200.
    pub mtu: usize,
    /// After which time without an answer a flight is sent again the first time; doubles each time. RFC 9147 §5.8.2
    /// recommends 400 ms for media, and 1.5 round trips where ICE has measured them. Default: 100 ms.
    pub initial_retransmission: Duration,
    /// The longest time between two transmissions of a flight. RFC 9147 §5.8.2 wants no less than 60 s; a path that was
    /// down for a while should not have to wait that long. Default: 3 s.
    pub maximum_retransmission: Duration,
    /// When a handshake that does not end has failed. Default: 30 s.
    pub handshake_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            versions: vec![Version::Dtls13, Version::Dtls12],
            aeads: vec![Aead::Aes128Gcm, Aead::Aes256Gcm, Aead::ChaCha20Poly1305],
            groups: vec![
                NamedGroup::X25519,
                NamedGroup::Secp256r1,
                NamedGroup::Secp384r1,
                NamedGroup::X25519MlKem768,
            ],
            key_shares: vec![NamedGroup::X25519],
            srtp_profiles: vec![
                SrtpProfile::AeadAes128Gcm,
                SrtpProfile::AeadAes256Gcm,
                SrtpProfile::Aes128CmSha1_80,
            ],
            mtu: 1200,
            initial_retransmission: Duration::from_millis(100),
            maximum_retransmission: Duration::from_secs(3),
            handshake_timeout: Duration::from_secs(30),
        }
    }
}

impl Config {
    pub(crate) fn speaks(&self, version: Version) -> bool {
        self.versions.contains(&version)
    }
}
