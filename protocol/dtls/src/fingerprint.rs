//! Fingerprints of certificates: RFC 8122 §5, RFC 8827 §5.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;

use self::FingerprintError as Error;

/// The hash of a fingerprint, the weakest first. MD2 and MD5 are not known: RFC 8122 §5 forbids them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FingerprintHash {
    /// SHA-1: is read, but proves nothing any more.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256: what everybody sends.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl FingerprintHash {
    const ALL: [Self; 5] = [Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its name in a session description.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn named(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name));
        known.ok_or(Error::UnknownHash)
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// The fingerprint of a certificate. Reads and writes itself as a session description has it:
/// `sha-256 12:34:…`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    hash: FingerprintHash,
    bytes: [u8; 64],
}

impl Fingerprint {
    /// Of a certificate's DER encoding.
    pub fn of(hash: FingerprintHash, certificate: &[u8]) -> Self {
        let digest = digest::digest(hash.algorithm(), certificate);
        let mut bytes = [0; 64];
        bytes[..digest.as_ref().len()].copy_from_slice(digest.as_ref());
        Self { hash, bytes }
    }

    /// Of the name of a hash, in any case, and as many bytes in hexadecimal between colons.
    pub fn parse(hash: &str, value: &str) -> Result<Self, Error> {
        let hash = FingerprintHash::named(hash)?;
        let mut bytes = [0; 64];
        let mut count = 0;
        for pair in value.split(':') {
            let is_pair = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            let slot = bytes.get_mut(count).filter(|_| is_pair).ok_or(Error::Malformed)?;
            *slot = u8::from_str_radix(pair, 16).map_err(|_| Error::Malformed)?;
            count += 1;
        }
        if count == hash.algorithm().output_len() { Ok(Self { hash, bytes }) } else { Err(Error::Malformed) }
    }

    /// Of the name of a hash, in any case, and as many bytes as it has.
    pub fn from_bytes(hash: &str, bytes: &[u8]) -> Result<Self, Error> {
        let hash = FingerprintHash::named(hash)?;
        if bytes.len() != hash.algorithm().output_len() {
            return Err(Error::Malformed);
        }
        let mut own = [0; 64];
        own[..bytes.len()].copy_from_slice(bytes);
        Ok(Self { hash, bytes: own })
    }

    /// Which hash it is of.
    pub fn hash(&self) -> FingerprintHash {
        self.hash
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.hash.algorithm().output_len()]
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (hash, value) = text.trim().split_once(' ').ok_or(Error::Malformed)?;
        Self::parse(hash, value.trim_start())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        for (index, byte) in self.bytes().iter().enumerate() {
            write!(f, "{}{byte:02X}", if index == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// What is wrong with a fingerprint, or with a set of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingerprintError {
    /// The hash is none that is known: leave this fingerprint out, there should be others.
    UnknownHash,
    /// Not as many bytes in hexadecimal as the hash has: refuse the session description.
    Malformed,
    /// None of the fingerprints has a hash that proves anything: ask the peer for sha-256.
    NoneUsable,
}

impl fmt::Display for FingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownHash => "the fingerprint's hash is not known; leave it out if there are others",
            Self::Malformed => {
                "the fingerprint does not have the form `sha-256 12:34:…`; refuse the description"
            }
            Self::NoneUsable => "no fingerprint of at least sha-224 was given; ask the peer for sha-256",
        })
    }
}

impl std::error::Error for FingerprintError {}

/// Which certificates are the peer's: those that match a fingerprint of the strongest hash that was announced (RFC
/// 8122 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected(Box<[Fingerprint]>);

/// More than any peer announces.
const MAX_FINGERPRINTS: usize = 32;

impl Expected {
    pub(crate) fn new(fingerprints: &[Fingerprint]) -> Result<Self, Error> {
        let usable = |fingerprint: &&Fingerprint| fingerprint.hash > FingerprintHash::Sha1;
        let strongest = fingerprints.iter().filter(usable).map(|fingerprint| fingerprint.hash).max();
        let strongest = strongest.ok_or(Error::NoneUsable)?;
        let matching = fingerprints.iter().filter(|fingerprint| fingerprint.hash == strongest);
        Ok(Self(matching.take(MAX_FINGERPRINTS).copied().collect()))
    }

    pub(crate) fn matches(&self, certificate: &[u8]) -> bool {
        let Some(first) = self.0.first() else { return false };
        let actual = Fingerprint::of(first.hash, certificate);
        self.0.contains(&actual)
    }
}

/// Whether a certificate in DER is one that these announce, as a connection sees it
/// ([`Dtls::set_peer_fingerprints`](crate::Dtls::set_peer_fingerprints)).
pub fn is_announced(fingerprints: &[Fingerprint], certificate: &[u8]) -> bool {
    Expected::new(fingerprints).is_ok_and(|expected| expected.matches(certificate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_comes_back_from_text() {
        for hash in FingerprintHash::ALL {
            let fingerprint = Fingerprint::of(hash, b"certificate");
            assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
            assert_eq!(fingerprint.to_string().to_lowercase().parse(), Ok(fingerprint));
        }
        let text = "sha-256 BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";
        assert_eq!(Fingerprint::of(FingerprintHash::Sha256, b"abc").to_string(), text);
    }

    #[test]
    fn bad_fingerprints_are_refused() {
        for (text, error) in [
            ("md5 00:11", Error::UnknownHash),
            ("sha-1", Error::Malformed),
            ("sha-1 00:11", Error::Malformed),
            ("sha-256 zz", Error::Malformed),
            ("sha-1 +0:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00", Error::Malformed),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(error), "{text}");
        }
        let long = format!("sha-512 {}", vec!["00"; 65].join(":"));
        assert_eq!(long.parse::<Fingerprint>(), Err(Error::Malformed));
    }

    #[test]
    fn the_strongest_hash_counts() {
        let of = |hash, certificate: &[u8]| Fingerprint::of(hash, certificate);
        let expected = Expected::new(&[
            of(FingerprintHash::Sha256, b"mine"),
            of(FingerprintHash::Sha512, b"another"),
            of(FingerprintHash::Sha512, b"a third"),
        ])
        .unwrap();
        assert!(expected.matches(b"another") && expected.matches(b"a third"));
        assert!(!expected.matches(b"mine"), "a weaker hash does not count beside a stronger one");
        assert_eq!(Expected::new(&[of(FingerprintHash::Sha1, b"mine")]), Err(Error::NoneUsable));
        assert_eq!(Expected::new(&[]), Err(Error::NoneUsable));
    }
}
