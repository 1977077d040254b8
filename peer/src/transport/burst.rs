//! Packets of media that leave at once: sealed where they are sent from, and gathered so that few system calls (UDP GSO) send
//! them.
//!
//! Encoders cut a frame into packets whose sizes differ by a byte, which would be several calls. Padding (RFC 3550 §5.1) makes
//! them equal.
//!
//! The pacer lets most frames leave as they come. To queue their packets, and to take them out of the queue again, would
//! cost as much as all the rest that is done for them.

use std::net::SocketAddr;

use wire::Transmit;

use super::batch::{MAX_BYTES, MAX_SEGMENTS, SOURCE};

/// Datagrams for one peer. Take all of them ([`Burst::poll`]) before the next peer's.
///
/// It holds a datagram's worth of bytes at most; what finds no room is queued.
#[derive(Debug, Default)]
pub struct Burst {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
    /// One that goes behind longer ones of another source, though it came first.
    last: Vec<u8>,
    way: Option<(SocketAddr, SocketAddr)>,
    /// What payloads are filled up to.
    level: usize,
    /// How many were taken, and their bytes.
    taken: (usize, usize),
}

/// Bytes of padding that a packet is given at most: a system call is not worth more.
const MOST_PADDING: usize = 4;

impl Burst {
    /// Says how long the longest payload is of what is about to be sent: those that lack a few bytes to it are filled up, until
    /// all of the burst is taken.
    pub fn set_level(&mut self, payload: usize) {
        self.level = payload;
    }

    /// The next datagrams to be sent, several of equal size for one system call; the last of them may be shorter.
    pub fn poll(&mut self) -> Option<(Transmit, &[u8])> {
        self.put_last();
        let (first, start) = self.taken;
        let lengths = self.lengths.get(first..).unwrap_or_default();
        let (Some(&size), Some((source, destination))) = (lengths.first(), self.way) else {
            self.clear();
            return None;
        };
        let (mut count, mut bytes) = (0, 0);
        for length in lengths.iter().take(MAX_SEGMENTS) {
            if *length > size || bytes + length > MAX_BYTES {
                break;
            }
            (count, bytes) = (count + 1, bytes + length);
            if *length < size {
                break;
            }
        }
        self.taken = (first + count, start + bytes);
        let segment_size = (count > 1).then_some(size);
        let transmit = Transmit { source, destination, segment_size };
        Some((transmit, self.bytes.get(start..start + bytes).unwrap_or_default()))
    }

    /// Whether a packet finds room that goes this way.
    pub(super) fn has_room(&self, source: &SocketAddr, destination: &SocketAddr) -> bool {
        let is_same = |known: &(SocketAddr, SocketAddr)| known.1 == *destination && known.0 == *source;
        self.way.as_ref().is_none_or(is_same) && self.bytes.len() < MAX_BYTES / 2
    }

    /// Has one datagram appended by `write`, unless it says that there is none; its bytes.
    pub(super) fn put<E>(
        &mut self,
        (from, to): (&SocketAddr, &SocketAddr),
        write: impl FnOnce(&mut Vec<u8>, Level) -> Result<bool, E>,
    ) -> Result<usize, E> {
        let start = self.bytes.len();
        if !write(&mut self.bytes, Level(self.level))? {
            return Ok(0);
        }
        self.way.get_or_insert((*from, *to));
        let length = self.bytes.len() - start;
        match (self.lengths.first(), self.last.is_empty()) {
            // Sound is ready before pictures, and smaller.
            (Some(&first), true) if self.lengths.len() == 1 && length > first && !self.is_of_one(start) => {
                self.last.extend(self.bytes.drain(..first));
                self.lengths.clear();
            }
            // Never behind one of its own source.
            (_, false) if self.bytes.get(start..).and_then(source) == source(&self.last) => {
                let overtaken = self.last.len();
                self.bytes.append(&mut self.last);
                if let Some(both) = self.bytes.get_mut(start..) {
                    both.rotate_right(overtaken);
                }
                self.lengths.push(overtaken);
            }
            _ => {}
        }
        self.lengths.push(length);
        Ok(length)
    }

