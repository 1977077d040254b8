//! HelloVerifyRequest of DTLS 1.2: RFC 6347 §4.2.1.

use wire::Reader;

use crate::codec::{self, Malformed};

/// Reads the cookie to send back.
pub(crate) fn parse(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(body);
    // Says DTLS 1.0 whatever comes of it.
    reader.u16()?;
    let cookie = codec::vector8(&mut reader)?;
    codec::end(reader)?;
    Ok(cookie)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_read() {
        assert_eq!(parse(&[0xfe, 0xff, 2, 8, 9]), Ok(&[8, 9][..]));
        assert_eq!(parse(&[0xfe, 0xff, 2, 8]), Err(Malformed));
    }
}
