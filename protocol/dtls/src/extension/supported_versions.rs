//! `supported_versions`: RFC 8446 §4.2.1, RFC 9147 §5.3.

use wire::Reader;

use super::{ExtensionType, put};
use crate::Version;
use crate::codec::{self, Malformed};

/// Reads the versions' numbers of a ClientHello.
pub(crate) fn parse_client(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(body);
    let versions = codec::whole_numbers(codec::vector8(&mut reader)?)?;
    codec::end(reader)?;
    Ok(versions)
}

/// Reads the version that a server chose.
pub(crate) fn parse_server(body: &[u8]) -> Result<u16, Malformed> {
    let mut reader = Reader::new(body);
    let version = reader.u16()?;
    codec::end(reader)?;
    Ok(version)
}

/// Appends the extension of a ClientHello.
pub(crate) fn write_client(out: &mut Vec<u8>, versions: &[Version]) {
    put(out, ExtensionType::SupportedVersions, |out| {
        codec::put_vector8(out, |out| {
            versions.iter().for_each(|version| out.extend_from_slice(&version.code().to_be_bytes()));
        });
    });
}

/// Appends the extension of a ServerHello, which only DTLS 1.3 has.
pub(crate) fn write_server(out: &mut Vec<u8>) {
    put(out, ExtensionType::SupportedVersions, |out| {
        out.extend_from_slice(&Version::Dtls13.code().to_be_bytes());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_back() {
        let mut out = Vec::new();
        write_client(&mut out, &[Version::Dtls13, Version::Dtls12]);
        let versions = parse_client(&out[4..]).unwrap();
        assert_eq!(codec::numbers(versions).collect::<Vec<_>>(), [0xfefc, 0xfefd]);
        let mut chosen = Vec::new();
        write_server(&mut chosen);
        assert_eq!(parse_server(&chosen[4..]), Ok(0xfefc));
        assert_eq!(parse_client(&[1, 0]), Err(Malformed));
    }
}
