//! Gathers datagrams of equal size, so that one system call (UDP GSO) sends them.

/// The most that one call takes: a UDP datagram's worth, in bytes, and the kernel's bound on segments.
pub(super) const MAX_BYTES: usize = 65_000;
pub(super) const MAX_SEGMENTS: usize = 64;

/// A datagram that did not fit behind the ones before it waits here for the next batch, without what goes before each.
#[derive(Debug, Default)]
pub(super) struct Batch {
    spilt: Vec<u8>,
    /// One that goes last, though it came first.
    last: Vec<u8>,
}

/// Where packets of media say whose they are (RFC 3550 §5.1), and packets of RTCP something else.
pub(super) const SOURCE: std::ops::Range<usize> = 8..12;

impl Batch {
    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.spilt.is_empty()
    }

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

    /// The same for media, without anything before datagrams: one that is followed by longer ones of another source goes
    /// behind them, at no later time. Sound is ready before pictures, and smaller.
    pub(super) fn fill_media(
        &mut self,
        buffer: &mut Vec<u8>,
        mut next: impl FnMut(&mut Vec<u8>) -> bool,
    ) -> Option<usize> {
        let start = buffer.len();
        if !self.append(buffer, 0, &mut next) {
            return None;
        }
        let mut size = buffer.len() - start;
        for count in 1..MAX_SEGMENTS - 1 {
            let end = buffer.len();
            if end - start + 2 * size > MAX_BYTES || !self.append(buffer, 0, &mut next) {
                break;
            }
            let length = buffer.len() - end;
            let source = buffer.get(end..).and_then(|bytes| bytes.get(SOURCE));
            if count == 1 && length > size && source != buffer.get(start..end).and_then(|one| one.get(SOURCE))
            {
                self.last.extend_from_slice(&buffer[start..end]);
                buffer.drain(start..end);
                size = length;
                continue;
            }
            let is_overtaken = !self.last.is_empty() && source == self.last.get(SOURCE);
            if length == size && !is_overtaken {
                continue;
            }
            if length > size || !self.last.is_empty() {
                self.spilt.extend_from_slice(&buffer[end..]);
                buffer.truncate(end);
            }
            break;
        }
        buffer.append(&mut self.last);
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

    /// The batches that datagrams of these sources and sizes make, in order.
    fn media(datagrams: &[(u8, usize)]) -> Vec<Vec<(u8, usize)>> {
        let (mut batch, mut datagrams, mut made) = (Batch::default(), datagrams.iter(), Vec::new());
        loop {
            let mut buffer = vec![9; 5];
            let size = batch.fill_media(&mut buffer, |buffer| {
                let next = datagrams.next();
                next.is_some_and(|(source, size)| {
                    buffer.resize(buffer.len() + size, *source);
                    true
                })
            });
            let Some(size) = size else { return made };
            made.push(buffer[5..].chunks(size).map(|one| (one[0], one.len())).collect());
        }
    }

    #[test]
    fn sound_goes_behind_pictures_and_nothing_behind_its_own() {
        assert_eq!(media(&[(1, 40), (2, 100), (2, 100)]), [[(2, 100), (2, 100), (1, 40)]]);
        assert_eq!(media(&[(1, 40), (1, 100)]), [[(1, 40)], [(1, 100)]]);
        let (sound, picture, end) = ((1, 40), (2, 100), (2, 60));
        assert_eq!(media(&[sound, picture, sound, picture]), [vec![picture, sound], vec![picture, sound]]);
        assert_eq!(media(&[sound, picture, end, picture]), [vec![picture, sound], vec![end], vec![picture]]);
        assert_eq!(media(&[sound, picture, (1, 100)]), [vec![picture, sound], vec![(1, 100)]]);
        assert_eq!(media(&[(3, 20), sound, picture]), [vec![sound, (3, 20)], vec![picture]]);
        assert_eq!(media(&[picture, picture, sound]), [[picture, picture, sound]]);
        let many = media(&[[sound].as_slice(), &[picture; 70]].concat());
        assert_eq!(many.iter().map(Vec::len).collect::<Vec<_>>(), [63, 8]);
    }

    #[test]
    fn no_batch_is_larger_than_the_system_takes() {
        assert_eq!(batches(&[10; 70]), [(10, 640), (10, 60)]);
        assert_eq!(batches(&[30_000; 3]), [(30_000, 60_000), (30_000, 30_000)]);
    }
}
