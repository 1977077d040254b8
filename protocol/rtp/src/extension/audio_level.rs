//! How loud a sender's sound is (RFC 6464).

use super::{Extension, Kind};

/// The level of the packet's sound, as its sender measured it.
///
/// ```text
///  0                   1
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  ID   | len=0 |V|   level     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    /// Decibels below the loudest there is: 0 to 127, where 127 is silence.
    pub level: u8,
    /// Whether the sender believes it to be a voice; means nothing where `vad=off` was agreed.
    pub voice: bool,
}

impl<'a> Extension<'a> for AudioLevel {
    const KIND: Kind = Kind::AudioLevel;

    #[inline]
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        // One byte; the two-byte form may have a second one of padding (RFC 6464 §3).
        let [first, ..] = *bytes else { return None };
        Some(Self { level: first & 0x7F, voice: first & 0x80 != 0 })
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.voice) << 7 | self.level.min(127));
    }
}
