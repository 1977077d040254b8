//! `key_share`: RFC 8446 §4.2.8.

use wire::Reader;

use super::{ExtensionType, put};
use crate::codec::{self, Malformed};
use crate::crypto::group::NamedGroup;

/// One end's half of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyShareEntry<'a> {
    /// May be one that we do not know.
    pub(crate) group: u16,
    pub(crate) key_exchange: &'a [u8],
}

fn entry<'a>(reader: &mut Reader<'a>) -> Result<KeyShareEntry<'a>, Malformed> {
    let group = reader.u16()?;
    let key_exchange = codec::vector16(reader)?;
    if key_exchange.is_empty() { Err(Malformed) } else { Ok(KeyShareEntry { group, key_exchange }) }
}

/// The share for `group` among those of a ClientHello, none of which may be for the same group as another.
pub(crate) fn find(body: &[u8], group: NamedGroup) -> Result<Option<&[u8]>, Malformed> {
    let mut reader = Reader::new(body);
    let mut shares = Reader::new(codec::vector16(&mut reader)?);
    codec::end(reader)?;
    let mut found = None;
    while !shares.is_empty() {
        let share = entry(&mut shares)?;
        if share.group == group.code() && found.replace(share.key_exchange).is_some() {
            return Err(Malformed);
        }
    }
    Ok(found)
}

/// The share of a ServerHello.
pub(crate) fn parse_server(body: &[u8]) -> Result<KeyShareEntry<'_>, Malformed> {
    let mut reader = Reader::new(body);
    let share = entry(&mut reader)?;
    codec::end(reader)?;
    Ok(share)
}

/// The group that a HelloRetryRequest asks for.
pub(crate) fn parse_retry(body: &[u8]) -> Result<u16, Malformed> {
    let mut reader = Reader::new(body);
    let group = reader.u16()?;
    codec::end(reader)?;
    Ok(group)
}

/// Appends the extension of a ClientHello.
pub(crate) fn write_client<'a>(out: &mut Vec<u8>, shares: impl IntoIterator<Item = (NamedGroup, &'a [u8])>) {
    put(out, ExtensionType::KeyShare, |out| {
        codec::put_vector16(out, |out| {
            for (group, share) in shares {
                write_entry(out, group, share);
            }
        });
    });
}

/// Appends the extension of a ServerHello.
pub(crate) fn write_server(out: &mut Vec<u8>, group: NamedGroup, share: &[u8]) {
    put(out, ExtensionType::KeyShare, |out| write_entry(out, group, share));
}

/// Appends the extension of a HelloRetryRequest.
pub(crate) fn write_retry(out: &mut Vec<u8>, group: NamedGroup) {
    put(out, ExtensionType::KeyShare, |out| out.extend_from_slice(&group.code().to_be_bytes()));
}

fn write_entry(out: &mut Vec<u8>, group: NamedGroup, share: &[u8]) {
    out.extend_from_slice(&group.code().to_be_bytes());
    codec::put_vector16(out, |out| out.extend_from_slice(share));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_found() {
        let mut out = Vec::new();
        write_client(&mut out, [(NamedGroup::X25519, &[1; 32][..]), (NamedGroup::Secp256r1, &[2; 65])]);
        assert_eq!(find(&out[4..], NamedGroup::Secp256r1), Ok(Some(&[2; 65][..])));
        assert_eq!(find(&out[4..], NamedGroup::Secp384r1), Ok(None));
        let mut twice = Vec::new();
        write_client(&mut twice, [(NamedGroup::X25519, &[1; 32][..]), (NamedGroup::X25519, &[2; 32])]);
        assert_eq!(find(&twice[4..], NamedGroup::X25519), Err(Malformed));
    }

    #[test]
    fn the_server_has_one() {
        let mut out = Vec::new();
        write_server(&mut out, NamedGroup::X25519, &[1; 32]);
        let share = KeyShareEntry { group: NamedGroup::X25519.code(), key_exchange: &[1; 32] };
        assert_eq!(parse_server(&out[4..]), Ok(share));
        let mut retry = Vec::new();
        write_retry(&mut retry, NamedGroup::Secp384r1);
        assert_eq!(parse_retry(&retry[4..]), Ok(NamedGroup::Secp384r1.code()));
        assert_eq!(parse_server(&retry[4..]), Err(Malformed));
    }
}
