//! Handshake messages, one to a file: RFC 8446 §4, RFC 9147 §5, RFC 5246 §7.4, RFC 6347 §4.3.2. Alerts and
//! acknowledgements are not handshake messages, but live here, too.

pub(crate) mod ack;
pub(crate) mod alert;
pub(crate) mod certificate12;
pub(crate) mod certificate13;
pub(crate) mod certificate_request12;
pub(crate) mod certificate_request13;
pub(crate) mod certificate_verify;
pub(crate) mod client_hello;
pub(crate) mod client_key_exchange;
pub(crate) mod fragment;
pub(crate) mod hello_verify_request;
pub(crate) mod key_update;
pub(crate) mod server_hello;
pub(crate) mod server_key_exchange;

/// The kinds of handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageType {
    HelloRequest = 0,
    ClientHello = 1,
    ServerHello = 2,
    HelloVerifyRequest = 3,
    NewSessionTicket = 4,
    EncryptedExtensions = 8,
    Certificate = 11,
    ServerKeyExchange = 12,
    CertificateRequest = 13,
    ServerHelloDone = 14,
    CertificateVerify = 15,
    ClientKeyExchange = 16,
    Finished = 20,
    KeyUpdate = 24,
    /// Never on the wire: what stands for a ClientHello that was answered with a HelloRetryRequest.
    MessageHash = 254,
}

impl MessageType {
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }
}

/// A whole handshake message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    /// May be one that we do not know.
    pub(crate) code: u8,
    pub(crate) sequence: u16,
    pub(crate) body: &'a [u8],
}

impl<'a> Message<'a> {
    pub(crate) fn is(&self, kind: MessageType) -> bool {
        self.code == kind.code()
    }
}
