//! What a datagram held for the application (RFC 9147 §4.3).

use std::ops::Range;

/// Datagrams rarely have more than one record of data.
const MAX: usize = 16;

/// Where in the datagram the plaintexts of its records of data lie, in order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plaintexts {
    ranges: [(u16, u16); MAX],
    next: u8,
    count: u8,
}

impl Plaintexts {
    /// Whether there is room for another.
    pub(super) fn has_room(&self) -> bool {
        usize::from(self.count) < MAX
    }

    /// Adds a range; a datagram has less than 64 KiB.
    pub(super) fn push(&mut self, range: Range<usize>) {
        let (Ok(start), Ok(end)) = (u16::try_from(range.start), u16::try_from(range.end)) else { return };
        if let Some(slot) = self.ranges.get_mut(usize::from(self.count)) {
            *slot = (start, end);
            self.count += 1;
        }
    }
}

impl Iterator for Plaintexts {
    type Item = Range<usize>;

    #[inline]
    fn next(&mut self) -> Option<Range<usize>> {
        if self.next == self.count {
            return None;
        }
        let (start, end) = self.ranges[usize::from(self.next)];
        self.next += 1;
        Some(start.into()..end.into())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::from(self.count - self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Plaintexts {}
