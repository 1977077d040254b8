//! Extensions of the hello messages and of certificates: RFC 8446 §4.2.

pub(crate) mod cookie;
pub(crate) mod key_share;
pub(crate) mod point_formats;
pub(crate) mod renegotiation;
pub(crate) mod signature_algorithms;
pub(crate) mod supported_groups;
pub(crate) mod supported_versions;
pub(crate) mod use_srtp;

use wire::Reader;

use crate::codec::{self, Malformed};

/// More than any peer sends; browsers send about 15.
const MAX_EXTENSIONS: usize = 64;

/// The numbers of the extensions that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExtensionType {
    SupportedGroups = 10,
    PointFormats = 11,
    SignatureAlgorithms = 13,
    UseSrtp = 14,
    ExtendedMasterSecret = 23,
    SupportedVersions = 43,
    Cookie = 44,
    KeyShare = 51,
    RenegotiationInfo = 0xff01,
}

/// A list of extensions, none of them twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extensions<'a> {
    bytes: &'a [u8],
}

impl<'a> Extensions<'a> {
    /// The list that `reader` has next. None at all is the same as an empty list (RFC 5246 §7.4.1.2).
    pub(crate) fn parse(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        if reader.is_empty() {
            return Ok(Self { bytes: &[] });
        }
        let list = Self { bytes: codec::vector16(reader)? };
        let mut seen = [0; MAX_EXTENSIONS];
        let mut count = 0;
        let mut rest = Reader::new(list.bytes);
        while !rest.is_empty() {
            let code = rest.u16()?;
            codec::vector16(&mut rest)?;
            if count == MAX_EXTENSIONS || seen[..count].contains(&code) {
                return Err(Malformed);
            }
            seen[count] = code;
            count += 1;
        }
        Ok(list)
    }

    fn iter(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = Reader::new(self.bytes);
        std::iter::from_fn(move || Some((rest.u16().ok()?, codec::vector16(&mut rest).ok()?)))
    }

    /// The body of an extension.
    pub(crate) fn find(self, wanted: ExtensionType) -> Option<&'a [u8]> {
        self.iter().find(|(code, _)| *code == wanted as u16).map(|(_, body)| body)
    }

    pub(crate) fn has(self, wanted: ExtensionType) -> bool {
        self.find(wanted).is_some()
    }

    /// Whether there is nothing but what was asked for.
    pub(crate) fn are_among(self, asked: &[ExtensionType]) -> bool {
        self.iter().all(|(code, _)| asked.iter().any(|known| *known as u16 == code))
    }
}

/// Appends one extension, whose body `write` appends.
pub(crate) fn put(out: &mut Vec<u8>, code: ExtensionType, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&(code as u16).to_be_bytes());
    codec::put_vector16(out, write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_found_and_none_comes_twice() {
        let mut out = Vec::new();
        codec::put_vector16(&mut out, |out| {
            put(out, ExtensionType::Cookie, |out| out.push(9));
            put(out, ExtensionType::ExtendedMasterSecret, |_| ());
        });
        let list = Extensions::parse(&mut Reader::new(&out)).unwrap();
        assert_eq!(list.find(ExtensionType::Cookie), Some(&[9][..]));
        assert!(list.has(ExtensionType::ExtendedMasterSecret) && !list.has(ExtensionType::KeyShare));
        assert!(list.are_among(&[ExtensionType::Cookie, ExtensionType::ExtendedMasterSecret]));
        assert!(!list.are_among(&[ExtensionType::Cookie]));

        let mut twice = Vec::new();
        codec::put_vector16(&mut twice, |out| {
            put(out, ExtensionType::Cookie, |_| ());
            put(out, ExtensionType::Cookie, |_| ());
        });
        assert_eq!(Extensions::parse(&mut Reader::new(&twice)), Err(Malformed));
        assert_eq!(Extensions::parse(&mut Reader::new(&[0, 4, 0, 1, 0, 1])), Err(Malformed));
        assert!(Extensions::parse(&mut Reader::new(&[])).is_ok());
    }

    #[test]
    fn there_is_a_bound_on_their_number() {
        let mut many = Vec::new();
        codec::put_vector16(&mut many, |out| {
            for code in 0..=MAX_EXTENSIONS {
                out.extend_from_slice(&u16::try_from(code).unwrap().to_be_bytes());
                out.extend_from_slice(&[0, 0]);
            }
        });
        assert_eq!(Extensions::parse(&mut Reader::new(&many)), Err(Malformed));
    }
}
