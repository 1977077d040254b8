//! Why a connection failed, and which alert tells the peer: RFC 8446 §6.2.

use std::fmt;

use crate::codec::Malformed;
use crate::crypto::CryptoError;
use crate::message::alert::AlertDescription as Alert;

/// Why there is no connection, or no longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The peer's certificate is none of the announced ones: somebody else is there, or the description is another's.
    FingerprintMismatch,
    /// Nothing came of the handshake in time.
    TimedOut,
    /// The peer has given up, and says why.
    PeerAlert(Alert),
    /// No version of DTLS that both ends speak.
    NoCommonVersion,
    /// No cipher suite that both ends have.
    NoCommonCipherSuite,
    /// No group that both ends have.
    NoCommonGroup,
    /// The peer cannot check our signature.
    NoCommonSignature,
    /// The peer knows nothing of the extended master secret (RFC 7627), without which DTLS 1.2 is not secure.
    NoExtendedMasterSecret,
    /// The peer has no certificate.
    NoCertificate,
    /// The peer's certificate cannot be read, or has a key of a kind that is not known.
    BadCertificate,
    /// A handshake message is not of its form.
    Malformed,
    /// A handshake message came that may not come now.
    UnexpectedMessage,
    /// A field of a message has a value that it may not have.
    IllegalParameter,
    /// An extension that must be there is not.
    MissingExtension,
    /// The peer answered an extension that was not offered.
    UnsolicitedExtension,
    /// The peer's half of the key is none.
    BadKeyShare,
    /// The peer did not sign with its certificate's key.
    BadSignature,
    /// Somebody has changed the handshake.
    BadFinished,
    /// Somebody made a peer that speaks DTLS 1.3 speak 1.2.
    Downgrade,
    /// More records failed to open than the keys are good for.
    TooManyForgeries,
    /// AWS-LC failed, or a key is used up.
    Internal,
}

impl Failure {
    /// What the peer is told.
    pub(crate) fn alert(self) -> Option<Alert> {
        Some(match self {
            Self::TimedOut | Self::PeerAlert(_) | Self::TooManyForgeries => return None,
            Self::FingerprintMismatch | Self::BadCertificate => Alert::BadCertificate,
            Self::NoCommonVersion => Alert::ProtocolVersion,
            Self::NoCommonCipherSuite
            | Self::NoCommonGroup
            | Self::NoCommonSignature
            | Self::NoExtendedMasterSecret => Alert::HandshakeFailure,
            Self::NoCertificate => Alert::CertificateRequired,
            Self::Malformed => Alert::DecodeError,
            Self::UnexpectedMessage => Alert::UnexpectedMessage,
            Self::IllegalParameter | Self::BadKeyShare | Self::Downgrade => Alert::IllegalParameter,
            Self::MissingExtension => Alert::MissingExtension,
            Self::UnsolicitedExtension => Alert::UnsupportedExtension,
            Self::BadSignature | Self::BadFinished => Alert::DecryptError,
            Self::Internal => Alert::InternalError,
        })
    }
}

impl From<Malformed> for Failure {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<CryptoError> for Failure {
    fn from(_: CryptoError) -> Self {
        Self::Internal
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::FingerprintMismatch => {
                "the peer's certificate is not the announced one; do not trust this path"
            }
            Self::TimedOut => "the peer did not answer the handshake in time; check the path",
            Self::PeerAlert(alert) => return write!(f, "the peer gave up: {alert:?}"),
            Self::NoCommonVersion => "the peer speaks no version of DTLS that is enabled here",
            Self::NoCommonCipherSuite => "the peer has no cipher suite that is enabled here",
            Self::NoCommonGroup => "the peer has no group that is enabled here",
            Self::NoCommonSignature => {
                "the peer cannot check the signature of our certificate; bring an ECDSA P-256 one"
            }
            Self::NoExtendedMasterSecret => {
                "the peer does not know the extended master secret; it needs an update"
            }
            Self::NoCertificate => "the peer has no certificate",
            Self::BadCertificate => "the peer's certificate cannot be read, or its key is of an unknown kind",
            Self::Malformed => "the peer sent a message that is not of its form",
            Self::UnexpectedMessage => "the peer sent a message that may not come now",
            Self::IllegalParameter => "the peer sent a value that it may not send",
            Self::MissingExtension => "the peer left out an extension that must be there",
            Self::UnsolicitedExtension => "the peer answered an extension that was not offered",
            Self::BadKeyShare => "the peer's half of the key is none",
            Self::BadSignature => "the peer did not sign with its certificate's key",
            Self::BadFinished => "the handshake was changed on its way",
            Self::Downgrade => "somebody made the peer speak an older version than it can",
            Self::TooManyForgeries => "too many forged records came; connect anew",
            Self::Internal => "the cryptographic library failed, or a key is used up; connect anew",
        };
        f.write_str(text)
    }
}

impl std::error::Error for Failure {}
