//! What a usage asks: its method and attributes (RFC 8489 §6.1), and the Binding usage's own (§3, RFC 5780 §5).

use std::net::SocketAddr;

use crate::attribute::{
    Attribute as _, ChangeRequest, MappedAddress, Padding, ResponsePort, XorMappedAddress,
};
use crate::header::Method;
use crate::message::Message;
use crate::writer::Writer;

/// A request of some usage, which may have to be written more than once: each challenge needs it anew.
pub trait Request {
    /// Its method.
    fn method(&self) -> Method;

    /// Adds its attributes, without credentials and proof.
    fn write(&self, writer: &mut Writer<'_>);

    /// The comprehension-required attribute types, beyond RFC 8489's, that are understood in an answer.
    fn known(&self) -> &[u16];
}

/// Asks a server under which address it sees us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// From where the answer should come (RFC 5780 §7.2). An answer from there is not for
    /// [`Client`](super::Client), which listens to its one server.
    pub change: Option<ChangeRequest>,
    /// To which port the answer should go (RFC 5780 §7.5).
    pub response_port: Option<u16>,
}

impl Request for Binding {
    fn method(&self) -> Method {
        Method::BINDING
    }

    fn write(&self, writer: &mut Writer<'_>) {
        if let Some(change) = &self.change {
            writer.add(change);
        }
        if let Some(port) = self.response_port {
            writer.add(&ResponsePort(port));
        }
    }

    fn known(&self) -> &[u16] {
        &[Padding::TYPE]
    }
}

/// The address that a Binding answer tells (RFC 8489 §6.3.3): XOR-MAPPED-ADDRESS, or from servers older than RFC 5389
/// MAPPED-ADDRESS.
pub fn mapped_address(message: &Message<'_>) -> Option<SocketAddr> {
    let xored = message.get::<XorMappedAddress>().ok().flatten().map(|mapped| mapped.0);
    xored.or_else(|| message.get::<MappedAddress>().ok().flatten().map(|mapped| mapped.0))
}
