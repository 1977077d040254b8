//! Keys for other protocols out of the handshake: RFC 8446 §7.5, RFC 5705.

use std::fmt;

use crate::crypto::CryptoError;
use crate::crypto::hash::Hash;
use crate::crypto::secret::Secret;
use crate::crypto::{prf, schedule};

/// What keys are exported from.
pub(crate) enum Exporter {
    Dtls13 {
        hash: Hash,
        secret: Secret,
    },
    Dtls12 {
        hash: Hash,
        master: Secret,
        /// The client's, then the server's.
        randoms: Box<[u8; 64]>,
    },
}

impl Exporter {
    pub(crate) fn export(
        &self,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), ExportError> {
        let done: Result<(), CryptoError> = match self {
            // Here no context and an empty one are the same.
            Self::Dtls13 { hash, secret } => {
                schedule::export(*hash, secret, label, context.unwrap_or_default(), out)
            }
            Self::Dtls12 { hash, master, randoms } => {
                prf::export(*hash, master, randoms, label, context, out)
            }
        };
        done.map_err(|_| ExportError::TooLong)
    }
}

/// Why no key was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportError {
    /// There is no connection: wait for [`Event::Connected`](crate::Event::Connected).
    NotConnected,
    /// The label, the context or the key is longer than the standard allows: shorten it.
    TooLong,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "there is no connection yet, or no longer one; wait until it is connected",
            Self::TooLong => "the label, the context or the exported key is too long; shorten it",
        })
    }
}

impl std::error::Error for ExportError {}
