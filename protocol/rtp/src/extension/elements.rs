//! The elements of an extension, in both forms (RFC 8285 §4.2, §4.3).

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
    rest: &'a [u8],
    two_byte: bool,
}

impl<'a> Elements<'a> {
    #[inline]
    pub(crate) fn one_byte(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, two_byte: false }
    }

    #[inline]
    pub(crate) fn two_byte(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, two_byte: true }
    }

    /// What was not read yet.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    fn end(&mut self) -> Option<(u8, &'a [u8])> {
        self.rest = &[];
        None
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while let Some((&first, rest)) = self.rest.split_first() {
            // In the two-byte form a zero is an id without a length, too: one byte of padding.
            if first == 0 {
                self.rest = rest;
                continue;
            }
            let (id, len, rest) = if self.two_byte {
                let Some((&len, rest)) = rest.split_first() else { break };
                (first, usize::from(len), rest)
            } else {
                (first >> 4, usize::from(first & 0x0F) + 1, rest)
            };
            if id == 0 || (id == 15 && !self.two_byte) {
                break;
            }
            let Some((value, rest)) = rest.split_at_checked(len) else { break };
            self.rest = rest;
            return Some((id, value));
        }
        self.end()
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
