//! The transcript of DTLS 1.2: all messages as if none had been cut (RFC 6347 §4.2.6). They are kept, not hashed,
//! because the hash of a signature need not be that of the cipher suite.

use crate::message::{MessageType, fragment};

/// All messages so far, with their headers. A handshake has about three kilobytes.
#[derive(Default)]
pub(super) struct Transcript12 {
    messages: Vec<u8>,
}

impl Transcript12 {
    pub(super) fn add(&mut self, kind: MessageType, sequence: u16, body: &[u8]) {
        self.messages.extend_from_slice(&fragment::header(kind.code(), body.len(), sequence, 0, body.len()));
        self.messages.extend_from_slice(body);
    }

    pub(super) fn messages(&self) -> &[u8] {
        &self.messages
    }
}
