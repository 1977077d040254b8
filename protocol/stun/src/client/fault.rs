//! What can go wrong: with a datagram (it is dropped) and with a request (it ends). RFC 8489 §6.3, §9.2.5.

use std::error::Error;
use std::fmt;

use crate::attribute::UnknownAttributes;
use crate::message::ParseError;

/// Why a datagram was dropped. The request it may have meant goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No STUN message.
    NotStun(ParseError),
    /// A request or an indication.
    NotAnAnswer,
    /// An answer to nothing that is outstanding.
    UnknownTransaction,
    /// An answer that came from or to an address where the request was not sent.
    WrongAddress,
    /// An answer to another method than the request's.
    WrongMethod,
    /// An answer whose nonce speaks of password algorithms that somebody took away.
    BidDown,
    /// An answer that does not prove to be the server's.
    BadIntegrity,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStun(error) => return error.fmt(f),
            Self::NotAnAnswer => "a request or an indication, where an answer was due",
            Self::UnknownTransaction => "an answer to no outstanding request",
            Self::WrongAddress => "an answer from where nothing was asked",
            Self::WrongMethod => "an answer to another method",
            Self::BidDown => "somebody took the password algorithms out of the answer",
            Self::BadIntegrity => "the answer does not prove to be the server's",
        })
    }
}

impl Error for Fault {}

/// How many datagrams were dropped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named after the faults")]
pub struct Counters {
    pub not_stun: u64,
    pub not_an_answer: u64,
    pub unknown_transaction: u64,
    pub wrong_address: u64,
    pub wrong_method: u64,
    pub bid_down: u64,
    pub bad_integrity: u64,
}

impl Counters {
    pub(super) fn count(&mut self, fault: Fault) {
        *match fault {
            Fault::NotStun(_) => &mut self.not_stun,
            Fault::NotAnAnswer => &mut self.not_an_answer,
            Fault::UnknownTransaction => &mut self.unknown_transaction,
            Fault::WrongAddress => &mut self.wrong_address,
            Fault::WrongMethod => &mut self.wrong_method,
            Fault::BidDown => &mut self.bid_down,
            Fault::BadIntegrity => &mut self.bad_integrity,
        } += 1;
    }
}

/// Why a request got no answer that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody answered.
    TimedOut,
    /// The connection was lost, or the network says that there is no way.
    Unreachable,
    /// Answers came, but none of them proved to be the server's.
    IntegrityViolated,
    /// The server does not take this user name and password.
    WrongCredentials,
    /// The server's challenge has no realm or no nonce.
    BadChallenge,
    /// The challenge offers less than the server once did, or says that it can: somebody on the path weakens it.
    BidDown,
    /// The server offers no password algorithm that we know.
    NoCommonAlgorithm,
    /// The server keeps asking for other credentials.
    TooManyChallenges,
    /// The server sends us elsewhere, but says no address of this address family.
    NoAlternate,
    /// The server sends us back to where we came from.
    RedirectLoop,
    /// The answer has attributes that must be understood and are not.
    UnknownAttributes(UnknownAttributes),
    /// The server refused without saying why.
    NoErrorCode,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "no answer: check the server's address, and that UDP gets out",
            Self::Unreachable => "the server cannot be reached from here",
            Self::IntegrityViolated => {
                "only answers that do not prove to be the server's: check the password"
            }
            Self::WrongCredentials => "the server does not take this user name and password",
            Self::BadChallenge => "the server asks for credentials without saying realm and nonce",
            Self::BidDown => "somebody on the path weakens the credentials: use TLS",
            Self::NoCommonAlgorithm => "the server offers no password algorithm that is known here",
            Self::TooManyChallenges => "the server keeps asking for credentials",
            Self::NoAlternate => "the server names no other server of this address family",
            Self::RedirectLoop => "the servers send us in a circle",
            Self::UnknownAttributes(_) => "the answer has attributes that are not understood here",
            Self::NoErrorCode => "the server refuses without saying why",
        })
    }
}

impl Error for Failure {}
