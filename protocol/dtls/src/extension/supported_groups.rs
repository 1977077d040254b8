//! `supported_groups`: RFC 8446 §4.2.7, RFC 8422 §5.1.1.

use wire::Reader;

use super::{ExtensionType, put};
use crate::codec::{self, Malformed};
use crate::crypto::group::NamedGroup;

/// Reads the groups' numbers.
pub(crate) fn parse(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(body);
    let groups = codec::whole_numbers(codec::vector16(&mut reader)?)?;
    codec::end(reader)?;
    Ok(groups)
}

pub(crate) fn write(out: &mut Vec<u8>, groups: &[NamedGroup]) {
    put(out, ExtensionType::SupportedGroups, |out| {
        codec::put_vector16(out, |out| {
            groups.iter().for_each(|group| out.extend_from_slice(&group.code().to_be_bytes()));
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_comes_back() {
        let mut out = Vec::new();
        write(&mut out, &[NamedGroup::X25519MlKem768, NamedGroup::X25519]);
        assert_eq!(out, [0, 10, 0, 6, 0, 4, 0x11, 0xec, 0, 0x1d]);
        let groups: Vec<_> = codec::numbers(parse(&out[4..]).unwrap()).map(NamedGroup::from_code).collect();
        assert_eq!(groups, [Some(NamedGroup::X25519MlKem768), Some(NamedGroup::X25519)]);
        assert_eq!(parse(&[0, 1, 0]), Err(Malformed));
    }
}
