//! The handshake: each state is a type that has what is known in it, and takes the one message that may come next
//! (RFC 8446 §A, RFC 5246 §7.3). Whatever else comes ends the connection.

pub(crate) mod client;
mod client12;
mod client13;
pub(crate) mod complete;
mod keys12;
mod server;
mod server12;
mod server13;
mod transcript12;
mod transcript13;

use crate::Version;
use crate::codec;
use crate::core::{Core, PeerKey};
use crate::crypto::signature::{self, NotSigned, SignatureScheme};
use crate::failure::Failure;
use crate::message::Message;
use crate::message::certificate_verify::Signed;

/// Room for a message, in bytes: most fit, so that they are written without being moved.
const MESSAGE: usize = 512;

/// Where the handshake is.
pub(crate) enum State {
    /// A server, or an end that does not know its role yet, before any ClientHello.
    Waiting(server::WaitClientHello),
    WaitServerHello(Box<client::WaitServerHello>),
    Client13(Box<client13::State>),
    Client12(Box<client12::State>),
    WaitSecondClientHello(Box<server::WaitSecondClientHello>),
    Server13(Box<server13::State>),
    Server12(Box<server12::State>),
    Complete(complete::Complete),
    /// The connection is over.
    Over,
}

impl State {
    pub(crate) fn waiting() -> Self {
        Self::Waiting(server::WaitClientHello)
    }

    pub(crate) fn is_complete(&self) -> bool {
        matches!(self, Self::Complete(_))
    }

    /// Takes the next message.
    pub(crate) fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<Self, Failure> {
        match self {
            Self::Waiting(state) => state.handle(core, message),
            Self::WaitServerHello(state) => state.handle(core, message),
            Self::Client13(state) => state.handle(core, message),
            Self::Client12(state) => state.handle(core, message),
            Self::WaitSecondClientHello(state) => state.handle(core, message),
            Self::Server13(state) => state.handle(core, message),
            Self::Server12(state) => state.handle(core, message),
            Self::Complete(state) => state.handle(core, message).map(Self::Complete),
            Self::Over => Ok(Self::Over),
        }
    }
}

/// Checks a signature of the peer's.
fn check_signature(
    key: &PeerKey,
    version: Version,
    signed: &Signed<'_>,
    content: &[u8],
) -> Result<(), Failure> {
    let scheme = signed.scheme.ok_or(Failure::IllegalParameter)?;
    signature::verify(key.kind, &key.bytes, version, scheme, content, signed.signature).map_err(|error| {
        match error {
            NotSigned::WrongScheme => Failure::IllegalParameter,
            NotSigned::BadSignature => Failure::BadSignature,
        }
    })
}

/// How we sign, if the peer, who takes `schemes`, can check that.
fn our_scheme(core: &Core, schemes: &[u8]) -> Result<SignatureScheme, Failure> {
    let ours = core.certificate.scheme();
    let is_taken = codec::numbers(schemes).any(|code| code == ours.code());
    if is_taken { Ok(ours) } else { Err(Failure::NoCommonSignature) }
}