    /// Whether the first datagram, and the one that begins there, are of one source.
    fn is_of_one(&self, start: usize) -> bool {
        source(&self.bytes) == self.bytes.get(start..).and_then(source)
    }

    fn put_last(&mut self) {
        if !self.last.is_empty() {
            self.lengths.push(self.last.len());
            self.bytes.append(&mut self.last);
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.lengths.clear();
        (self.way, self.level, self.taken) = (None, 0, (0, 0));
    }
}

/// What payloads are filled up to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level(usize);

impl Level {
    /// Bytes of padding for a payload of so many.
    pub(crate) fn padding(self, payload: usize) -> u8 {
        let lacking = self.0.saturating_sub(payload);
        if lacking <= MOST_PADDING { lacking as u8 } else { 0 }
    }
}

fn source(datagram: &[u8]) -> Option<&[u8]> {
    datagram.get(SOURCE)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// The batches that datagrams of these sources and sizes make, in order.
    fn batches(burst: &mut Burst, datagrams: &[(u8, usize)]) -> Vec<Vec<(u8, usize)>> {
        let [from, to] = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        for (source, size) in datagrams {
            let write = |bytes: &mut Vec<u8>, _: Level| {
                bytes.resize(bytes.len() + size, *source);
                Ok::<_, Infallible>(true)
            };
            assert_eq!(burst.put((&from, &to), write), Ok(*size));
        }
        let mut made = Vec::new();
        while let Some((transmit, bytes)) = burst.poll() {
            let size = transmit.segment_size.unwrap_or(bytes.len());
            made.push(bytes.chunks(size).map(|one| (one[0], one.len())).collect());
        }
        made
    }

    #[test]
    fn sound_goes_behind_pictures_and_nothing_behind_its_own() {
        let mut burst = Burst::default();
        let mut batches = |datagrams: &[(u8, usize)]| batches(&mut burst, datagrams);
        let (sound, picture, end) = ((1, 40), (2, 100), (2, 60));
        assert_eq!(batches(&[sound, picture, picture]), [[picture, picture, sound]]);
        assert_eq!(batches(&[picture, picture, sound]), [[picture, picture, sound]]);
        assert_eq!(batches(&[sound, (1, 100)]), [[sound], [(1, 100)]]);
        assert_eq!(batches(&[sound, picture, end, sound]), [vec![picture, end], vec![sound, sound]]);
        assert_eq!(
            batches(&[sound, picture, sound, picture]),
            [vec![picture, sound], vec![sound], vec![picture]]
        );
        assert_eq!(batches(&[]), [[]; 0]);
        let many = batches(&[picture; 70]);
        assert_eq!(many.iter().map(Vec::len).collect::<Vec<_>>(), [64, 6]);
    }

    #[test]
    fn what_lacks_little_is_filled_up() {
        let padding = |payload| Level(1_000).padding(payload);
        assert_eq!([1_000, 999, 996, 995, 100, 1_001].map(padding), [0, 1, 4, 0, 0, 0]);
        assert_eq!(Level(0).padding(3), 0);
    }

    #[test]
    fn there_is_room_for_one_way_and_half_a_call() {
        let mut burst = Burst::default();
        let [one, other] = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        assert!(burst.has_room(&one, &other));
        let write = |bytes: &mut Vec<u8>, _: Level| {
            bytes.resize(1_000, 1);
            Ok::<_, Infallible>(true)
        };
        assert_eq!(burst.put((&one, &other), write), Ok(1_000));
        assert!(burst.has_room(&one, &other) && !burst.has_room(&other, &one));
        let more = |bytes: &mut Vec<u8>, _: Level| {
            bytes.resize(MAX_BYTES, 1);
            Ok::<_, Infallible>(true)
        };
        assert_eq!(burst.put((&one, &other), more), Ok(MAX_BYTES - 1_000));
        assert!(!burst.has_room(&one, &other));
        while burst.poll().is_some() {}
        assert!(burst.has_room(&other, &one));
    }
}
