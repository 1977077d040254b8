//! The first bytes of payloads that count pictures, written anew for a stream that is made of several: VP8's
//! (RFC 7741 §4.2) and VP9's (RFC 9628 §4.2) descriptors.

use peer::Prefix;
use rtp::codec::{Codec, vp8};

/// Bytes up to where both have the index of the lowest layer's pictures at the furthest.
const VP9_LEN: usize = 5;

/// A payload's first bytes with these numbers, each as far as the payload has it, and how many of the payload's they take
/// the place of. None where there is nothing to change.
pub(crate) fn rewrite(
    codec: Codec,
    payload: &[u8],
    picture_id: u16,
    tl0_picture_index: u8,
) -> Option<(Prefix, usize)> {
    match codec {
        Codec::Vp8 => {
            let mut copy = [0; vp8::MAX_DESCRIPTOR_LEN + 1];
            let (copy, _) = copy.split_at_mut(payload.len().min(vp8::MAX_DESCRIPTOR_LEN + 1));
            copy.copy_from_slice(payload.get(..copy.len())?);
            let (_, rest) = vp8::Descriptor::parse(copy).ok()?;
            let length = copy.len() - rest.len();
            vp8::rewrite(copy, picture_id, tl0_picture_index);
            Some((Prefix::new(copy.get(..length)?)?, length))
        }
        Codec::Vp9 => {
            let mut copy = [0; VP9_LEN];
            let length = vp9(payload, &mut copy, picture_id, tl0_picture_index)?;
            Some((Prefix::new(copy.get(..length)?)?, length))
        }
        _ => None,
    }
}

/// How many bytes of the copy are meant.
fn vp9(payload: &[u8], copy: &mut [u8; VP9_LEN], picture_id: u16, tl0_picture_index: u8) -> Option<usize> {
    let first = *payload.first()?;
    let has = |bit: u8| first & bit != 0;
    if !has(0x80) {
        return None;
    }
    copy[0] = first;
    let mut at = 2;
    if payload.get(1)? & 0x80 == 0 {
        copy[1] = picture_id as u8 & 0x7F;
    } else {
        copy[1..3].copy_from_slice(&(picture_id | 0x8000).to_be_bytes());
        at = 3;
    }
    // In flexible mode there is no index.
    if has(0x20) && !has(0x10) {
        copy[at] = *payload.get(at)?;
        copy[at + 1] = tl0_picture_index;
        at += 2;
    }
    (payload.len() > at).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(codec: Codec, payload: &[u8]) -> Option<Vec<u8>> {
        let (prefix, length) = rewrite(codec, payload, 0x1234, 9)?;
        Some([&prefix, &payload[length..]].concat())
    }

    #[test]
    fn numbers_are_rewritten_in_their_width() {
        let vp8 = rewritten(Codec::Vp8, &[0x90, 0xE0, 0x81, 0x02, 7, 0x40, 1, 2]);
        assert_eq!(vp8, Some(vec![0x90, 0xE0, 0x92, 0x34, 9, 0x40, 1, 2]));
        assert_eq!(rewritten(Codec::Vp8, &[0x10, 1]), Some(vec![0x10, 1]));
        let vp9 = rewritten(Codec::Vp9, &[0xAE, 0x81, 0x02, 0x10, 7, 0x58, 1]);
        assert_eq!(vp9, Some(vec![0xAE, 0x92, 0x34, 0x10, 9, 0x58, 1]));
        let flexible = rewritten(Codec::Vp9, &[0xF8, 5, 0x53, 0x03, 0x08, 1]);
        assert_eq!(flexible, Some(vec![0xF8, 0x34, 0x53, 0x03, 0x08, 1]));
        assert_eq!(rewritten(Codec::Vp9, &[0x2C, 0x10, 7, 1]), None, "nothing is counted");
        assert_eq!(rewritten(Codec::H264, &[0x65, 1]), None);
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        for first in 0..=255 {
            for second in [0, 0x80, 0xF0, 0xFF] {
                let bytes = [first, second, 0xFF, 0x80, 0xFF, 0xFF, 0xFF, 0xFF];
                for end in 0..bytes.len() {
                    for codec in [Codec::Vp8, Codec::Vp9] {
                        if let Some((prefix, length)) = rewrite(codec, &bytes[..end], 1, 1) {
                            assert!(length < end && prefix.len() == length);
                        }
                    }
                }
            }
        }
    }
}
