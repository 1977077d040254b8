//! Alerts: RFC 8446 §6, RFC 5246 §7.2.

use crate::codec::Malformed;

macro_rules! alerts {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// What an end complains of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum AlertDescription {
            $($(#[$doc])* $name,)*
            /// A number that no standard has given a meaning yet.
            Other(u8),
        }

        impl AlertDescription {
            /// Its number.
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Other(code) => code,
                }
            }

            pub(crate) const fn from_code(code: u8) -> Self {
                match code {
                    $($code => Self::$name,)*
                    _ => Self::Other(code),
                }
            }
        }
    };
}

alerts! {
    /// The sender has nothing more to say.
    CloseNotify = 0,
    /// A message came that may not come now.
    UnexpectedMessage = 10,
    /// A record could not be opened.
    BadRecordMac = 20,
    /// A record is too long.
    RecordOverflow = 22,
    /// Nothing in common.
    HandshakeFailure = 40,
    /// The certificate is not the announced one.
    BadCertificate = 42,
    /// The certificate holds a key of a kind that cannot be used.
    UnsupportedCertificate = 43,
    /// The certificate was taken back.
    CertificateRevoked = 44,
    /// The certificate has expired.
    CertificateExpired = 45,
    /// Something else is wrong with the certificate.
    CertificateUnknown = 46,
    /// A field has a value that it may not have.
    IllegalParameter = 47,
    /// No trust in who issued the certificate.
    UnknownCa = 48,
    /// Not allowed in.
    AccessDenied = 49,
    /// A message is not of its form.
    DecodeError = 50,
    /// A signature or a Finished is wrong.
    DecryptError = 51,
    /// No version in common.
    ProtocolVersion = 70,
    /// No suite that is secure enough.
    InsufficientSecurity = 71,
    /// Something failed that has nothing to do with the peer.
    InternalError = 80,
    /// The user has given up.
    UserCanceled = 90,
    /// DTLS 1.2: no second handshake.
    NoRenegotiation = 100,
    /// An extension that must be there is not.
    MissingExtension = 109,
    /// An extension that nobody asked for.
    UnsupportedExtension = 110,
    /// A server that must see a certificate got none.
    CertificateRequired = 116,
}

const WARNING: u8 = 1;
const FATAL: u8 = 2;

/// Reads an alert. In DTLS 1.3 its level means nothing: every alert but [`AlertDescription::CloseNotify`] and
/// [`AlertDescription::UserCanceled`] is fatal (RFC 8446 §6); in DTLS 1.2 warnings may be passed over.
pub(crate) fn parse(body: &[u8]) -> Result<(bool, AlertDescription), Malformed> {
    match *body {
        [level @ (WARNING | FATAL), code] => Ok((level == FATAL, AlertDescription::from_code(code))),
        _ => Err(Malformed),
    }
}

/// The alert's two bytes.
pub(crate) fn bytes(description: AlertDescription) -> [u8; 2] {
    let level = match description {
        AlertDescription::CloseNotify
        | AlertDescription::UserCanceled
        | AlertDescription::NoRenegotiation => WARNING,
        _ => FATAL,
    };
    [level, description.code()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_come_back() {
        assert_eq!(bytes(AlertDescription::CloseNotify), [1, 0]);
        assert_eq!(
            parse(&bytes(AlertDescription::BadCertificate)),
            Ok((true, AlertDescription::BadCertificate))
        );
        assert_eq!(parse(&[2, 200]), Ok((true, AlertDescription::Other(200))));
        assert_eq!(parse(&[3, 0]), Err(Malformed));
        assert_eq!(parse(&[1, 0, 0]), Err(Malformed));
    }
}
