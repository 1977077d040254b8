//! PEM: RFC 7468.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The bytes of the first block with this label.
pub(super) fn decode(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_with_the_label_is_read() {
        let text = "noise\n-----BEGIN A-----\nAQ==\n-----END A-----\n-----BEGIN B-----\r\nAg\r\n==\r\n-----END B-----\n";
        assert_eq!(decode(text, "A"), Some(vec![1]));
        assert_eq!(decode(text, "B"), Some(vec![2]));
        assert_eq!(decode(text, "C"), None);
        assert_eq!(decode("-----BEGIN A-----\n!\n-----END A-----", "A"), None);
    }
}
