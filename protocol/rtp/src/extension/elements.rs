//! The elements of an extension, in both forms (RFC 8285 §4.2, §4.3).

use std::ops::Range;

/// Ids and values, in their order. An element that does not fit ends them, and so does what RFC 8285 has end them: id 15
/// in the one-byte form, id 0 with a length.
///
/// ```text
///  0                      0                   1
///  0 1 2 3 4 5 6 7        0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
/// +-+-+-+-+-+-+-+-+      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  ID   | len-1 |  or  |       ID      |     length    |   and the value
/// +-+-+-+-+-+-+-+-+      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
    two_byte: bool,
}

impl<'a> Elements<'a> {
    #[inline]
    pub(crate) fn one_byte(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, two_byte: false }
    }

    #[inline]
    pub(crate) fn two_byte(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, two_byte: true }
    }

    /// Where the value of the first element with this id lies.
    pub(crate) fn find_range(mut self, id: u8) -> Option<Range<usize>> {
        loop {
            let (found, range) = self.next_range()?;
            if found == id {
                return Some(range);
            }
        }
    }

    #[inline]
    fn next_range(&mut self) -> Option<(u8, Range<usize>)> {
        let mut first = *self.bytes.get(self.at)?;
        while first == 0 {
            self.at += 1;
            // In the two-byte form a zero is an id without a length: one byte of padding.
            first = *self.bytes.get(self.at)?;
        }
        let (id, start, len) = if self.two_byte {
            (first, self.at + 2, usize::from(*self.bytes.get(self.at + 1)?))
        } else {
            (first >> 4, self.at + 1, usize::from(first & 0x0F) + 1)
        };
        let end = start + len;
        if id == 0 || (id == 15 && !self.two_byte) || end > self.bytes.len() {
            self.at = self.bytes.len();
            return None;
        }
        self.at = end;
        Some((id, start..end))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (id, range) = self.next_range()?;
        Some((id, self.bytes.get(range)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(elements: Elements<'_>) -> Vec<(u8, Vec<u8>)> {
        elements.map(|(id, value)| (id, value.to_vec())).collect()
    }

    /// The figures of RFC 8285 §4.2 and §4.3.
    #[test]
    fn the_standards_figures_are_read() {
        let one = [0x10, 0xAA, 0x21, 0xBB, 0xCC, 0, 0, 0x33, 1, 2, 3, 4];
        let expected = vec![(1, vec![0xAA]), (2, vec![0xBB, 0xCC]), (3, vec![1, 2, 3, 4])];
        assert_eq!(ids(Elements::one_byte(&one)), expected);
        let two = [1, 0, 2, 1, 0xAA, 0, 3, 4, 1, 2, 3, 4];
        assert_eq!(ids(Elements::two_byte(&two)), [(1, vec![]), (2, vec![0xAA]), (3, vec![1, 2, 3, 4])]);
    }

    #[test]
    fn what_must_end_them_does() {
        // Id 15; an id of 0 with a length; a value that is cut off.
        for end in [0xF0, 0x01, 0x4F] {
            assert_eq!(ids(Elements::one_byte(&[0x10, 7, end, 8, 0x20, 9])), [(1, vec![7])]);
        }
        assert_eq!(ids(Elements::two_byte(&[1, 1, 7, 2, 9, 0])), [(1, vec![7])]);
        assert_eq!(ids(Elements::two_byte(&[15, 1, 7, 2])), [(15, vec![7])]);
    }
}
