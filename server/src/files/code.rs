//! The secret of a transfer: a code that people can type, and the keys that both ends make of it (HKDF, RFC 5869,
//! with SHA-256). The server is told the room's name only, from which nothing leads back.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;

use super::message::Id;
use super::seal::Sealer;

/// Symbols of a code: 20 of 5 bits each.
const SYMBOLS: usize = 20;

/// Symbols between two hyphens.
const GROUP: usize = 5;

/// Random bytes that a code is made of; the last one gives 4 bits.
pub(crate) const RANDOM_BYTES: usize = 13;

/// Crockford's base 32: no `i`, `l`, `o`, which look like digits, and no `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What the salt of this version's keys is.
const SALT: &[u8] = b"twocan send, version 1";

/// 100 random bits as 20 symbols.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Code([u8; SYMBOLS]);

/// Why some text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeError {
    /// So many symbols, which are not 20.
    Length(usize),
    /// A character that no code has.
    Symbol(char),
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(found) => write!(
                f,
                "a code has 20 letters and digits, this has {found}: copy it whole, such as k3m9x-7qv2t-h4n8p-2wxyz"
            ),
            Self::Symbol(found) => write!(f, "no code has a {found:?} in it: compare it with the original"),
        }
    }
}

impl std::error::Error for CodeError {}

/// What is made of a code.
pub(crate) struct Keys {
    /// Where the two meet: all that the server learns.
    pub(crate) room: String,
    /// Seals what they say through the server.
    pub(crate) sealer: Sealer,
    /// The base key of sound and pictures that the server forwards (RFC 9605 §4.4.2).
    pub(crate) media: [u8; 32],
    /// Names files so that both ends know them again after a restart.
    ids: hmac::Key,
}

impl Code {
    pub(crate) fn from_random(bytes: [u8; RANDOM_BYTES]) -> Self {
        let mut symbols = [0; SYMBOLS];
        for (index, symbol) in symbols.iter_mut().enumerate() {
            let bit = index * 5;
            let high = u16::from(bytes[bit / 8]) << 8;
            let low = bytes.get(bit / 8 + 1).map_or(0, |byte| u16::from(*byte));
            *symbol = ALPHABET[usize::from((high | low) >> (11 - bit % 8)) & 31];
        }
        Self(symbols)
    }

    pub(crate) fn keys(&self) -> Keys {
        let secret = Salt::new(HKDF_SHA256, SALT).extract(&self.0);
        let room = expand::<16>(&secret, b"room");
        let ids = expand::<32>(&secret, b"file ids");
        Keys {
            room: format!("sealed-{}", Id(room)),
            sealer: Sealer::new(&expand(&secret, b"signaling")),
            media: expand(&secret, b"media"),
            ids: hmac::Key::new(hmac::HMAC_SHA256, &ids),
        }
    }
}

impl Keys {
    /// A file's name on the wire: the same as long as its path, size and time of change are.
    pub(crate) fn file_id(&self, path: &str, size: u64, modified: u64) -> Id {
        let mut context = hmac::Context::with_key(&self.ids);
        context.update(format!("{size} {modified} {path}").as_bytes());
        let tag = context.sign();
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        Id(id)
    }
}

/// Bytes of one purpose.
fn expand<const N: usize>(secret: &aws_lc_rs::hkdf::Prk, purpose: &[u8]) -> [u8; N] {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut bytes = [0; N];
    // HKDF gives up to 8,160 bytes: it cannot fail for 32.
    let _ = secret.expand(&[purpose], Length(N)).and_then(|material| material.fill(&mut bytes));
    bytes
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, symbol) in self.0.iter().enumerate() {
            if index > 0 && index % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*symbol))?;
        }
        Ok(())
    }
}

/// Not the code itself: it must not get into a log.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl FromStr for Code {
    type Err = CodeError;

    /// Capitals, hyphens, spaces and look-alikes do not matter.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut symbols = Vec::with_capacity(SYMBOLS);
        let written = text.chars().filter(|character| !character.is_whitespace() && *character != '-');
        for character in written {
            let plain = match character.to_ascii_lowercase() {
                'i' | 'l' => '1',
                'o' => '0',
                other => other,
            };
            let symbol = u8::try_from(plain).ok().filter(|symbol| ALPHABET.contains(symbol));
            symbols.push(symbol.ok_or(CodeError::Symbol(character))?);
        }
        let found = symbols.len();
        symbols.try_into().map(Self).map_err(|_| CodeError::Length(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code: Code = "k3m9x-7qv2t-h4n80-2wx1z".parse().unwrap();
        assert_eq!(code.to_string(), "k3m9x-7qv2t-h4n80-2wx1z");
        for same in ["K3M9X 7QV2T H4N8O 2WXLZ", "k3m9x7qv2th4n8o2wxiz", " k3m9x-7qv2t-\nh4n80-2wxIz "] {
            assert_eq!(same.parse::<Code>().as_ref(), Ok(&code), "{same}");
        }
        assert_eq!("".parse::<Code>(), Err(CodeError::Length(0)));
        assert_eq!("k3m9x-7qv2t-h4n80-2wx1".parse::<Code>(), Err(CodeError::Length(19)));
        assert_eq!("k3m9x-7qv2t-h4n80-2wx1u".parse::<Code>(), Err(CodeError::Symbol('u')));
        assert_eq!("k3m9x-7qv2t-h4n80-2wx1é".parse::<Code>(), Err(CodeError::Symbol('é')));
        assert_eq!(format!("{code:?}"), "Code(…)");
    }

    #[test]
    fn every_random_bit_counts() {
        let zero = Code::from_random([0; RANDOM_BYTES]);
        assert_eq!(zero.to_string(), "00000-00000-00000-00000");
        let mut seen = std::collections::BTreeSet::new();
        for bit in 0..100 {
            let mut bytes = [0; RANDOM_BYTES];
            bytes[bit / 8] = 0x80 >> (bit % 8);
            assert!(seen.insert(Code::from_random(bytes).to_string()), "bit {bit}");
        }
        assert_eq!(Code::from_random([0xff; RANDOM_BYTES]).to_string(), "zzzzz-zzzzz-zzzzz-zzzzz");
    }

    /// The web app makes the same (web/tests/code.test.js).
    #[test]
    fn keys_are_the_same_everywhere() {
        let keys = "k3m9x-7qv2t-h4n80-2wx1z".parse::<Code>().unwrap().keys();
        assert_eq!(keys.room, "sealed-288b550e40df8b2587b11ef198deaca9");
        assert_eq!(
            keys.file_id("photos/a.jpg", 1_000, 1_700_000_000_000).to_string(),
            "ae3fbb3e3b274a5a72e0646e20368e86"
        );
        let media: String = keys.media.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(media, "f37a1cefa200753643bd54849c89ef3f3be66f1c57b012e08c18a7d40948a985");
        let other = "k3m9x-7qv2t-h4n80-2wx10".parse::<Code>().unwrap().keys();
        assert_ne!(keys.room, other.room);
        assert_ne!(keys.file_id("a", 1, 2), keys.file_id("a", 1, 3));
    }
}
