//! `cookie`: RFC 8446 §4.2.2. A server without memory has the client remember for it.

use wire::Reader;

use super::{ExtensionType, put};
use crate::codec::{self, Malformed};

/// Reads the cookie, which is not empty.
pub(crate) fn parse(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(body);
    let cookie = codec::vector16(&mut reader)?;
    codec::end(reader)?;
    if cookie.is_empty() { Err(Malformed) } else { Ok(cookie) }
}

pub(crate) fn write(out: &mut Vec<u8>, cookie: &[u8]) {
    put(out, ExtensionType::Cookie, |out| codec::put_vector16(out, |out| out.extend_from_slice(cookie)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back() {
        let mut out = Vec::new();
        write(&mut out, b"crumbs");
        assert_eq!(parse(&out[4..]), Ok(&b"crumbs"[..]));
        assert_eq!(parse(&[0, 0]), Err(Malformed));
        assert_eq!(parse(&[0, 1, 1, 1]), Err(Malformed));
    }
}
