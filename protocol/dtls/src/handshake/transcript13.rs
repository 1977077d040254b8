//! The transcript of DTLS 1.3: RFC 8446 §4.4.1; without the fields that only DTLS has (RFC 9147 §5.2).

use aws_lc_rs::digest::{self, Digest};

use crate::codec;
use crate::crypto::hash::{Hash, Transcript};
use crate::message::MessageType;

/// All messages so far.
pub(super) struct Transcript13 {
    hash: Transcript,
}

impl Transcript13 {
    pub(super) fn new(hash: Hash) -> Self {
        Self { hash: Transcript::new(hash) }
    }

    pub(super) fn add(&mut self, kind: MessageType, body: &[u8]) {
        let [high, middle, low] = codec::uint24_bytes(body.len());
        self.hash.update(&[kind.code(), high, middle, low]);
        self.hash.update(body);
    }

    pub(super) fn current(&self) -> Digest {
        self.hash.current()
    }
}

/// What stands for the first ClientHello once it was answered with a HelloRetryRequest.
pub(super) fn message_hash(hash: Hash, hello: &[u8]) -> Digest {
    let [high, middle, low] = codec::uint24_bytes(hello.len());
    let mut context = digest::Context::new(hash.digest());
    context.update(&[MessageType::ClientHello.code(), high, middle, low]);
    context.update(hello);
    context.finish()
}
