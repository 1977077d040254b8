//! What can go wrong with calls.

use std::fmt;
use std::io;

use peer::{BadTransceiver, CandidateError, ChannelError, DescriptionError};

use crate::IceServerError;

/// Why a call had no effect.
#[derive(Debug)]
pub enum Error {
    /// The connection is closed.
    Closed,
    /// A description was not taken, or not made.
    Description(DescriptionError),
    /// A candidate was not taken.
    Candidate(CandidateError),
    /// A channel was not made.
    Channel(ChannelError),
    /// A transceiver was not made, or not changed.
    Transceiver(BadTransceiver),
    /// A server in the configuration cannot be used as it is.
    IceServer(IceServerError),
    /// There are no sockets to be had.
    Socket(io::Error),
    /// No certificate could be made.
    Certificate(dtls::CertificateError),
    /// Both ends have not agreed on the codec that is wanted.
    NoCodec,
    /// The configuration leaves no version of DTLS.
    NoDtlsVersion,
    /// The system has no randomness to give.
    Randomness,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection is closed: make another"),
            Self::Description(error) => error.fmt(f),
            Self::Candidate(error) => error.fmt(f),
            Self::Channel(error) => error.fmt(f),
            Self::Transceiver(error) => error.fmt(f),
            Self::IceServer(error) => error.fmt(f),
            Self::Socket(error) => write!(f, "no UDP socket could be opened: {error}"),
            Self::Certificate(error) => write!(f, "no certificate could be made: {error}"),
            Self::NoCodec => {
                f.write_str("the peer does not take that codec: see the transceiver's agreement")
            }
            Self::NoDtlsVersion => {
                f.write_str("no version of DTLS is left: have `dtls_versions` begin with the lesser one")
            }
            Self::Randomness => f.write_str("the system has no randomness to give"),
        }
    }
}

impl std::error::Error for Error {}

impl From<DescriptionError> for Error {
    fn from(error: DescriptionError) -> Self {
        Self::Description(error)
    }
}

impl From<CandidateError> for Error {
    fn from(error: CandidateError) -> Self {
        Self::Candidate(error)
    }
}

impl From<ChannelError> for Error {
    fn from(error: ChannelError) -> Self {
        Self::Channel(error)
    }
}

impl From<BadTransceiver> for Error {
    fn from(error: BadTransceiver) -> Self {
        Self::Transceiver(error)
    }
}

/// Why a message or a packet was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The channel, or its connection, is closed.
    Closed,
    /// Longer than the peer takes.
    TooLong,
    /// Both ends have not agreed on the packet's codec.
    NotAgreed,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the channel is closed",
            Self::NotAgreed => "the peer does not take the packet's codec: see the transceiver's agreement",
            Self::TooLong => "the message is longer than the peer takes: cut it",
        })
    }
}

impl std::error::Error for SendError {}
