//! ClientKeyExchange: RFC 8422 §5.7.

use wire::Reader;

use crate::codec::{self, Malformed};

/// Reads the client's public point.
pub(crate) fn parse(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(body);
    let point = codec::vector8(&mut reader)?;
    codec::end(reader)?;
    Ok(point)
}

pub(crate) fn write(out: &mut Vec<u8>, point: &[u8]) {
    codec::put_vector8(out, |out| out.extend_from_slice(point));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_point_comes_back() {
        let mut out = Vec::new();
        write(&mut out, &[4; 65]);
        assert_eq!(parse(&out), Ok(&[4; 65][..]));
        assert_eq!(parse(&out[..60]), Err(Malformed));
    }
}
