//! A message that outlives the datagram it came in (RFC 8489 §5).

use std::fmt;

use super::Message;

/// A message with its own copy of the bytes, for events that outlive the datagram (RFC 8489 §5).
#[derive(Clone)]
pub struct OwnedMessage {
    bytes: Vec<u8>,
    /// What was found in the bytes; its own `bytes` are empty.
    index: Message<'static>,
}

impl OwnedMessage {
    /// The message, to read.
    pub fn view(&self) -> Message<'_> {
        Message { bytes: &self.bytes, ..self.index }
    }
}

impl From<Message<'_>> for OwnedMessage {
    fn from(message: Message<'_>) -> Self {
        let index = Message {
            bytes: &[],
            class: message.class,
            method: message.method,
            transaction: message.transaction,
            covered: message.covered,
            integrity_sha1: message.integrity_sha1,
            integrity_sha256: message.integrity_sha256,
            fingerprint: message.fingerprint,
        };
        Self { bytes: message.bytes.to_vec(), index }
    }
}

impl fmt::Debug for OwnedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}
