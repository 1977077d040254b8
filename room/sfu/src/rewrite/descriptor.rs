//! The first bytes of payloads that count pictures, written anew for a stream that is made of several: VP8's
//! (RFC 7741 §4.2) and VP9's (RFC 9628 §4.2) descriptors.

use peer::Prefix;
use rtp::codec::{Codec, vp8};

/// The first bytes of a payload that counts pictures, and where in them it does: found once, for all who get it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptor {
    bytes: Prefix,
    /// Where the picture's number is, and whether it has two bytes.
    picture: Option<(u8, bool)>,
    /// Where the index of the lowest layer's pictures is.
    tl0_picture_index: Option<u8>,
}

impl Descriptor {
    /// None where there is nothing to change.
    pub(crate) fn find(codec: Codec, payload: &[u8]) -> Option<Self> {
        match codec {
            Codec::Vp8 => Self::vp8(payload),
            Codec::Vp9 => Self::vp9(payload),
            _ => None,
        }
    }

    fn vp8(payload: &[u8]) -> Option<Self> {
        let front = payload.get(..payload.len().min(vp8::MAX_DESCRIPTOR_LEN + 1))?;
        let (found, rest) = vp8::Descriptor::parse(front).ok()?;
        let bytes = Prefix::new(front.get(..front.len() - rest.len())?)?;
        // Behind the two bytes that say what there is.
        let picture = found.picture_id.map(|id| (2, id.long));
        let behind = picture.map_or(2, |(at, is_long)| at + 1 + u8::from(is_long));
        Some(Self { bytes, picture, tl0_picture_index: found.tl0_picture_index.map(|_| behind) })
    }

    fn vp9(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let has = |bit: u8| first & bit != 0;
        if !has(0x80) {
            return None;
        }
        let is_long = payload.get(1)? & 0x80 != 0;
        let mut length = 2 + u8::from(is_long);
        // In flexible mode there is no index.
        let tl0_picture_index = (has(0x20) && !has(0x10)).then(|| {
            length += 2;
            length - 1
        });
        let (front, rest) = payload.split_at_checked(length.into())?;
        let bytes = Prefix::new(front).filter(|_| !rest.is_empty())?;
        Some(Self { bytes, picture: Some((1, is_long)), tl0_picture_index })
    }

    /// How many of the payload's bytes it is.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The same with these numbers, each as far as it is there.
    #[inline]
    pub(crate) fn with(&self, picture_id: u16, tl0_picture_index: u8) -> Prefix {
        let mut bytes = self.bytes;
        match self.picture {
            Some((at, true)) => {
                let [high, low] = (picture_id | 0x8000).to_be_bytes();
                bytes.set(at, high);
                bytes.set(at + 1, low);
            }
            Some((at, false)) => bytes.set(at, picture_id as u8 & 0x7F),
            None => {}
        }
        if let Some(at) = self.tl0_picture_index {
            bytes.set(at, tl0_picture_index);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(codec: Codec, payload: &[u8]) -> Option<Vec<u8>> {
        let descriptor = Descriptor::find(codec, payload)?;
        Some([&descriptor.with(0x1234, 9), &payload[descriptor.len()..]].concat())
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
                        if let Some(found) = Descriptor::find(codec, &bytes[..end]) {
                            assert!(found.len() < end && found.with(1, 1).len() == found.len());
                        }
                    }
                }
            }
        }
    }
}
