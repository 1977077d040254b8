//! STUN and TURN servers as an application names them (W3C webrtc-pc §4.2.4, `RTCIceServer`), and what can be wrong
//! with them ("validate an ICE server URL", §4.4.1.6).

use std::fmt;

use super::url::{IceUrl, ServerScheme, UrlError};

/// RFC 8489 §14.3: a user name has fewer bytes than this.
const USERNAME_BOUND: usize = 509;

/// A STUN or TURN server, under one or several URLs with the same credentials.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct IceServer {
    /// `stun:host[:port]`, `turn:host[:port][?transport=udp|tcp]` or `turns:host[:port]`.
    pub urls: Vec<String>,
    /// For TURN.
    pub username: String,
    /// For TURN; a password. Credentials with a limited life (REST) are just that.
    pub credential: String,
}

impl IceServer {
    /// A STUN server.
    pub fn stun(url: impl Into<String>) -> Self {
        Self { urls: vec![url.into()], ..Self::default() }
    }

    /// A TURN server.
    pub fn turn(url: impl Into<String>, username: impl Into<String>, credential: impl Into<String>) -> Self {
        Self { urls: vec![url.into()], username: username.into(), credential: credential.into() }
    }

    /// What its URLs say.
    ///
    /// # Errors
    /// Whatever W3C webrtc-pc has an exception for.
    pub fn parse(&self) -> Result<Vec<IceUrl>, IceServerError> {
        if self.urls.is_empty() {
            return Err(IceServerError::NoUrls);
        }
        self.urls.iter().map(|text| self.parse_one(text)).collect()
    }

    fn parse_one(&self, text: &str) -> Result<IceUrl, IceServerError> {
        let wrong = |error| IceServerError::Url { url: text.into(), error };
        let url: IceUrl = text.parse().map_err(wrong)?;
        match url.scheme {
            ServerScheme::Stuns => return Err(IceServerError::NotSupported(text.into())),
            ServerScheme::Stun => {}
            ServerScheme::Turn | ServerScheme::Turns => {
                let is_good = !self.username.is_empty()
                    && self.username.len() < USERNAME_BOUND
                    && !self.credential.is_empty();
                if !is_good {
                    return Err(IceServerError::Credentials(text.into()));
                }
            }
        }
        Ok(url)
    }
}

impl fmt::Debug for IceServer {
    /// Without the credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// What is wrong with an [`IceServer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IceServerError {
    /// It has no URL.
    NoUrls,
    /// A URL is none.
    Url {
        /// The URL.
        url: Box<str>,
        /// What is wrong with it.
        error: UrlError,
    },
    /// A TURN server without a user name of at most 508 bytes, or without a credential.
    Credentials(Box<str>),
    /// STUN over TLS, which is of no use: nothing can be reached through it.
    NotSupported(Box<str>),
}

impl IceServerError {
    /// The name of the exception in JavaScript.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoUrls | Self::Url { .. } => "SyntaxError",
            Self::Credentials(_) => "InvalidAccessError",
            Self::NotSupported(_) => "NotSupportedError",
        }
    }
}

impl fmt::Display for IceServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrls => f.write_str("an ICE server has no URL: give it one, or leave it out"),
            Self::Url { url, error } => write!(f, "the ICE server's URL {url:?} is none: {error}"),
            Self::Credentials(url) => {
                write!(f, "the TURN server {url:?} needs a username of at most 508 bytes and a credential")
            }
            Self::NotSupported(url) => write!(f, "STUN over TLS is not supported: write {url:?} with stun:"),
        }
    }
}

impl std::error::Error for IceServerError {}
