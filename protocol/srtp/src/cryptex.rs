//! Cryptex: contributing sources and header extensions encrypted with the payload (RFC 9335).

use rtp::{FIXED_LEN, Header};

use crate::cipher::Portion;

/// What says "one-byte extensions" (RFC 8285 §4.2) and "two-byte extensions" (§4.3, without application bits), in the
/// clear and encrypted.
const ONE_BYTE: (u16, u16) = (0xBEDE, 0xC0DE);
const TWO_BYTE: (u16, u16) = (0x1000, 0xC2DE);

const WORD: usize = 4;
const HAS_EXTENSION: u8 = 0x10;

/// What of a packet is to be encrypted, after its header was made to say so. A packet that has neither contributing
/// sources nor extensions, or extensions of another kind, is left as it is (RFC 9335 §5.1).
pub(crate) fn prepare(buffer: &mut Vec<u8>, start: usize, plain: Portion) -> Portion {
    let Ok(header) = Header::parse(&buffer[start..]) else { return plain };
    let sources = WORD * header.contributing_sources().len();
    let at = start + FIXED_LEN + sources;
    match header.extension().map(|extension| extension.profile) {
        Some(profile) if profile == ONE_BYTE.0 => {
            buffer[at..at + 2].copy_from_slice(&ONE_BYTE.1.to_be_bytes());
        }
        Some(profile) if profile == TWO_BYTE.0 => {
            buffer[at..at + 2].copy_from_slice(&TWO_BYTE.1.to_be_bytes());
        }
        None if sources != 0 => {
            buffer[start] |= HAS_EXTENSION;
            let [high, low] = ONE_BYTE.1.to_be_bytes();
            let end = buffer.len();
            buffer.extend_from_slice(&[0; WORD]);
            buffer.copy_within(at..end, at + WORD);
            buffer[at..at + WORD].copy_from_slice(&[high, low, 0, 0]);
        }
        _ => return plain,
    }
    Portion::cryptex(sources)
}

/// What of a packet is encrypted beyond its payload, if its header says so.
#[inline]
pub(crate) fn portion(header: Header<'_>) -> Option<Portion> {
    let profile = header.extension()?.profile;
    (profile == ONE_BYTE.1 || profile == TWO_BYTE.1)
        .then(|| Portion::cryptex(WORD * header.contributing_sources().len()))
}

/// Has an opened packet's header say what it would have said without cryptex.
pub(crate) fn conclude(packet: &mut [u8], portion: Portion) {
    let at = FIXED_LEN + portion.sources;
    let profile = if packet[at] == ONE_BYTE.1.to_be_bytes()[0] { ONE_BYTE.0 } else { TWO_BYTE.0 };
    packet[at..at + 2].copy_from_slice(&profile.to_be_bytes());
}

#[cfg(test)]
mod tests;
