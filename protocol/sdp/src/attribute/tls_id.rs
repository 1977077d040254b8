//! `a=tls-id` (RFC 8842 §4): which DTLS association is meant.

use crate::text::checked_string;

checked_string! {
    /// The name of an association; a new one wants a new handshake.
    TlsId, "20 to 255 letters, digits, +, /, - or _", |text| {
        (20..=255).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_length_is_bounded() {
        assert!("91bbf309c0990a6bec11e38ba2933cee".parse::<TlsId>().is_ok());
        assert!("a".repeat(19).parse::<TlsId>().is_err());
        assert!("a".repeat(256).parse::<TlsId>().is_err());
        assert!("a b c d e f g h i j k l".parse::<TlsId>().is_err());
    }
}
