//! Gathers datagrams of equal size, so that one system call (UDP GSO) sends them.

/// The most that one call takes: a UDP datagram's worth, in bytes, and the kernel's bound on segments.
const MAX_BYTES: usize = 65_000;
const MAX_SEGMENTS: usize = 64;

/// A datagram that did not fit behind the ones before it waits here for the next batch, without what goes before each.
#[derive(Debug, Default)]
pub(super) struct Batch {
    spilt: Vec<u8>,
}

impl Batch {
    /// Appends datagrams until there are no more, or one is shorter or longer than the first; `next` appends one, behind
    /// as many zero bytes as `prefix` says. Returns the size of the first. The last may be shorter.
    pub(super) fn fill(
        &mut self,
        buffer: &mut Vec<u8>,
        prefix: usize,
        mut next: impl FnMut(&mut Vec<u8>) -> bool,
    ) -> Option<usize> {
        let start = buffer.len();
        if !self.append(buffer, prefix, &mut next) {
            return None;
        }
        let size = buffer.len() - start;
        for count in 1..MAX_SEGMENTS {
            let end = buffer.len();
            let is_full = end - start < count * size || end - start + size > MAX_BYTES;
            if is_full || !self.append(buffer, prefix, &mut next) {
                break;
            }
            if buffer.len() - end > size {
                self.spilt.extend_from_slice(&buffer[end + prefix..]);
                buffer.truncate(end);
                break;
            }
        }
        Some(size)
    }

    /// Appends the datagram that waits, or the next one.
    pub(super) fn append(
        &mut self,
        buffer: &mut Vec<u8>,
        prefix: usize,
        next: &mut impl FnMut(&mut Vec<u8>) -> bool,
    ) -> bool {
        let start = buffer.len();
        buffer.resize(start + prefix, 0);
        if !self.spilt.is_empty() {
            buffer.append(&mut self.spilt);
        } else if !next(buffer) {
            buffer.truncate(start);
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The batches that datagrams of these sizes make: the size of the first, and all bytes.
    fn batches(sizes: &[usize]) -> Vec<(usize, usize)> {
        let (mut batch, mut sizes, mut made) = (Batch::default(), sizes.iter(), Vec::new());
        loop {
            let mut buffer = vec![9; 5];
            let size = batch.fill(&mut buffer, 0, |buffer| {
                sizes.next().map(|size| buffer.resize(buffer.len() + size, 0)).is_some()
            });
            match size {
                Some(size) => made.push((size, buffer.len() - 5)),
                None => return made,
            }
        }
    }

    #[test]
    fn equal_ones_go_together_and_a_shorter_one_is_the_last() {
        assert_eq!(batches(&[100, 100, 40, 100, 100]), [(100, 240), (100, 200)]);
        assert_eq!(batches(&[]), []);
    }

    #[test]
    fn a_longer_one_waits_for_the_next() {
        assert_eq!(batches(&[40, 100, 100, 40]), [(40, 40), (100, 240)]);
    }

    #[test]
    fn what_goes_before_each_datagram_stays_out_of_the_one_that_waits() {
        let (mut batch, mut sizes) = (Batch::default(), [40, 100].into_iter());
        let mut buffer = Vec::new();
        let mut next =
            |buffer: &mut Vec<u8>| sizes.next().map(|size| buffer.resize(buffer.len() + size, 7)).is_some();
        assert_eq!(batch.fill(&mut buffer, 4, &mut next), Some(44));
        assert_eq!(buffer.len(), 44);
        buffer.clear();
        assert_eq!(batch.fill(&mut buffer, 0, &mut next), Some(100));
        assert_eq!(buffer, [7; 100]);
    }

    #[test]
    fn no_batch_is_larger_than_the_system_takes() {
        assert_eq!(batches(&[10; 70]), [(10, 640), (10, 60)]);
        assert_eq!(batches(&[30_000; 3]), [(30_000, 60_000), (30_000, 30_000)]);
    }
}
