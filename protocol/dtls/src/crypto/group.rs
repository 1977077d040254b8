//! Groups in which keys are agreed: RFC 8446 §4.2.7, RFC 8422 §5.1.1, draft-ietf-tls-ecdhe-mlkem.

macro_rules! groups {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// A group in which the two ends agree on a key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum NamedGroup {
            $($(#[$doc])* $name = $code,)*
        }

        impl NamedGroup {
            pub(crate) const fn from_code(code: u16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

groups! {
    /// The curve P-256.
    Secp256r1 = 0x0017,
    /// The curve P-384.
    Secp384r1 = 0x0018,
    /// Curve25519: the cheapest.
    X25519 = 0x001d,
    /// Curve25519 with ML-KEM-768: also holds against quantum computers. DTLS 1.3 only; its shares of 1.2 KB make a
    /// ClientHello of two datagrams.
    X25519MlKem768 = 0x11ec,
}

impl NamedGroup {
    pub(crate) const fn code(self) -> u16 {
        self as u16
    }

    /// DTLS 1.2 knows elliptic curves only.
    pub(crate) const fn is_elliptic(self) -> bool {
        !matches!(self, Self::X25519MlKem768)
    }
}
