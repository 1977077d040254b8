//! The "nonce cookie": what a server can do, said in the nonce so that nobody on the path can take it
//! away (RFC 8489 §9.2, bid-down attack prevention; §18.1, the features).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

const PREFIX: &str = "obMatJos2";

/// Length of the cookie, in bytes: prefix and four base64 digits of 24 feature bits.
pub const COOKIE_LEN: usize = 13;

/// What a server supports beyond RFC 5389.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityFeatures {
    /// PASSWORD-ALGORITHM(S) is understood: bit 0, the most significant.
    pub password_algorithms: bool,
    /// USERHASH may stand for USERNAME: bit 1.
    pub username_anonymity: bool,
}

impl SecurityFeatures {
    /// The cookie that a nonce starts with.
    pub fn cookie(self) -> String {
        let first = u8::from(self.password_algorithms) << 7 | u8::from(self.username_anonymity) << 6;
        let mut cookie = String::with_capacity(COOKIE_LEN);
        cookie.push_str(PREFIX);
        BASE64.encode_string([first, 0, 0], &mut cookie);
        cookie
    }

    /// The features that a nonce speaks of; none when it has no cookie.
    pub fn of_nonce(nonce: &str) -> Option<Self> {
        let digits = nonce.strip_prefix(PREFIX)?.get(..4)?;
        let bits = BASE64.decode(digits).ok()?;
        let first = bits.first()?;
        Some(Self { password_algorithms: first & 0x80 != 0, username_anonymity: first & 0x40 != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_round_trip_through_a_nonce() {
        for (password_algorithms, username_anonymity) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let features = SecurityFeatures { password_algorithms, username_anonymity };
            let nonce = format!("{}rest", features.cookie());
            assert_eq!(nonce.len(), COOKIE_LEN + 4);
            assert_eq!(SecurityFeatures::of_nonce(&nonce), Some(features));
        }
        assert_eq!(SecurityFeatures::of_nonce("obMatJos2"), None);
        assert_eq!(SecurityFeatures::of_nonce("other"), None);
    }

    /// The nonce of RFC 8489 Appendix B.1 has the features' bits all set to "AAAC" in base64.
    #[test]
    fn the_nonce_of_rfc_8489_appendix_b() {
        let nonce = "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA";
        assert_eq!(SecurityFeatures::of_nonce(nonce), Some(SecurityFeatures::default()));
    }
}
