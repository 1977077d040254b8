//! Cutting something into pieces of nearly the same size (as RFC 7741 §4.4 and others leave to the sender): a tiny last
//! packet is lost as easily as a large one, and costs as much.

/// What is left to cut, and into how many pieces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split<'a> {
    rest: &'a [u8],
    pieces: usize,
}

impl<'a> Split<'a> {
    /// As few pieces as keep within `max` bytes, which is at least 1; one of nothing is none.
    pub(super) fn new(bytes: &'a [u8], max: usize) -> Self {
        Self { rest: bytes, pieces: bytes.len().div_ceil(max.max(1)) }
    }

    pub(super) fn is_done(&self) -> bool {
        self.pieces == 0
    }

    pub(super) fn is_last(&self) -> bool {
        self.pieces == 1
    }

    /// The next piece: the longer ones come first.
    pub(super) fn next(&mut self) -> Option<&'a [u8]> {
        let len = self.rest.len().checked_div(self.pieces).map(|_| self.rest.len().div_ceil(self.pieces))?;
        let (piece, rest) = self.rest.split_at(len);
        (self.rest, self.pieces) = (rest, self.pieces - 1);
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_differ_by_a_byte_at_most() {
        let mut split = Split::new(&[0; 25], 10);
        let lens: Vec<_> = std::iter::from_fn(|| split.next().map(<[u8]>::len)).collect();
        assert_eq!(lens, [9, 8, 8]);
        assert!(split.is_done());
        assert!(Split::new(&[], 10).is_done());
        assert!(Split::new(&[0; 10], 10).is_last());
    }
}
