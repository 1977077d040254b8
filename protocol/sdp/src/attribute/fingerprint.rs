//! `a=fingerprint` (RFC 8122 §5): the certificate that the other end must show.

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::{Unlisted, is_token};

/// A certificate's hash. There may be several, of different functions or certificates.
///
/// A known function has a hash of its own length; another has up to 128 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    hash: HashFunction,
    bytes: Box<[u8]>,
}

/// How the certificate is hashed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HashFunction {
    /// `sha-1`: not to be relied upon.
    Sha1,
    /// `sha-224`
    Sha224,
    /// `sha-256`, which everybody understands.
    Sha256,
    /// `sha-384`
    Sha384,
    /// `sha-512`
    Sha512,
    /// Any other, in small letters.
    Other(Unlisted),
}

/// Of a function with a length that nobody knows, in bytes.
const MAX_BYTES: usize = 128;

const EXPECTED: &str = "a hash function and a hash of its length, as pairs of hexadecimal digits with colons";

impl Fingerprint {
    /// A certificate's hash; refused unless it has the length of its function.
    pub fn new(hash: HashFunction, bytes: impl Into<Box<[u8]>>) -> Result<Self, Malformed> {
        let bytes = bytes.into();
        let fits =
            hash.hash_len().map_or((1..=MAX_BYTES).contains(&bytes.len()), |length| length == bytes.len());
        if fits { Ok(Self { hash, bytes }) } else { Err(Malformed(EXPECTED)) }
    }

    /// How it was made.
    pub fn hash(&self) -> &HashFunction {
        &self.hash
    }

    /// The hash.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl HashFunction {
    const KNOWN: [Self; 5] = [Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
            Self::Other(name) => name,
        }
    }

    /// The length of its hashes in bytes.
    pub fn hash_len(&self) -> Option<usize> {
        match self {
            Self::Sha1 => Some(20),
            Self::Sha224 => Some(28),
            Self::Sha256 => Some(32),
            Self::Sha384 => Some(48),
            Self::Sha512 => Some(64),
            Self::Other(_) => None,
        }
    }
}

/// In whatever case (RFC 8122 §5).
impl FromStr for HashFunction {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some(known) = Self::KNOWN.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text)) {
            return Ok(known);
        }
        if !is_token(text) {
            return Err(Malformed("a hash function, such as sha-256"));
        }
        Ok(Self::Other(Unlisted::new(&text.to_ascii_lowercase())))
    }
}

impl FromStr for Fingerprint {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut words = text.split_ascii_whitespace();
        let mut parse = || {
            let hash = words.next()?.parse().ok()?;
            let digits = words.next()?.as_bytes();
            if digits.len() > MAX_BYTES * 3 {
                return None;
            }
            let mut bytes = Vec::with_capacity(digits.len() / 3 + 1);
            for pair in digits.split(|byte| *byte == b':') {
                let [high, low] = pair.try_into().ok()?;
                bytes.push(hexadecimal(high)? << 4 | hexadecimal(low)?);
            }
            words.next().is_none().then(|| Self::new(hash, bytes).ok())?
        };
        parse().ok_or(Malformed(EXPECTED))
    }
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let mut text = String::with_capacity(self.bytes.len() * 3);
        for byte in &self.bytes {
            text.push(if text.is_empty() { ' ' } else { ':' });
            text.push(DIGITS[usize::from(byte >> 4)].into());
            text.push(DIGITS[usize::from(byte & 15)].into());
        }
        write!(f, "{}{text}", self.hash.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_and_upper_is_written() {
        let small = "SHA-1 42:89:c5:c6:55:9d:6e:c8:e8:83:55:2a:39:f9:b6:eb:e9:a3:a9:e7";
        let fingerprint: Fingerprint = small.parse().unwrap();
        assert_eq!(fingerprint.hash(), &HashFunction::Sha1);
        assert_eq!(fingerprint.bytes()[..3], [0x42, 0x89, 0xC5]);
        let written = "sha-1 42:89:C5:C6:55:9D:6E:C8:E8:83:55:2A:39:F9:B6:EB:E9:A3:A9:E7";
        assert_eq!(fingerprint.to_string(), written);
        assert_eq!(written.parse(), Ok(fingerprint));
    }

    #[test]
    fn a_hash_of_the_wrong_length_is_refused() {
        let long = ["00"; 32].join(":");
        assert!(format!("sha-256 {long}").parse::<Fingerprint>().is_ok());
        assert!(format!("sha-1 {long}").parse::<Fingerprint>().is_err());
        assert!(format!("blake3 {long}").parse::<Fingerprint>().is_ok());
        assert!(format!("blake3 {}", ["00"; 129].join(":")).parse::<Fingerprint>().is_err());
        assert!(Fingerprint::new(HashFunction::Sha512, [0; 32]).is_err());
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for text in ["x 00:1", "x 0:11", "x 00::11", "x 00:", "x", "", "x 0g", "x 00 11", "x +1"] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
