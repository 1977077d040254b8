//! Attributes that hold text: USERNAME, REALM, NONCE, SOFTWARE, ALTERNATE-DOMAIN, and the hash that
//! stands for a user name, USERHASH (RFC 8489 §14.3, §14.9, §14.10, §14.14, §14.16, §14.4).

use super::{ALTERNATE_DOMAIN, Attribute, NONCE, REALM, SOFTWARE, USERHASH, USERNAME};
use crate::header::TransactionId;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $kind:expr, $limit:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a>(pub &'a str);

        impl<'a> Attribute<'a> for $name<'a> {
            const TYPE: u16 = $kind;

            fn parse(value: &'a [u8], _: &TransactionId) -> Option<Self> {
                (value.len() <= $limit).then(|| std::str::from_utf8(value).ok()).flatten().map(Self)
            }

            fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
                value.extend_from_slice(self.0.as_bytes());
            }
        }
    };
}

text!(
    /// Who sends the request: less than 509 bytes.
    Username, USERNAME, 508
);
text!(
    /// Whose users they are: at most 763 bytes.
    Realm, REALM, 763
);
text!(
    /// What makes each proof fresh: at most 763 bytes.
    Nonce, NONCE, 763
);
text!(
    /// What program speaks: at most 763 bytes.
    Software, SOFTWARE, 763
);
text!(
    /// The name that the alternate server's certificate bears: at most 255 bytes.
    AlternateDomain, ALTERNATE_DOMAIN, 255
);

/// Who sends the request, without saying it to those who listen: see [`user_hash`](crate::user_hash).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserHash(pub [u8; 32]);

impl Attribute<'_> for UserHash {
    const TYPE: u16 = USERHASH;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        value.try_into().ok().map(Self)
    }

    fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
        value.extend_from_slice(&self.0);
    }
}
