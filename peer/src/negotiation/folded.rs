//! A description's text in little room, for as long as nobody asks for it.
//!
//! A server has two of some kilobytes for each of its viewers. They say the same things of the same codecs again and again, and
//! what many descriptions say: what they have in common with an example is not kept.

use lz4_flex::block::{compress_with_dict, decompress_with_dict};

/// What many descriptions say, most frequent last.
const EXAMPLE: &[u8] = include_bytes!("example.sdp");

/// A text, compressed.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    bytes: Box<[u8]>,
    /// Of the text, in bytes.
    length: usize,
}

impl Folded {
    pub(super) fn new(text: &str) -> Self {
        // Of a buffer of its own size, not of what might have been needed.
        let bytes = compress_with_dict(text.as_bytes(), EXAMPLE).as_slice().into();
        Self { bytes, length: text.len() }
    }

    pub(super) fn text(&self) -> String {
        // It was made of a text.
        let bytes = decompress_with_dict(&self.bytes, self.length, EXAMPLE).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back() {
        let long = "a=ssrc:1 cname:x\r\n".repeat(5_000);
        let example = String::from_utf8(EXAMPLE.to_vec()).unwrap();
        for text in ["", "v", "v=0\r\n", "a=mid:\u{e9}\u{1f6f0}\r\n", &long, &example, &example[1..]] {
            assert_eq!(Folded::new(text).text(), text);
        }
    }
}
