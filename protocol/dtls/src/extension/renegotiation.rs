//! `renegotiation_info`: RFC 5746. We never renegotiate; peers want to hear that we know of it.

use super::{ExtensionType, put};

/// The suite's number that says the same (§3.3).
pub(crate) const EMPTY_RENEGOTIATION_INFO: u16 = 0x00ff;

/// In the first handshake of a connection there is nothing to say.
pub(crate) fn is_empty(body: &[u8]) -> bool {
    body == [0]
}

pub(crate) fn write(out: &mut Vec<u8>) {
    put(out, ExtensionType::RenegotiationInfo, |out| out.push(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_empty() {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(out, [0xff, 1, 0, 1, 0]);
        assert!(is_empty(&out[4..]) && !is_empty(&[1, 2]));
    }
}
