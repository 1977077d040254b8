//! KeyUpdate: RFC 8446 §4.6.3, RFC 9147 §8.

use crate::codec::Malformed;

/// Reads whether the peer wants new keys of us, too.
pub(crate) fn parse(body: &[u8]) -> Result<bool, Malformed> {
    match *body {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(Malformed),
    }
}

/// We never ask for the peer's: it counts for itself.
pub(crate) const UPDATE_NOT_REQUESTED: [u8; 1] = [0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_byte() {
        assert_eq!(parse(&UPDATE_NOT_REQUESTED), Ok(false));
        assert_eq!(parse(&[1]), Ok(true));
        assert!(parse(&[2]).is_err() && parse(&[]).is_err() && parse(&[0, 0]).is_err());
    }
}
